// Identities over frames, where a person asks for them: ids in the labels, trails in the
// picture, and beside it a tally of all that has been there.

import type { Result } from "../core/detector.ts";
import type { DetectOptions } from "../core/messages.ts";
import { className, t } from "../i18n/i18n.ts";
import { Counters, type Places } from "../track/counters.ts";
import { Follower } from "../track/follow.ts";
import { $ } from "./dom.ts";

/** The whole picture: whoever was in it is counted. */
const everywhere: Places = {
  lines: [],
  zones: [
    [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ],
  ],
};

export class Following {
  private follower: Follower | null = null;
  private counters: Counters | null = null;

  /** What to ask the detector for, where objects are to be followed. */
  options(wanted: DetectOptions, follow: boolean): DetectOptions {
    if (!follow) {
      this.reset();
      return wanted;
    }
    this.follower ??= new Follower(wanted.confidence);
    this.follower.confidence = wanted.confidence;
    return this.follower.options(wanted);
  }

  /** Adds identities to a result; the time is in seconds. */
  refine(result: Result, time: number): Result {
    if (!this.follower) return result;
    const followed = this.follower.update(result, time);
    const { width, height } = result;
    if (this.counters?.width !== width || this.counters.height !== height) {
      this.counters = new Counters(everywhere, width, height);
    }
    this.counters.update(followed.tracks);
    this.tell();
    return followed;
  }

  /** Forgets who was there. */
  reset(): void {
    this.follower = null;
    this.counters = null;
    $("tally").hidden = true;
  }

  private tell(): void {
    const visitors = Object.entries(this.counters?.counts.zones[0]?.visitors ?? {});
    const list = visitors.map(([name, count]) => t("seen.items", { name: className(name), count })).join(", ");
    const text = list && t("seen.tally", { list });
    const tally = $("tally");
    tally.hidden = !text;
    if (tally.textContent !== text) tally.textContent = text;
  }
}
