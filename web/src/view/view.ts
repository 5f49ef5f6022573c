// The canvas: shows a picture with what was found in it, at the stage's resolution.

import type { Result } from "../core/detector.ts";
import type { Picture, RawPicture } from "../core/messages.ts";
import { Overlay, type OverlayOptions } from "../core/overlay.ts";
import { closePicture, sizeOf } from "../core/pixels.ts";

/** What to draw and how; asked for with each drawing. */
export type Look = Omit<OverlayOptions, "mirror" | "pixelRatio">;

/** More pixels than these on the long side cost time and show nothing more. */
const longest = 1920;

export class View {
  mirror = false;
  /** Keeps the canvas at its size, whatever the window does. */
  held = false;
  private readonly context: CanvasRenderingContext2D | null;
  private readonly overlay = new Overlay();
  private picture: ImageBitmap | VideoFrame | HTMLCanvasElement | null = null;
  /** Holds a picture that came as bytes. */
  private bytes: HTMLCanvasElement | null = null;
  private result: Result | null = null;
  private pixelRatio = 1;
  /** The stage in CSS pixels: asking for it with each frame would make the browser lay the page out each time. */
  private room = { width: 0, height: 0 };
  private readonly resizes = new ResizeObserver(() => {
    this.measure();
    this.redraw();
  });

  /** The canvas lies in the stage, which gives the size. */
  constructor(
    private readonly stage: HTMLElement,
    private readonly canvas: HTMLCanvasElement,
    private readonly look: () => Look,
  ) {
    this.context = canvas.getContext("2d", { alpha: false });
    this.measure();
    this.resizes.observe(stage);
    canvas.addEventListener("contextrestored", () => {
      this.overlay.forget();
      this.redraw();
    });
  }

  /** Gives everything back; the view is of no use afterwards. */
  dispose(): void {
    this.resizes.disconnect();
    this.clear();
  }

  /** Shows a picture, which becomes the view's own (bytes are copied); returns the milliseconds it took. */
  show(picture: Picture, result: Result | null): number {
    const start = performance.now();
    const mine = "data" in picture ? this.put(picture) : picture;
    if (mine !== this.picture) this.drop();
    this.picture = mine;
    this.result = result;
    this.redraw();
    return performance.now() - start;
  }

  /** Other findings for the picture that is shown. */
  update(result: Result): number {
    this.result = result;
    return this.redraw();
  }

  /** Gives the picture up, to be looked at; the canvas goes on showing it. */
  take(): ImageBitmap | VideoFrame | null {
    const { picture } = this;
    if (picture instanceof HTMLCanvasElement) return new VideoFrame(picture, { timestamp: 0 });
    this.picture = null;
    return picture;
  }

  clear(): void {
    this.drop();
    this.result = null;
    this.canvas.hidden = true;
  }

  private drop(): void {
    if (!(this.picture instanceof HTMLCanvasElement)) closePicture(this.picture);
    this.picture = null;
  }

  private put({ data, width, height }: RawPicture): HTMLCanvasElement {
    this.bytes ??= document.createElement("canvas");
    if (this.bytes.width !== width) this.bytes.width = width;
    if (this.bytes.height !== height) this.bytes.height = height;
    const context = this.bytes.getContext("2d", { alpha: false });
    context?.putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0);
    return this.bytes;
  }

  /** What is shown, at the picture's own size; null while nothing is. */
  snapshot(look = this.look()): HTMLCanvasElement | null {
    if (!this.picture) return null;
    const canvas = document.createElement("canvas");
    ({ width: canvas.width, height: canvas.height } = sizeOf(this.picture));
    const context = canvas.getContext("2d");
    if (!context) return null;
    const shown = this.canvas.width / this.pixelRatio; // CSS pixels
    const pixelRatio = Math.max(1, canvas.width / Math.max(1, shown));
    this.overlay.paint(context, this.picture, this.result, { ...look, mirror: this.mirror, pixelRatio });
    return canvas;
  }

  redraw(): number {
    if (!this.picture || !this.context) return 0;
    const start = performance.now();
    this.fit(this.picture);
    this.overlay.paint(this.context, this.picture, this.result, {
      ...this.look(),
      mirror: this.mirror,
      pixelRatio: this.pixelRatio,
    });
    if (this.canvas.hidden) this.canvas.hidden = false;
    return performance.now() - start;
  }

  private measure(): void {
    this.room = { width: this.stage.clientWidth, height: this.stage.clientHeight };
  }

  private fit(picture: ImageBitmap | VideoFrame | HTMLCanvasElement): void {
    if (this.held) return;
    const { width, height } = sizeOf(picture);
    const scale = Math.min(this.room.width / width, this.room.height / height) || 1;
    const ratio = Math.min(Math.min(2, devicePixelRatio), longest / (Math.max(width, height) * scale));
    const w = even(width * scale * ratio);
    const h = even(height * scale * ratio);
    this.pixelRatio = ratio;
    if (this.canvas.width !== w) this.canvas.width = w;
    if (this.canvas.height !== h) this.canvas.height = h;
  }
}

/** Video encoders want even sides. */
function even(side: number): number {
  return Math.max(2, 2 * Math.round(side / 2));
}
