// Outlines of a mask: the exact boundary along the edges of its points.

/** Directions of travel, the mask always to the right: east, south, west, north. */
const steps = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/**
 * The rings around the points that are on, each x0, y0, x1, y1, ... in points, without
 * corners on straight lines. Outer rings run clockwise (y points down), holes counter-clockwise;
 * points that touch at a corner only belong to separate rings.
 */
export function outlines(data: Uint8Array, width: number, height: number): number[][] {
  const edges = edgesOf(data, width, height);
  const stride = width + 1;
  const rings: number[][] = [];
  for (let start = 0; start < edges.length; start++) {
    for (let first = 0; first < 4; first++) {
      if ((edges[start] ?? 0) & (1 << first)) rings.push(follow(edges, stride, start, first));
    }
  }
  return rings;
}

/** For each corner of the points' grid, the directions in which an edge leaves it, as bits. */
function edgesOf(data: Uint8Array, width: number, height: number): Uint8Array {
  const edges = new Uint8Array((width + 1) * (height + 1));
  const on = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] !== 0;
  const add = (x: number, y: number, direction: number) => {
    const at = y * (width + 1) + x;
    edges[at] = (edges[at] ?? 0) | (1 << direction);
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] === 0) continue;
      if (!on(x, y - 1)) add(x, y, 0);
      if (!on(x + 1, y)) add(x + 1, y, 1);
      if (!on(x, y + 1)) add(x + 1, y + 1, 2);
      if (!on(x - 1, y)) add(x, y + 1, 3);
    }
  }
  return edges;
}

/** Takes the edges of one ring out of the grid and gives its corners. */
function follow(edges: Uint8Array, stride: number, start: number, first: number): number[] {
  const ring: number[] = [];
  let at = start;
  let direction = first;
  let closed = false;
  while (!closed) {
    edges[at] = (edges[at] ?? 0) & ~(1 << direction);
    const [dx, dy] = steps[direction] ?? steps[0];
    at += dx + dy * stride;
    closed = at === start;
    const next = closed ? first : turn(edges[at] ?? 0, direction);
    if (next !== direction) ring.push(at % stride, Math.floor(at / stride));
    direction = next;
  }
  return ring;
}

/** Where an outline goes on: to the right first, so that two points that touch at a corner each keep to their own. */
function turn(edges: number, direction: number): number {
  const next = [1, 0, 3].map((quarter) => (direction + quarter) % 4).find((d) => edges & (1 << d));
  if (next === undefined) throw new Error("BUG: an outline has a loose end");
  return next;
}
