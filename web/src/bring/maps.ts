// Draws feature maps as pictures: every channel a tile, its own range in shades.

import type { FeatureMap } from "../core/messages.ts";

/** More tiles than these show nothing more. */
const most = 256;
const gap = 1;
/** Wished width of the whole picture in pixels. */
const wide = 720;

export interface Drawn {
  tiles: number;
  channels: number;
}

/** Fills the canvas with the channels of a map. */
export function drawMap(canvas: HTMLCanvasElement, map: FeatureMap): Drawn {
  const { width, height, channels } = map;
  const tiles = Math.min(channels, most);
  const columns = Math.min(tiles, Math.max(1, Math.ceil(Math.sqrt((tiles * height) / width))));
  const rows = Math.ceil(tiles / columns);
  canvas.width = columns * (width + gap) - gap;
  canvas.height = rows * (height + gap) - gap;
  const image = new ImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let c = 0; c < tiles; c++) {
    const corner = Math.floor(c / columns) * (height + gap) * canvas.width + (c % columns) * (width + gap);
    tile(pixels.subarray(corner), canvas.width, map, c);
  }
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  canvas.style.setProperty("width", `${Math.min(canvas.width * Math.max(1, Math.floor(wide / canvas.width)), wide)}px`);
  return { tiles, channels };
}

function tile(out: Uint32Array, stride: number, { width, height, channels, data }: FeatureMap, channel: number): void {
  let [low, high] = [Infinity, -Infinity];
  for (let i = channel; i < data.length; i += channels) {
    const v = data[i] ?? 0;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  const scale = high > low ? 255 / (high - low) : 0;
  for (let y = 0, i = channel; y < height; y++) {
    for (let x = 0; x < width; x++, i += channels) {
      out[y * stride + x] = shades[Math.round(((data[i] ?? 0) - low) * scale)] ?? 0;
    }
  }
}

/** 256 shades from dark blue over green to yellow, rising evenly in lightness. */
const shades = Uint32Array.from({ length: 256 }, (_, i) => {
  const stops = [
    [13, 20, 60],
    [30, 84, 130],
    [26, 140, 130],
    [110, 190, 90],
    [250, 232, 90],
  ];
  const at = (i / 255) * (stops.length - 1);
  const k = Math.min(stops.length - 2, Math.floor(at));
  const [r = 0, g = 0, b = 0] = (stops[k] ?? []).map((v, c) =>
    Math.round(v + ((stops[k + 1]?.[c] ?? v) - v) * (at - k)),
  );
  return r | (g << 8) | (b << 16) | (255 << 24);
});
