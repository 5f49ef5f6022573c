// Sizes of a network's input.

/** Smallest and largest side that the page offers, in pixels. */
export const smallest = 96;
export const largest = 1280;

export interface Size {
  width: number;
  height: number;
}

/** Sides that are multiples of the network's stride. */
export function sides(stride: number): number[] {
  const list: number[] = [];
  for (let side = Math.ceil(smallest / stride) * stride; side <= largest; side += stride) list.push(side);
  return list;
}

/**
 * The input with that long side, square, or in the shape of a picture: the short side is
 * the multiple of the stride that wastes least on padding.
 */
export function sizeFor(long: number, stride: number, picture: Size | null): Size {
  if (!picture) return { width: long, height: long };
  const aspect = Math.min(picture.width, picture.height) / Math.max(picture.width, picture.height);
  const least = Math.ceil(Math.min(smallest, long) / stride) * stride;
  const short = Math.min(long, Math.max(least, Math.ceil((long * aspect) / stride - 1e-6) * stride));
  return picture.width >= picture.height ? { width: long, height: short } : { width: short, height: long };
}

export function same(a: Size, b: Size): boolean {
  return a.width === b.width && a.height === b.height;
}
