// Colours of classes, told apart with any kind of colour vision: the smallest difference
// of two colours as people without red, green or blue cones see them was made as large
// as a search could, and the order puts unlike ones beside each other (palette_test.go
// has the measure). Colour is never the only sign: the label says the class, and classes
// that share a colour differ in their boxes' line.

export const classColours = [
  "#56b4e9",
  "#5500ff",
  "#e69f00",
  "#bb0000",
  "#cceeaa",
  "#007755",
  "#ffee00",
  "#88aa77",
  "#aa0077",
  "#5577ff",
  "#88ffee",
  "#cc5588",
] as const;

/** Dashes and gaps of boxes' lines, in line widths: solid first, then one for each turn of the colours. */
const lines: readonly (readonly number[])[] = [[], [6, 2], [3, 2], [6, 2, 1.5, 2]];

/** The line of a class among classes of so many colours. */
export function lineOf(classId: number, colours: number): readonly number[] {
  return lines[Math.floor(classId / colours) % lines.length] ?? [];
}

export function colourOf(classId: number): string {
  return classColours[classId % classColours.length] ?? classColours[0];
}

/** Red, green and blue, 0..255. */
export function channelsOf(colour: string): [number, number, number] {
  const n = Number.parseInt(colour.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

const inks = new Map<string, string>();

/** Black or white, whichever reads better on the colour; labels ask for it with each frame. */
export function inkOn(colour: string): string {
  const ink = inks.get(colour) ?? luminousInk(colour);
  inks.set(colour, ink);
  return ink;
}

/** By WCAG's relative luminance. */
function luminousInk(colour: string): string {
  const [r, g, b] = channelsOf(colour).map((c) => {
    const s = c / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}
