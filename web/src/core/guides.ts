// Draws what tracking adds to a picture: the trails of objects, and the lines and zones
// that count them.

import type { Point } from "../track/count.ts";
import type { Followed } from "../track/follow.ts";
import { type BoxStyle, colourIn } from "./style.ts";

/** A line (two points) or a zone (three or more), in pixels of the picture, with what it counted. */
export interface Guide {
  points: readonly Point[];
  text: string;
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;
type Place = (x: number, y: number) => [number, number];

/** The way that each object has come, fading to its beginning. */
export function paintTrails(
  context: Context,
  tracks: readonly Followed[],
  place: Place,
  unit: number,
  style: BoxStyle,
) {
  context.save();
  context.lineCap = "round";
  context.lineWidth = style.lineWidth * unit;
  for (const { trail, classId } of tracks) {
    context.strokeStyle = colourIn(style, classId);
    for (let i = 1; i < trail.length; i++) {
      context.globalAlpha = i / trail.length;
      stroke(context, trail.slice(i - 1, i + 1), place, false);
    }
  }
  context.restore();
}

export function paintGuides(context: Context, guides: readonly Guide[], place: Place, unit: number, style: BoxStyle) {
  context.save();
  for (const { points, text } of guides) {
    const zone = points.length > 2;
    context.setLineDash([8 * unit, 5 * unit]);
    for (const [width, colour] of [
      [5, "rgb(0 0 0 / 50%)"],
      [2.5, "#fff"],
    ] as const) {
      context.lineWidth = width * unit;
      context.strokeStyle = colour;
      stroke(context, points, place, zone);
    }
    paintCount(context, points, text, place, unit, style);
  }
  context.restore();
}

/** The count in the middle of the guide. */
function paintCount(
  context: Context,
  points: readonly Point[],
  text: string,
  place: Place,
  unit: number,
  style: BoxStyle,
) {
  const middle = (k: 0 | 1) => points.reduce((sum, p) => sum + p[k], 0) / points.length;
  const [x, y] = place(middle(0), middle(1));
  const size = style.fontSize * unit;
  context.font = `600 ${size}px ${style.font}`;
  const width = context.measureText(text).width + size;
  context.fillStyle = "rgb(0 0 0 / 70%)";
  context.fillRect(x - width / 2, y - size * 0.85, width, size * 1.7);
  context.fillStyle = "#fff";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, x, y);
}

function stroke(context: Context, points: readonly Point[], place: Place, closed: boolean): void {
  context.beginPath();
  points.forEach(([x, y], i) => {
    if (i === 0) context.moveTo(...place(x, y));
    else context.lineTo(...place(x, y));
  });
  if (closed) context.closePath();
  context.stroke();
}
