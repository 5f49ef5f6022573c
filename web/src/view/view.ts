// The canvas: shows a picture with what was found in it, at the stage's resolution.

import type { Result } from "../core/detector.ts";
import { Overlay, type OverlayOptions } from "../core/overlay.ts";

/** What to draw and how; asked for with each drawing. */
export type Look = Omit<OverlayOptions, "mirror" | "pixelRatio">;

/** More pixels than these on the long side cost time and show nothing more. */
const longest = 1920;

export type Picture = ImageBitmap | VideoFrame;

export class View {
  mirror = false;
  /** Keeps the canvas at its size, whatever the window does. */
  held = false;
  private readonly context: CanvasRenderingContext2D | null;
  private readonly overlay = new Overlay();
  private picture: Picture | null = null;
  private result: Result | null = null;
  private pixelRatio = 1;
  private readonly resizes = new ResizeObserver(() => this.redraw());

  /** The canvas lies in the stage, which gives the size. */
  constructor(
    private readonly stage: HTMLElement,
    private readonly canvas: HTMLCanvasElement,
    private readonly look: () => Look,
  ) {
    this.context = canvas.getContext("2d", { alpha: false });
    this.resizes.observe(stage);
  }

  /** Gives everything back; the view is of no use afterwards. */
  dispose(): void {
    this.resizes.disconnect();
    this.clear();
  }

  /** Shows a picture, which becomes the view's own; returns the milliseconds it took. */
  show(picture: Picture, result: Result | null): number {
    if (picture !== this.picture) this.picture?.close();
    this.picture = picture;
    this.result = result;
    return this.redraw();
  }

  /** Other findings for the picture that is shown. */
  update(result: Result): number {
    this.result = result;
    return this.redraw();
  }

  /** Gives the picture up, to be looked at; the canvas goes on showing it. */
  take(): Picture | null {
    const picture = this.picture;
    this.picture = null;
    return picture;
  }

  clear(): void {
    this.picture?.close();
    this.picture = null;
    this.result = null;
    this.canvas.hidden = true;
  }

  /** What is shown, at the picture's own size; null while nothing is. */
  snapshot(look = this.look()): HTMLCanvasElement | null {
    if (!this.picture) return null;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = sizeOf(this.picture);
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
    this.canvas.hidden = false;
    return performance.now() - start;
  }

  private fit(picture: Picture): void {
    if (this.held) return;
    const [width, height] = sizeOf(picture);
    const scale = Math.min(this.stage.clientWidth / width, this.stage.clientHeight / height) || 1;
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

function sizeOf(picture: Picture): [width: number, height: number] {
  return "displayWidth" in picture ? [picture.displayWidth, picture.displayHeight] : [picture.width, picture.height];
}
