// Masks in the forms that callers ask for.

import type { BitmapMask, MaskKind, MaskTypes, PolygonMask, RleMask } from "../../npm/spotter.d.ts";
import type { Masks } from "../core/messages.ts";
import { outlines } from "./outlines.ts";

/** The mask of each result, from those of all. `width` is the picture's: polygons are in its pixels. */
export function masksIn<K extends MaskKind>(kind: K, masks: Masks, width: number, height: number): MaskTypes[K][] {
  const list: MaskTypes[MaskKind][] = [];
  let at = 0;
  for (let i = 0; i < masks.rects.length; i += 4) {
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = masks.rects.subarray(i, i + 4);
    const size = (x1 - x0) * (y1 - y0);
    const mask: BitmapMask = {
      x: x0,
      y: y0,
      width: x1 - x0,
      height: y1 - y0,
      data: masks.data.subarray(at, at + size),
      grid: [masks.width, masks.height],
    };
    at += size;
    if (kind === "rle") list.push(rle(mask));
    else if (kind === "polygon") list.push(polygon(mask, width / masks.width, height / masks.height));
    else list.push({ ...mask, data: mask.data.slice() });
  }
  return list as MaskTypes[K][];
}

function polygon(mask: BitmapMask, scaleX: number, scaleY: number): PolygonMask {
  return outlines(mask.data, mask.width, mask.height).map((ring) =>
    ring.map((v, i) => (i % 2 === 0 ? (v + mask.x) * scaleX : (v + mask.y) * scaleY)),
  );
}

/** Lengths of the runs of zeros and ones by turns, down the columns of the whole grid. */
export function runs({ x, y, width, height, data, grid }: BitmapMask): number[] {
  const [columns, rows] = grid;
  const counts: number[] = [];
  let end = 0; // of the last run of ones
  let open = false;
  const turn = (at: number) => {
    counts.push(at - end);
    end = at;
  };
  for (let column = 0; column < width; column++) {
    for (let row = 0; row < height; row++) {
      const on = data[row * width + column] !== 0;
      const at = (x + column) * rows + y + row;
      if (on !== open) turn(at);
      open = on;
    }
    // Between the rectangle's columns lie zeros, unless it is as high as the grid.
    if (open && height < rows) {
      turn((x + column) * rows + y + height);
      open = false;
    }
  }
  if (open) turn((x + width - 1) * rows + y + height);
  if (end < columns * rows || counts.length === 0) counts.push(columns * rows - end);
  return counts;
}

/** COCO's compressed form: 5 bits a character, from "0" on, lowest first, bit 5 says that more follow;
 *  from the fourth run on the difference to the run two before. */
export function rle(mask: BitmapMask): RleMask {
  const counts = runs(mask);
  let text = "";
  counts.forEach((count, i) => {
    let rest = i > 2 ? count - (counts[i - 2] ?? 0) : count;
    for (let more = true; more; ) {
      const bits = rest & 31;
      rest >>= 5;
      more = bits & 16 ? rest !== -1 : rest !== 0;
      text += String.fromCharCode(48 + (more ? bits | 32 : bits));
    }
  });
  return { size: [mask.grid[1], mask.grid[0]], counts: text };
}

/** Points inside of a mask of that form. */
export function areaOf({ counts }: RleMask): number {
  const runs: number[] = [];
  let area = 0;
  for (let at = 0; at < counts.length; ) {
    let value = 0;
    let bits = 0;
    let shift = 0;
    do {
      bits = counts.charCodeAt(at++) - 48;
      value |= (bits & 31) << shift;
      shift += 5;
    } while (bits & 32);
    if (bits & 16) value |= -1 << shift;
    const run = value + (runs.length > 2 ? (runs[runs.length - 2] ?? 0) : 0);
    runs.push(run);
    if (runs.length % 2 === 0) area += run;
  }
  return area;
}
