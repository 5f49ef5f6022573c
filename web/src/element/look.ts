// Reads the look of boxes from the CSS around the element.

import { classColours } from "../core/palette.ts";
import { type BoxStyle, plainStyle } from "../core/style.ts";

const forms: readonly string[] = ["round", "square", "corners", "none"];

/** How long a reading holds, in milliseconds: asking for styles with each frame costs time. */
const fresh = 500;

export class Look {
  private style: BoxStyle = plainStyle;
  private text = "";
  private read = -Infinity;
  private probe: CanvasRenderingContext2D | null = null;

  constructor(private readonly host: HTMLElement) {}

  /** The same object as long as nothing has changed. */
  get current(): BoxStyle {
    const now = performance.now();
    if (now - this.read < fresh) return this.style;
    this.read = now;
    const css = getComputedStyle(this.host);
    const value = (name: string) => css.getPropertyValue(`--spotter-${name}`).trim();
    const names = ["boxes", "line-width", "font", "font-size", "mask-opacity", "colors"] as const;
    const text = names.map(value).join("|");
    if (text === this.text) return this.style;
    this.text = text;
    const [boxes = "", lineWidth = "", font = "", fontSize = "", opacity = "", colours = ""] = names.map(value);
    this.style = {
      form: (forms.includes(boxes) ? boxes : plainStyle.form) as BoxStyle["form"],
      lineWidth: numberOr(lineWidth, plainStyle.lineWidth),
      font: font || plainStyle.font,
      fontSize: numberOr(fontSize, plainStyle.fontSize),
      opacity: Math.min(1, numberOr(opacity, plainStyle.opacity)),
      colours: this.colours(colours),
    };
    return this.style;
  }

  /** Looks again with the next drawing. */
  refresh(): void {
    this.read = -Infinity;
  }

  /** Colours in any form that CSS has, without spaces inside, as #rrggbb. */
  private colours(text: string): readonly string[] {
    this.probe ??= document.createElement("canvas").getContext("2d");
    const list = text.split(/\s+(?![^(]*\))/).flatMap((name) => {
      if (!this.probe || !name || !CSS.supports("color", name)) return [];
      this.probe.fillStyle = name;
      return /^#[0-9a-f]{6}$/i.test(this.probe.fillStyle) ? [this.probe.fillStyle] : [];
    });
    return list.length > 0 ? list : classColours;
  }
}

function numberOr(text: string, instead: number): number {
  const value = Number.parseFloat(text);
  return value >= 0 ? value : instead;
}
