// How boxes, labels and masks look.

import { classColours } from "./palette.ts";

/** How boxes look; lengths in CSS pixels. */
export interface BoxStyle {
  form: "round" | "square" | "corners" | "none";
  lineWidth: number;
  /** Family of labels, as CSS writes it. */
  font: string;
  fontSize: number;
  /** Of masks, 0..1. */
  opacity: number;
  /** #rrggbb of each class in turn. */
  colours: readonly string[];
}

export const plainStyle: BoxStyle = {
  form: "round",
  lineWidth: 2.5,
  font: "system-ui, sans-serif",
  fontSize: 13,
  opacity: 0.45,
  colours: classColours,
};

export function colourIn(style: BoxStyle, classId: number): string {
  return style.colours[classId % style.colours.length] ?? classColours[0];
}
