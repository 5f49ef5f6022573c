// Frames of a playing video element: the newest when asked for one, and none twice.

export class Frames {
  private readonly precise: boolean;
  private pending = 0;
  /** A frame is on show that has not been given. */
  private fresh = false;
  private wanted = false;
  private stopped = false;
  private seen = -1;

  /** `take` gets each frame that is asked for, and owns it. */
  constructor(
    private readonly video: HTMLVideoElement,
    private readonly take: (frame: ImageBitmap | VideoFrame) => void,
  ) {
    this.precise = typeof video.requestVideoFrameCallback === "function";
    video.addEventListener("seeked", this.give);
    this.listen();
  }

  /** Asks for one frame: the newest at once where it has not been given yet, else the next. */
  ask(): void {
    this.wanted = true;
    this.give();
  }

  /** Whether one was asked for and has not come yet. */
  get due(): boolean {
    return this.wanted;
  }

  stop(): void {
    this.stopped = true;
    this.video.removeEventListener("seeked", this.give);
    if (this.precise) this.video.cancelVideoFrameCallback(this.pending);
    else cancelAnimationFrame(this.pending);
  }

  /** Waits for the next frame, once: frames that nobody would take cost nothing. */
  private listen(): void {
    if (this.pending) return;
    this.pending = this.precise ? this.video.requestVideoFrameCallback(this.shown) : requestAnimationFrame(this.shown);
  }

  private readonly shown = () => {
    this.pending = 0;
    this.fresh = this.precise || this.video.currentTime !== this.seen;
    if (this.fresh) this.give();
    else this.listen();
  };

  /** After a seek a frame may be on show before the element is ready to give it: then it is given when that is done. */
  private readonly give = () => {
    if (!this.fresh || !this.wanted || this.stopped) return;
    const frame = grab(this.video);
    if (!frame) return this.listen();
    this.fresh = this.wanted = false;
    this.seen = this.video.currentTime;
    if (frame instanceof Promise) void frame.then((f) => this.hand(f));
    else this.hand(frame);
  };

  private hand(frame: ImageBitmap | VideoFrame | null): void {
    if (this.stopped) {
      frame?.close();
      return;
    }
    this.listen();
    if (frame) this.take(frame);
    else this.wanted = true;
  }
}

/** The frame that the video shows now; null where there is none yet. */
export function grab(video: HTMLVideoElement): VideoFrame | Promise<ImageBitmap | null> | null {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0) return null;
  if (typeof VideoFrame !== "function") return createImageBitmap(video).catch(() => null);
  try {
    return new VideoFrame(video);
  } catch {
    return null; // between two streams the element has a size but no frame
  }
}
