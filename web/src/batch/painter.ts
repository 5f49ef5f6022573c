// Draws pictures with what was found in them, as files and as thumbnails.

import type { Detection, Result } from "../core/detector.ts";
import { Overlay } from "../core/overlay.ts";

/** More pixels than these some browsers' canvases don't have. */
const mostPixels = 16_000_000;

/** A picture's long side at which lines and text are drawn in their own size. */
const usual = 960;

const quality = 0.9;

/** What is drawn. */
export interface Style {
  boxes: boolean;
  labels: boolean;
  name: (detection: Detection) => string;
}

export class Painter {
  private readonly canvas = document.createElement("canvas");
  private readonly overlay = new Overlay();

  /** A JPEG of the picture with its boxes; null where the browser has no room for it. */
  async jpeg(picture: ImageBitmap, result: Result, style: Style): Promise<Blob | null> {
    const shrink = Math.min(1, Math.sqrt(mostPixels / (picture.width * picture.height)));
    this.canvas.width = Math.max(1, Math.floor(picture.width * shrink));
    this.canvas.height = Math.max(1, Math.floor(picture.height * shrink));
    const context = this.canvas.getContext("2d", { alpha: false });
    if (!context) return null;
    const pixelRatio = Math.max(1, Math.max(this.canvas.width, this.canvas.height) / usual);
    this.overlay.paint(context, picture, result, { ...style, masks: true, mirror: false, pixelRatio });
    return new Promise((done) => this.canvas.toBlob(done, "image/jpeg", quality));
  }

  /** Gives the memory back; the next picture takes it anew. */
  rest(): void {
    this.canvas.width = this.canvas.height = 0;
  }
}

/** The middle of a picture, square. */
export function thumbnail(picture: ImageBitmap, side: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const part = Math.min(picture.width, picture.height);
  const [x, y] = [(picture.width - part) / 2, (picture.height - part) / 4];
  canvas.getContext("2d", { alpha: false })?.drawImage(picture, x, y, part, part, 0, 0, side, side);
  return canvas;
}
