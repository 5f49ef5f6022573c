// Frames of a playing video element, each once, as they are shown.

/** Calls `take` with each new frame until the returned function is called. `take` owns the frame. */
export function watchFrames(video: HTMLVideoElement, take: (frame: ImageBitmap | VideoFrame) => void): () => void {
  let stopped = false;
  let pending = 0;
  let seen = -1;
  /** A frame is on show that could not be read: after a seek it comes before the element is ready to give it. */
  let missed = false;
  const precise = typeof video.requestVideoFrameCallback === "function";

  const next = () => {
    pending = precise ? video.requestVideoFrameCallback(show) : requestAnimationFrame(show);
  };
  const bring = async () => {
    const time = video.currentTime;
    const frame = await grab(video);
    missed = !frame;
    if (frame) seen = time;
    if (stopped) frame?.close();
    else if (frame) take(frame);
  };
  const show = async () => {
    if (stopped) return;
    if (precise || video.currentTime !== seen) await bring();
    if (!stopped) next();
  };
  const seeked = () => {
    if (missed) void bring();
  };
  video.addEventListener("seeked", seeked);
  next();
  return () => {
    stopped = true;
    video.removeEventListener("seeked", seeked);
    if (precise) video.cancelVideoFrameCallback(pending);
    else cancelAnimationFrame(pending);
  };
}

/** The frame that the video shows now; null where there is none yet. */
export async function grab(video: HTMLVideoElement): Promise<ImageBitmap | VideoFrame | null> {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0) return null;
  try {
    if (typeof VideoFrame === "function") return new VideoFrame(video);
    return await createImageBitmap(video);
  } catch {
    return null; // between two streams the element has a size but no frame
  }
}
