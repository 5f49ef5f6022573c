// Two that look at the same picture, one after the other: so each has the whole machine,
// and its times are its own.

import type { Result } from "../core/detector.ts";
import type { DetectOptions, Picture } from "../core/messages.ts";
import { closePicture } from "../core/pixels.ts";
import type { Finder } from "../view/session.ts";

/** Who looks second; what it finds or meets is its own to show. */
export interface Second {
  /** Whether it has anything to look through. */
  ready(): boolean;
  /** Whether the picture that it looked at last is the one that is shown. */
  remembers(): boolean;
  /** Looks at a picture, which is its own, or at the last one again; never rejects. `first` is the other's result. */
  look(picture: Picture | null, wanted: DetectOptions, first: Result): Promise<void>;
}

export class Pair implements Finder {
  constructor(
    private readonly first: Finder,
    private readonly second: Second,
  ) {}

  get remembers(): boolean {
    return this.first.remembers && (!this.second.ready() || this.second.remembers());
  }

  async detect(picture: Picture, wanted: DetectOptions): Promise<Result> {
    const copy = this.second.ready() ? await copyOf(picture) : null;
    try {
      const result = await this.first.detect(picture, wanted);
      if (copy) await this.second.look(copy, wanted, result);
      return result;
    } catch (cause) {
      closePicture(copy);
      throw cause;
    }
  }

  async again(wanted: DetectOptions): Promise<Result> {
    const result = await this.first.again(wanted);
    if (this.second.ready()) await this.second.look(null, wanted, result);
    return result;
  }
}

function copyOf(picture: Picture): Picture | Promise<Picture> {
  if ("data" in picture) return { ...picture, data: picture.data.slice(0) };
  return "clone" in picture ? picture.clone() : createImageBitmap(picture);
}
