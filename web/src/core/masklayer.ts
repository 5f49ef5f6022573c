// The masks over a picture, on the grid that they were computed on: painted, cleared and
// drawn only where they are, on pixels that are kept from frame to frame.

import type { Detection } from "./detector.ts";
import type { Masks } from "./messages.ts";
import { channelsOf } from "./palette.ts";
import { type BoxStyle, colourIn } from "./style.ts";

const edgeAlpha = 235;

/** Half open; empty where x1 <= x0. */
interface Rect {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

const nowhere: Rect = { x0: Infinity, y0: Infinity, x1: 0, y1: 0 };

export class MaskLayer {
  private canvas: HTMLCanvasElement | null = null;
  private image: ImageData | null = null;
  private pixels = new Uint32Array();
  private masks: Masks | null = null;
  private style: BoxStyle | null = null;
  private covered = nowhere;

  /** Draws over the whole of the context's canvas. */
  paint(context: CanvasDrawImage, width: number, height: number, masks: Masks, found: Detection[], style: BoxStyle) {
    if (this.masks !== masks || this.style !== style) this.fill(masks, found, style);
    const { x0, y0, x1, y1 } = this.covered;
    if (!this.canvas || x1 <= x0 || y1 <= y0) return;
    const [sx, sy, w, h] = [width / masks.width, height / masks.height, x1 - x0, y1 - y0];
    context.drawImage(this.canvas, x0, y0, w, h, x0 * sx, y0 * sy, w * sx, h * sy);
  }

  private fill(masks: Masks, found: Detection[], style: BoxStyle): void {
    const { width, height } = masks;
    this.canvas ??= document.createElement("canvas");
    if (this.image?.width !== width || this.image.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.image = new ImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
      this.covered = nowhere;
    }
    const before = this.covered;
    for (let y = before.y0; y < before.y1; y++) this.pixels.fill(0, y * width + before.x0, y * width + before.x1);
    this.covered = around(masks);
    compose(this.pixels, masks, found, style);
    const { x0, y0, x1, y1 } = union(before, this.covered);
    if (x1 > x0 && y1 > y0) {
      this.canvas.getContext("2d")?.putImageData(this.image, 0, 0, x0, y0, x1 - x0, y1 - y0);
    }
    this.masks = masks;
    this.style = style;
  }
}

/** All masks' rectangle, with the pixel around it that drawing at another size mixes in. */
function around({ rects, width, height }: Masks): Rect {
  const all = { ...nowhere };
  const at = (i: number) => rects[i] ?? 0;
  for (let i = 0; i < rects.length; i += 4) {
    const [x0, y0, x1, y1] = [at(i), at(i + 1), at(i + 2), at(i + 3)];
    if (x1 <= x0 || y1 <= y0) continue;
    all.x0 = Math.max(0, Math.min(all.x0, x0 - 1));
    all.y0 = Math.max(0, Math.min(all.y0, y0 - 1));
    all.x1 = Math.min(width, Math.max(all.x1, x1 + 1));
    all.y1 = Math.min(height, Math.max(all.y1, y1 + 1));
  }
  return all;
}

function union(a: Rect, b: Rect): Rect {
  return {
    x0: Math.min(a.x0, b.x0),
    y0: Math.min(a.y0, b.y0),
    x1: Math.max(a.x1, b.x1),
    y1: Math.max(a.y1, b.y1),
  };
}

/** Paints all masks in their classes' colours, the best on top, with an edge around each. */
function compose(out: Uint32Array, masks: Masks, found: Detection[], style: BoxStyle): void {
  const { rects, data } = masks;
  const fillAlpha = Math.round(255 * style.opacity);
  const at = (i: number) => rects[i] ?? 0;
  let start = data.length;
  for (let i = found.length - 1; i >= 0; i--) {
    const [x0, y0, x1, y1] = [at(i * 4), at(i * 4 + 1), at(i * 4 + 2), at(i * 4 + 3)];
    start -= (x1 - x0) * (y1 - y0);
    const [r, g, b] = channelsOf(colourIn(style, found[i]?.classId ?? 0));
    const rgb = r | (g << 8) | (b << 16);
    const [fill, edge] = [(rgb | (fillAlpha << 24)) >>> 0, (rgb | (edgeAlpha << 24)) >>> 0];
    paintOne(out, y0 * masks.width + x0, masks.width, data, start, x1 - x0, y1 - y0, fill, edge);
  }
}

/** A mask of w * h bytes at `from`, which are 0 or 255; its pixels with a neighbour that is not in it are edge. */
function paintOne(
  out: Uint32Array,
  at: number,
  stride: number,
  data: Uint8Array,
  from: number,
  w: number,
  h: number,
  fill: number,
  edge: number,
) {
  for (let y = 0; y < h; y++) {
    const inner = y > 0 && y < h - 1;
    const row = at + y * stride;
    for (let x = 0, k = from + y * w; x < w; x++, k++) {
      if (data[k] === 0) continue;
      const inside = inner && x > 0 && x < w - 1 && around4(data, k, w) !== 0;
      out[row + x] = inside ? fill : edge;
    }
  }
}

function around4(data: Uint8Array, k: number, w: number): number {
  return (data[k - 1] ?? 0) & (data[k + 1] ?? 0) & (data[k - w] ?? 0) & (data[k + w] ?? 0);
}
