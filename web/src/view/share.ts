// A share in a detector: several look through one engine, each as if it were alone.

import type { Detector, Result } from "../core/detector.ts";
import type { DetectOptions, Picture } from "../core/messages.ts";
import type { Finder } from "./session.ts";

/** Whose picture each detector saw last. */
const last = new WeakMap<Detector, Share>();

export class Share implements Finder {
  constructor(readonly detector: Detector) {}

  /** Whether `again` would look at this share's own picture. */
  get remembers(): boolean {
    return last.get(this.detector) === this && this.detector.remembers;
  }

  detect(picture: Picture, options: DetectOptions, signal?: AbortSignal): Promise<Result> {
    last.set(this.detector, this);
    return this.detector.detect(picture, options, signal);
  }

  again(options: DetectOptions): Promise<Result> {
    return this.detector.again(options);
  }
}
