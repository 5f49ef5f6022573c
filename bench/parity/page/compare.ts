// How far two engines are apart.
import type { Found } from './types.ts';

/**
 * Boxes of one class count as the same above this overlap and below this difference of scores. Those thinner
 * than a pixel, which untrained networks give, lose overlap by float32's rounding of their edges alone, so edges
 * that lie as close as this count too.
 */
const sameOverlap = 0.99;
const sameEdges = 0.01; // pixels
const sameScore = 0.01;

/** The largest difference of two maps, and that in standard deviations of the second. */
export function deviation(got: Float32Array, want: Float32Array): { largest: number; deviations: number } {
  if (got.length !== want.length)
    throw new Error(`${got.length} values of this engine, ${want.length} of onnxruntime-web`);
  let sum = 0;
  let squares = 0;
  let largest = 0;
  for (let i = 0; i < want.length; i++) {
    const difference = Math.abs(got[i] - want[i]);
    if (difference > largest || Number.isNaN(difference)) largest = difference; // NaN stays and shows
    sum += want[i];
    squares += want[i] * want[i];
  }
  const mean = sum / want.length;
  const std = Math.sqrt(Math.max(0, squares / want.length - mean * mean));
  return { largest, deviations: largest === 0 ? 0 : largest / std };
}

/** How many of a have a partner of their own in b; classes of a classifier have no boxes. */
export function matches(a: Found[], b: Found[], classesOnly: boolean): number {
  const free = new Set(b);
  let count = 0;
  for (const x of a) {
    for (const y of free) {
      if (x.label !== y.label || Math.abs(x.score - y.score) > sameScore) continue;
      if (!classesOnly && !alike(x.box, y.box)) continue;
      free.delete(y);
      count++;
      break;
    }
  }
  return count;
}

function alike(a: Found['box'], b: Found['box']): boolean {
  return overlap(a, b) > sameOverlap || a.every((edge, i) => Math.abs(edge - b[i]) < sameEdges);
}

/** Intersection over union. */
function overlap(a: Found['box'], b: Found['box']): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  const area = ([x1, y1, x2, y2]: Found['box']) => (x2 - x1) * (y2 - y1);
  return both / (area(a) + area(b) - both);
}
