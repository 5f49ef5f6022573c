// Looks at pictures one after the other: while the engine has one, the next is decoded and
// the one before is drawn and packed, so that neither the engine nor the disk waits.

import { unlessAborted } from "../core/abort.ts";
import type { Detector, Result } from "../core/detector.ts";
import { asError, isRestart } from "../core/errors.ts";
import type { DetectOptions } from "../core/messages.ts";
import { Share } from "../view/share.ts";
import type { Item } from "./files.ts";
import { faultOf, type Reason, read, Unreadable } from "./pictures.ts";

/** A picture with what was found in it. */
export interface Done {
  item: Item;
  file: File;
  picture: ImageBitmap;
  result: Result;
}

export interface Steps {
  /** Keeps a result; the next one but one waits for it. The picture is closed behind it. */
  keep(done: Done): Promise<void>;
  /** A picture that can't be read. */
  skip(item: Item, reason: Reason): void;
}

type Decoded = { item: Item; file: File; picture: ImageBitmap } | { item: Item; reason: Reason };

/**
 * Runs to the end. Rejects when the signal says so, and where the engine can't go on; what
 * has been found by then is kept.
 */
export async function run(
  items: readonly Item[],
  detector: Detector,
  options: DetectOptions,
  steps: Steps,
  signal: AbortSignal,
): Promise<void> {
  const share = new Share(detector);
  let keeping: Promise<void> = Promise.resolve();
  let next = items[0] ? decode(items[0]) : null;
  try {
    for (let i = 0; next; i++) {
      const now: Decoded = await unlessAborted(next, signal);
      const after = items[i + 1];
      next = after ? decode(after) : null;
      const done = "reason" in now ? now : await detect(now, share, options, signal);
      await keeping;
      if ("reason" in done) steps.skip(done.item, done.reason);
      else keeping = steps.keep(done).finally(() => done.picture.close());
      keeping.catch(() => {}); // is told of where it is awaited: behind the next picture
    }
  } finally {
    void next?.then((left) => "picture" in left && left.picture.close());
    await keeping;
  }
}

async function decode(item: Item): Promise<Decoded> {
  try {
    return { item, ...(await read(item.file)) };
  } catch (cause) {
    return { item, reason: cause instanceof Unreadable ? cause.reason : "broken" };
  }
}

/** Looks at a picture; where the worker had to be started anew, once more. */
async function detect(
  now: Extract<Decoded, { file: File }>,
  share: Share,
  options: DetectOptions,
  signal: AbortSignal,
  more = true,
): Promise<Done | { item: Item; reason: Reason }> {
  try {
    const result = await share.detect(now.picture, options, signal);
    return { item: now.item, file: now.file, picture: result.picture as ImageBitmap, result };
  } catch (cause) {
    if (isRestart(cause) && more) {
      const again = await unlessAborted(decode(now.item), signal);
      return "reason" in again ? again : detect(again, share, options, signal, false);
    }
    const reason = isRestart(cause) ? "broken" : faultOf(cause);
    if (!reason) throw asError(cause, "engine");
    return { item: now.item, reason };
  }
}
