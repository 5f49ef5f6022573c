// Makes a frame of its own out of whatever shows a picture, so that the worker can
// take it away and the caller's picture stays as it is.

import type { Source } from "../../npm/spotter.d.ts";
import { asError, SpotterError } from "../core/errors.ts";

export async function pictureOf(source: Source): Promise<ImageBitmap | VideoFrame> {
  try {
    return await copy(source);
  } catch (cause) {
    if (cause instanceof Error && cause.name === "SecurityError") throw new SpotterError("tainted", cause.message);
    throw asError(cause, source instanceof Blob ? "bad-picture" : "bad-source");
  }
}

function copy(source: Source): Promise<ImageBitmap | VideoFrame> | ImageBitmap | VideoFrame {
  if (typeof VideoFrame === "function" && source instanceof VideoFrame) return source.clone();
  if (source instanceof HTMLVideoElement) return frameOf(source);
  if (source instanceof HTMLImageElement) return decoded(source);
  if (source === null || typeof source !== "object") throw new SpotterError("bad-source", String(source));
  return createImageBitmap(source as ImageBitmapSource);
}

function frameOf(video: HTMLVideoElement): Promise<ImageBitmap> | VideoFrame {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0) {
    throw new SpotterError("bad-source", "the video has no frame yet");
  }
  return typeof VideoFrame === "function" ? new VideoFrame(video) : createImageBitmap(video);
}

async function decoded(image: HTMLImageElement): Promise<ImageBitmap> {
  if (!image.complete || image.naturalWidth === 0) {
    await image.decode().catch(() => {
      throw new SpotterError("bad-source", image.currentSrc || "an img without src");
    });
  }
  return createImageBitmap(image);
}
