// Reads the pixels of live frames in the page, into buffers that travel to the engine and come back
// to be drawn. Workers can read frames too, but without a GPU browsers let the page's thread convert
// them: a worker waits for it, and the page would convert each frame again to draw it.

import type { RawPicture } from "./messages.ts";
import { convertsFrames, copyPixels, isPlain } from "./pixels.ts";

/** Frames of more pixels stay as they are: copying them to and fro costs more than it saves. */
const most = 1920 * 1200;
/** One buffer is with the engine while the other is drawn. */
const kept = 2;

export class Reader {
  private reads = convertsFrames();
  private readonly free: ArrayBuffer[] = [];

  /** A frame's pixels; null where the engine had better get the frame itself. The frame remains the caller's. */
  async read(frame: ImageBitmap | VideoFrame): Promise<RawPicture | null> {
    if (!this.reads || !("displayWidth" in frame) || !isPlain(frame)) return null;
    const { displayWidth: width, displayHeight: height } = frame;
    if (width * height > most) return null;
    const since = performance.now();
    const data = this.buffer(width * height * 4);
    const bytes = new Uint8Array(data);
    try {
      await copyPixels(frame, bytes);
    } catch {
      this.reads = false;
    }
    this.reads &&= bytes[3] === 255; // else the canvas would show nothing
    return this.reads ? { data, width, height, took: performance.now() - since } : null;
  }

  /** Takes a picture's buffer back, to be filled again. */
  recycle({ data }: RawPicture): void {
    if (this.free.length === kept) this.free.shift();
    this.free.push(data);
  }

  private buffer(bytes: number): ArrayBuffer {
    const free = this.free.pop();
    return free?.byteLength === bytes ? free : new ArrayBuffer(bytes);
  }
}
