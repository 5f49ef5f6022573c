// Draws a picture with what was found in it: masks, boxes and labels lie over the
// very frame they belong to, because frame and boxes are drawn together.

import type { Detection, Result } from "./detector.ts";
import { type Guide, paintGuides, paintTrails } from "./guides.ts";
import { MaskLayer } from "./masklayer.ts";
import { inkOn, lineOf } from "./palette.ts";
import { type BoxStyle, colourIn, plainStyle } from "./style.ts";

export interface OverlayOptions {
  boxes: boolean;
  labels: boolean;
  masks: boolean;
  /** Flip left and right, as in a mirror; text stays readable. */
  mirror: boolean;
  /** Device pixels of one CSS pixel, for line and text sizes. */
  pixelRatio: number;
  /** Text of a label. */
  name: (detection: Detection) => string;
  style?: BoxStyle;
  /** Lines and zones to show over the picture. */
  guides?: readonly Guide[];
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

export class Overlay {
  private masks = new MaskLayer();

  /** Fills the whole canvas; `result` null draws the picture alone. */
  paint(context: Context, picture: CanvasImageSource, result: Result | null, options: OverlayOptions): void {
    const { width, height } = context.canvas;
    context.save();
    if (options.mirror) context.setTransform(-1, 0, 0, 1, width, 0);
    context.drawImage(picture, 0, 0, width, height);
    const style = options.style ?? plainStyle;
    if (result?.masks && options.masks)
      this.masks.paint(context, width, height, result.masks, result.detections, style);
    context.restore();
    if (!result) return;
    const place = placing(context, result, options.mirror);
    if (options.guides) paintGuides(context, options.guides, place, options.pixelRatio, style);
    if (result.tracks) paintTrails(context, result.tracks, place, options.pixelRatio, style);
    for (let i = result.detections.length - 1; i >= 0; i--) {
      const detection = result.detections[i];
      if (detection?.whole) paintClass(context, detection, i, options);
      else if (detection) paintBox(context, detection, width / result.width, height / result.height, options);
    }
  }

  /** Draws all anew next time: the browser took canvases back. */
  forget(): void {
    this.masks = new MaskLayer();
  }
}

/** Where a point of the picture lies on the canvas. */
function placing(context: Context, result: Result, mirror: boolean): (x: number, y: number) => [number, number] {
  const { width, height } = context.canvas;
  const [sx, sy] = [width / result.width, height / result.height];
  return (x, y) => [mirror ? width - x * sx : x * sx, y * sy];
}

function paintBox(context: Context, found: Detection, sx: number, sy: number, options: OverlayOptions): void {
  const { width } = context.canvas;
  const { style = plainStyle, pixelRatio: unit } = options;
  let [x1, y1, x2, y2] = found.box;
  [x1, y1, x2, y2] = [x1 * sx, y1 * sy, x2 * sx, y2 * sy];
  if (options.mirror) [x1, x2] = [width - x2, width - x1];
  const colour = colourIn(style, found.classId);
  if (options.boxes && style.form !== "none") {
    if (style.form === "corners") corners(context, x1, y1, x2 - x1, y2 - y1);
    else outline(context, x1, y1, x2 - x1, y2 - y1, style.form === "round" ? 6 * unit : 0);
    context.lineWidth = 2 * style.lineWidth * unit;
    context.strokeStyle = "rgb(0 0 0 / 45%)";
    context.stroke();
    context.lineWidth = style.lineWidth * unit;
    context.strokeStyle = colour;
    context.setLineDash(lineOf(found.classId, style.colours.length).map((part) => part * context.lineWidth));
    context.stroke();
    context.setLineDash([]);
  }
  if (options.labels) paintLabel(context, options.name(found), colour, x1, y1, unit, style);
}

/** A class of the whole picture: tags in a column, the likeliest on top. */
function paintClass(context: Context, found: Detection, i: number, options: OverlayOptions): void {
  const { style = plainStyle, pixelRatio: unit } = options;
  const y = (i + 1) * style.fontSize * 1.9 * unit + 8 * unit;
  if (options.labels)
    paintLabel(context, options.name(found), colourIn(style, found.classId), 10 * unit, y, unit, style);
}

/** A tag above the box's corner, or inside it where there is no room above. */
function paintLabel(
  context: Context,
  text: string,
  colour: string,
  x: number,
  y: number,
  unit: number,
  style: BoxStyle,
) {
  const size = style.fontSize * unit;
  context.font = `600 ${size}px ${style.font}`;
  const tagWidth = context.measureText(text).width + size;
  const tagHeight = size * 1.65;
  const left = Math.max(0, Math.min(x - 1.25 * unit, context.canvas.width - tagWidth));
  const top = y - tagHeight - 2 * unit >= 0 ? y - tagHeight - 2 * unit : Math.max(0, y) + 3 * unit;
  outline(context, left, top, tagWidth, tagHeight, 5 * unit);
  context.fillStyle = colour;
  context.fill();
  context.fillStyle = inkOn(colour);
  context.textBaseline = "middle";
  context.fillText(text, left + size / 2, top + tagHeight / 2 + unit * 0.5);
}

function outline(context: Context, x: number, y: number, w: number, h: number, radius: number): void {
  context.beginPath();
  if (context.roundRect) context.roundRect(x, y, w, h, Math.min(radius, w / 2, h / 2));
  else context.rect(x, y, w, h);
}

/** The four corners of a box, each a fifth of the shorter side long. */
function corners(context: Context, x: number, y: number, w: number, h: number): void {
  const arm = Math.min(w, h) / 5;
  context.beginPath();
  for (const [cx, cy, dx, dy] of [
    [x, y, arm, arm],
    [x + w, y, -arm, arm],
    [x + w, y + h, -arm, -arm],
    [x, y + h, arm, -arm],
  ] as const) {
    context.moveTo(cx + dx, cy);
    context.lineTo(cx, cy);
    context.lineTo(cx, cy + dy);
  }
}
