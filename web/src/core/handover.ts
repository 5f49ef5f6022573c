// How pictures cross from the page to the worker.

import { SpotterError } from "./errors.ts";
import type { Picture } from "./messages.ts";

/** For browsers whose workers can't read pictures: a canvas of the page does it. */
export function readOnPage(picture: ImageBitmap | VideoFrame): { given: Picture; kept: ImageBitmap | VideoFrame } {
  const width = "displayWidth" in picture ? picture.displayWidth : picture.width;
  const height = "displayHeight" in picture ? picture.displayHeight : picture.height;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new SpotterError("memory", "no canvas");
  context.drawImage(picture, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return { given: { data: data.buffer as ArrayBuffer, width, height, took: 0 }, kept: picture };
}

export function transferables(picture: Picture): Transferable[] {
  return ["data" in picture ? picture.data : picture];
}
