// What was found in a picture, in the form that files of results have: the command line's
// `detect` writes the same. docs/results.md says what each field means.

import type { BitmapMask, RleMask } from "../../npm/spotter.d.ts";
import { masksIn, rle } from "../api/masks.ts";
import type { Result } from "../core/detector.ts";

/** One picture. */
export interface Entry {
  file: string;
  width: number;
  height: number;
  model: string;
  /** When it was looked at, ISO 8601 in UTC. */
  time: string;
  /** Place in the video, where it is a frame of one. */
  seconds?: number;
  detections: Found[];
  /** Milliseconds of each phase. */
  timings_ms?: Record<"read" | "feed" | "network" | "detect" | "masks", number>;
}

export interface Found {
  class: string;
  class_id: number;
  score: number;
  /** x1 y1 x2 y2 in pixels of the picture. */
  box: [number, number, number, number];
  /** Identity over frames, where objects are followed. */
  id?: number;
  /** Over the whole picture, at its size. */
  mask?: RleMask;
}

/** What a result does not say of itself. */
export interface About {
  file: string;
  model: string;
  time: Date;
  seconds?: number | undefined;
}

/** Puts a result into that form: coordinates to a thousandth of a pixel, scores to five decimals, masks at the picture's size. */
export function entryOf(result: Omit<Result, "picture" | "total">, about: About): Entry {
  const { width, height, timings } = result;
  const masks = result.masks ? masksIn("bitmap", result.masks, width, height) : [];
  return {
    file: about.file,
    width,
    height,
    model: about.model,
    time: about.time.toISOString(),
    ...(about.seconds === undefined ? {} : { seconds: round(about.seconds, 1e3) }),
    detections: result.detections.map(({ classId, label, score, box, id }, i) => {
      const mask = masks[i];
      return {
        class: label,
        class_id: classId,
        score: round(score, 1e5),
        box: box.map((v) => round(v, 1e3)) as Found["box"],
        ...(id == null ? {} : { id }),
        ...(mask ? { mask: rle(stretched(mask, width, height)) } : {}),
      };
    }),
    timings_ms: {
      read: round(timings.pixels, 1e3),
      feed: round(timings.feed, 1e3),
      network: round(timings.infer, 1e3),
      detect: round(timings.detect, 1e3),
      masks: round(timings.masks, 1e3),
    },
  };
}

export function round(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}

/** A mask on a grid of the picture's size: each pixel takes the grid's point that it lies on. */
function stretched(mask: BitmapMask, width: number, height: number): BitmapMask {
  const [columns, rows] = mask.grid;
  if (columns === width && rows === height) return mask;
  const across = pointsOf(mask.x, mask.width, columns, width);
  const down = pointsOf(mask.y, mask.height, rows, height);
  const data = new Uint8Array(across.points.length * down.points.length);
  let at = 0;
  for (const y of down.points) {
    for (const x of across.points) data[at++] = mask.data[y * mask.width + x] ?? 0;
  }
  return {
    x: across.first,
    y: down.first,
    width: across.points.length,
    height: down.points.length,
    data,
    grid: [width, height],
  };
}

/** For each of the pixels that lie on `count` points from `start` on, the point, counted from `start`. */
function pointsOf(start: number, count: number, points: number, pixels: number): { first: number; points: number[] } {
  const list: number[] = [];
  let first = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    const point = Math.floor(((pixel + 0.5) * points) / pixels) - start;
    if (point < 0) first = pixel + 1;
    else if (point < count) list.push(point);
  }
  return { first, points: list };
}
