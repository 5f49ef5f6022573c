// What two results of one picture have in common, and what only one of them has.

import type { Detection } from "../core/detector.ts";
import { iou } from "../track/tracker.ts";

/** Two boxes of one kind are of one thing where they overlap this much (IoU). */
const least = 0.5;

export interface Pairs {
  both: [a: Detection, b: Detection][];
  onlyA: Detection[];
  onlyB: Detection[];
}

/** Pairs what is of one kind and in one place, the closest first; each belongs to one pair at most. */
export function pairUp(a: readonly Detection[], b: readonly Detection[]): Pairs {
  const close = a.flatMap((one) =>
    b
      .filter((other) => other.label === one.label)
      .map((other) => ({ one, other, overlap: iou(one.box, other.box) }))
      .filter(({ overlap }) => overlap >= least),
  );
  close.sort((x, y) => y.overlap - x.overlap);
  const taken = new Set<Detection>();
  const both: Pairs["both"] = [];
  for (const { one, other } of close) {
    if (taken.has(one) || taken.has(other)) continue;
    taken.add(one).add(other);
    both.push([one, other]);
  }
  both.sort(([x], [y]) => y.score - x.score);
  return { both, onlyA: a.filter((d) => !taken.has(d)), onlyB: b.filter((d) => !taken.has(d)) };
}
