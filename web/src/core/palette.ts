// Colours of classes, told apart with any kind of colour vision: the palettes of
// Okabe and Ito (2008) and of Paul Tol (2021), in an order that puts unlike
// colours beside each other. The label always says the class as well.

export const classColours = [
  "#56b4e9",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#f0e442",
  "#d55e00",
  "#0072b2",
  "#ddcc77",
  "#882255",
  "#44aa99",
  "#332288",
  "#bbbbbb",
] as const;

export function colourOf(classId: number): string {
  return classColours[classId % classColours.length] ?? classColours[0];
}

/** Red, green and blue, 0..255. */
export function channelsOf(colour: string): [number, number, number] {
  const n = Number.parseInt(colour.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

/** Black or white, whichever reads better on the colour (WCAG relative luminance). */
export function inkOn(colour: string): string {
  const [r, g, b] = channelsOf(colour).map((c) => {
    const s = c / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}
