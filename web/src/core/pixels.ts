// Gets the pixels of a picture into memory, as RGBA bytes, the cheapest way that
// the browser has. Runs in the worker, and for live frames in the page (reader.ts).

import { SpotterError } from "./errors.ts";
import type { Picture } from "./messages.ts";

/** Gives the place for width * height * 4 bytes. */
export type Room = (width: number, height: number) => Uint8Array<ArrayBufferLike>;

/** Whether this worker can read an ImageBitmap or a VideoFrame at all. */
export const readsPictures = typeof OffscreenCanvas === "function" || convertsFrames();

let converts = convertsFrames();
let canvas: OffscreenCanvas | null = null;

/** Whether VideoFrame.copyTo converts to RGB: browsers that don't know the option count I420's bytes instead. */
export function convertsFrames(): boolean {
  if (typeof VideoFrame !== "function") return false;
  try {
    const init = { format: "I420", codedWidth: 2, codedHeight: 2, timestamp: 0 } as const;
    const frame = new VideoFrame(new Uint8Array(6), init);
    const bytes = frame.allocationSize({ format: "RGBX" });
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
    const bytes = new Uint8ClampedArray(picture.data);
    if (shrink === 1) room(width, height).set(bytes);
    else {
      const bitmap = await createImageBitmap(new ImageData(bytes, full.width, full.height));
      room(width, height).set(draw(bitmap, width, height));
      bitmap.close();
    }
  } else if (shrink < 1 || !(await copy(picture, room))) {
    room(width, height).set(draw(picture, width, height));
  }
  return { full, width, height };
}

/** Size of the picture as it is shown. */
export function sizeOf(picture: Picture | HTMLCanvasElement): { width: number; height: number } {
  return "displayWidth" in picture
    ? { width: picture.displayWidth, height: picture.displayHeight }
    : { width: picture.width, height: picture.height };
}

/** Gives back what a picture holds beside plain memory. */
export function closePicture(picture: Picture | null): void {
  if (picture && "close" in picture) picture.close();
}

/** Copies without a canvas; false where that would not give the picture as shown. */
async function copy(picture: ImageBitmap | VideoFrame, room: Room): Promise<boolean> {
  if (!converts) return false;
  const { width, height } = sizeOf(picture);
  const bytes = room(width, height);
  const own = "displayWidth" in picture ? null : new VideoFrame(picture, { timestamp: 0, alpha: "discard" });
  const frame = own ?? (picture as VideoFrame);
  try {
    if (!isPlain(frame)) return false;
    await copyPixels(frame, bytes);
    return true;
  } catch {
    converts = false; // e.g. no copies into shared memory: the canvas serves from now on
    return false;
  } finally {
    own?.close();
  }
}

/** Whether the frame is shown as its pixels lie: nothing is cut off, stretched or turned. */
export function isPlain(frame: VideoFrame): boolean {
  const seen = frame.visibleRect;
  const { rotation, flip } = frame as { rotation?: number; flip?: boolean };
  return seen?.width === frame.displayWidth && seen.height === frame.displayHeight && !rotation && !flip;
}

/** Copies a plain frame's pixels; the fourth byte is of no use, and conversion without it takes a third of the time. */
export async function copyPixels(frame: VideoFrame, to: Uint8Array<ArrayBufferLike>): Promise<void> {
  const stride = frame.displayWidth * 4;
  await frame.copyTo(to, { format: "RGBX", colorSpace: "srgb", layout: [{ offset: 0, stride }] });
}

function draw(picture: ImageBitmap | VideoFrame, width: number, height: number) {
  if (typeof OffscreenCanvas !== "function") throw new SpotterError("unsupported", "no OffscreenCanvas");
  canvas ??= new OffscreenCanvas(width, height);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new SpotterError("memory", "no canvas");
  if (context.isContextLost?.()) {
    canvas = null; // the next frame gets another
    throw new SpotterError("memory", "the canvas was lost");
  }
  context.drawImage(picture, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}
