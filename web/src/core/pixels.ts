// Gets the pixels of a picture into memory, as RGBA bytes, the cheapest way that
// the browser has. Runs in the worker.

import { SpotterError } from "./errors.ts";
import type { Picture } from "./messages.ts";

/** Gives the place for width * height * 4 bytes. */
export type Room = (width: number, height: number) => Uint8Array<ArrayBufferLike>;

/** Whether this worker can read an ImageBitmap or a VideoFrame at all. */
export const readsPictures = typeof OffscreenCanvas === "function" || convertsFrames();

let converts = convertsFrames();
let canvas: OffscreenCanvas | null = null;

/** Whether VideoFrame.copyTo converts to RGBA: browsers that don't know the option count I420's bytes instead. */
function convertsFrames(): boolean {
  if (typeof VideoFrame !== "function") return false;
  try {
    const init = { format: "I420", codedWidth: 2, codedHeight: 2, timestamp: 0 } as const;
    const frame = new VideoFrame(new Uint8Array(6), init);
    const bytes = frame.allocationSize({ format: "RGBA" });
    frame.close();
    return bytes === 16;
  } catch {
    return false;
  }
}

/**
 * Writes the picture's pixels where `room` says and returns its size there: its own,
 * or less where it has more than `limit` pixels.
 */
export async function readPixels(picture: Picture, limit: number, room: Room) {
  const full = sizeOf(picture);
  const shrink = Math.min(1, Math.sqrt(limit / (full.width * full.height)));
  const width = Math.max(1, Math.floor(full.width * shrink));
  const height = Math.max(1, Math.floor(full.height * shrink));
  if ("data" in picture) {
    if (shrink < 1) throw new SpotterError("memory", `${full.width} x ${full.height} pixels`);
    room(width, height).set(new Uint8Array(picture.data));
  } else if (shrink < 1 || !(await copy(picture, room))) {
    room(width, height).set(draw(picture, width, height));
  }
  return { full, width, height };
}

/** Size of the picture as it is shown. */
export function sizeOf(picture: Picture): { width: number; height: number } {
  return "displayWidth" in picture
    ? { width: picture.displayWidth, height: picture.displayHeight }
    : { width: picture.width, height: picture.height };
}

/** Copies without a canvas; false where that would not give the picture as shown. */
async function copy(picture: ImageBitmap | VideoFrame, room: Room): Promise<boolean> {
  if (!converts) return false;
  const own = "displayWidth" in picture ? null : new VideoFrame(picture, { timestamp: 0, alpha: "discard" });
  const frame = own ?? (picture as VideoFrame);
  try {
    const { width, height } = sizeOf(frame);
    const seen = frame.visibleRect;
    const turned = frame as { rotation?: number; flip?: boolean };
    if (!seen || seen.width !== width || seen.height !== height || turned.rotation || turned.flip) return false;
    const bytes = room(width, height);
    await frame.copyTo(bytes, { format: "RGBA", colorSpace: "srgb", layout: [{ offset: 0, stride: width * 4 }] });
    return true;
  } catch {
    converts = false; // e.g. no copies into shared memory: the canvas serves from now on
    return false;
  } finally {
    own?.close();
  }
}

function draw(picture: ImageBitmap | VideoFrame, width: number, height: number) {
  if (typeof OffscreenCanvas !== "function") throw new SpotterError("unsupported", "no OffscreenCanvas");
  canvas ??= new OffscreenCanvas(width, height);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new SpotterError("memory", "no canvas");
  context.drawImage(picture, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}
