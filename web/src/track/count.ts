// Counting tracks: how many of each class, who crossed a line and which way, who is inside a zone.

import type { Track } from "./tracker.ts";

export type Point = [number, number];

/** From a to b, in pixels of the picture. */
export interface Line {
  a: Point;
  b: Point;
}

/** Crossings by class id: "left" to the line's left seen from a to b, "right" to its right. */
export type Crossings = Map<number, { left: number; right: number }>;

/** On which side of the line a point lies: positive to the right (y points down). */
function side({ a, b }: Line, p: Point): number {
  return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]);
}

/** Whether the way from p to q meets the line between its ends. */
function meets(line: Line, p: Point, q: Point): boolean {
  const way = { a: p, b: q };
  return side(line, p) > 0 !== side(line, q) > 0 && side(way, line.a) > 0 !== side(way, line.b) > 0;
}

export class LineCounter {
  readonly crossings: Crossings = new Map();

  constructor(readonly line: Line) {}

  /** Takes a frame's tracks; gives the ids that crossed in it. */
  update(tracks: readonly Track[]): number[] {
    const crossed: number[] = [];
    for (const t of tracks) {
      const [before, now] = t.trail.slice(-2) as [Point, Point?];
      if (!now || !meets(this.line, before, now)) continue;
      const count = this.crossings.get(t.classId) ?? { left: 0, right: 0 };
      count[side(this.line, now) > 0 ? "right" : "left"]++;
      this.crossings.set(t.classId, count);
      crossed.push(t.id);
    }
    return crossed;
  }
}

/** Whether a point lies inside a polygon (even-odd rule). */
export function inside(polygon: readonly Point[], [x, y]: Point): boolean {
  let within = false;
  polygon.forEach(([x1, y1], i) => {
    const [x2, y2] = polygon[(i + 1) % polygon.length] as Point;
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) within = !within;
  });
  return within;
}

export class ZoneCounter {
  /** Ids that ever were inside, by class id. */
  readonly visitors = new Map<number, Set<number>>();

  constructor(readonly polygon: readonly Point[]) {}

  /** Takes a frame's tracks; gives those inside now, by where they stand (the middle of the box). */
  update(tracks: readonly Track[]): Track[] {
    const here = tracks.filter((t) => inside(this.polygon, t.trail.at(-1) as Point));
    for (const t of here) {
      const ids = this.visitors.get(t.classId) ?? new Set();
      this.visitors.set(t.classId, ids.add(t.id));
    }
    return here;
  }
}

/** How many tracks of each class id there are. */
export function countByClass(tracks: readonly Track[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const t of tracks) counts.set(t.classId, (counts.get(t.classId) ?? 0) + 1);
  return counts;
}
