// The canvas: shows a picture with what was found in it, at the stage's resolution.

import type { Detection, Result } from "../core/detector.ts";
import { Overlay } from "../core/overlay.ts";
import { className, percent } from "../i18n/i18n.ts";
import { $ } from "./dom.ts";
import { settings } from "./settings.ts";

/** More pixels than these on the long side cost time and show nothing more. */
const longest = 1920;

export type Shown = ImageBitmap | VideoFrame;

export class View {
  readonly canvas = $<HTMLCanvasElement>("canvas");
  mirror = false;
  private readonly stage = $("stage");
  private readonly context = this.canvas.getContext("2d", { alpha: false });
  private readonly overlay = new Overlay();
  private picture: Shown | null = null;
  private result: Result | null = null;
  private pixelRatio = 1;

  constructor() {
    new ResizeObserver(() => this.redraw()).observe(this.stage);
  }

  /** Shows a picture, which becomes the view's own; returns the milliseconds it took. */
  show(picture: Shown, result: Result | null): number {
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
  take(): Shown | null {
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

  redraw(): number {
    if (!this.picture || !this.context) return 0;
    const start = performance.now();
    this.fit(this.picture);
    this.overlay.paint(this.context, this.picture, this.result, {
      boxes: settings.boxes,
      labels: settings.labels,
      masks: settings.masks,
      mirror: this.mirror,
      pixelRatio: this.pixelRatio,
      name: labelOf,
    });
    this.canvas.hidden = false;
    return performance.now() - start;
  }

  private fit(picture: Shown): void {
    const width = "displayWidth" in picture ? picture.displayWidth : picture.width;
    const height = "displayHeight" in picture ? picture.displayHeight : picture.height;
    const scale = Math.min(this.stage.clientWidth / width, this.stage.clientHeight / height) || 1;
    const ratio = Math.min(Math.min(2, devicePixelRatio), longest / (Math.max(width, height) * scale));
    const w = Math.max(1, Math.round(width * scale * ratio));
    const h = Math.max(1, Math.round(height * scale * ratio));
    this.pixelRatio = ratio;
    if (this.canvas.width !== w) this.canvas.width = w;
    if (this.canvas.height !== h) this.canvas.height = h;
  }
}

export function labelOf(detection: Detection): string {
  return `${className(detection.label)} ${percent(detection.score)}`;
}
