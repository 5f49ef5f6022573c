// Tracking over the results of a detector: asks it for doubtful detections too, which keep
// tracks alive, and leaves in the result what is sure or belongs to a track.

import type { Detection, Result } from "../core/detector.ts";
import type { DetectOptions, Masks } from "../core/messages.ts";
import { type Track, Tracker, type TrackOptions } from "./tracker.ts";

/** Scores from which detections may keep a track alive (ByteTrack's). */
const doubtful = 0.1;

export interface Followed extends Track {
  label: string;
}

export class Follower {
  private readonly tracker: Tracker;

  /** `shown` is the score from which a detection is shown, and may begin a track. */
  constructor(
    private shown: number,
    options: Partial<TrackOptions> = {},
  ) {
    this.tracker = new Tracker({ high: shown, fresh: shown, ...options });
  }

  set confidence(confidence: number) {
    this.shown = confidence;
    this.tracker.set({ high: confidence, fresh: confidence });
  }

  /** What to ask the detector for. */
  options(wanted: DetectOptions): DetectOptions {
    return { ...wanted, confidence: Math.min(wanted.confidence, doubtful) };
  }

  /** Takes a frame's result and its time in seconds; the detections get the ids of their tracks. */
  update(found: Result, time: number): Result & { tracks: Followed[] } {
    const tracks = this.tracker.update(found.detections, time);
    const ids = new Map(tracks.map((t) => [t.detection, t.id]));
    const kept = found.detections.flatMap((d, i) => (d.score >= this.shown || ids.has(i) ? [i] : []));
    const detections = kept.map((i) => ({ ...(found.detections[i] as Detection), id: ids.get(i) ?? null }));
    const labelOf = (t: Track) => found.detections[t.detection]?.label ?? "";
    return {
      ...found,
      detections,
      masks: found.masks && select(found.masks, kept),
      tracks: tracks.map((t) => ({ ...t, label: labelOf(t) })),
    };
  }
}

/** The masks of some results only. */
function select(masks: Masks, kept: number[]): Masks {
  const starts: number[] = [0];
  const sizeOf = (i: number) => {
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = masks.rects.subarray(i * 4, i * 4 + 4);
    return (x1 - x0) * (y1 - y0);
  };
  const count = masks.rects.length / 4;
  if (kept.length === count) return masks;
  for (let i = 0; i < count; i++) starts.push((starts[i] ?? 0) + sizeOf(i));
  const rects = new Int32Array(kept.length * 4);
  const data = new Uint8Array(kept.reduce((sum, i) => sum + sizeOf(i), 0));
  let at = 0;
  kept.forEach((i, k) => {
    rects.set(masks.rects.subarray(i * 4, i * 4 + 4), k * 4);
    data.set(masks.data.subarray(starts[i], starts[i + 1]), at);
    at += sizeOf(i);
  });
  return { width: masks.width, height: masks.height, rects, data };
}
