// Records what a canvas shows.

import { withDuration } from "./webm.ts";

/** Why a recording ended: it was asked to, its source ended, a limit was reached, or the browser failed. */
export type End = "asked" | "source" | "time" | "size" | "failed";

export interface Clip {
  data: Blob;
  ending: "mp4" | "webm";
  seconds: number;
  end: End;
  /** The browser's words on a failure. */
  detail: string;
}

export interface Limits {
  seconds: number;
  bytes: number;
}

/** Best first: H.264 plays everywhere and is cheap to make. */
const types = [
  "video/mp4;codecs=avc1.640034",
  "video/mp4;codecs=avc1.42E01E",
  "video/webm;codecs=vp9",
  "video/webm;codecs=vp8",
  "video/webm",
];

/** The types in which this browser records canvases; none where it can't. */
export function recordable(): string[] {
  if (typeof MediaRecorder !== "function" || !("captureStream" in HTMLCanvasElement.prototype)) return [];
  return types.filter((type) => MediaRecorder.isTypeSupported(type));
}

/** Data comes in pieces as long as this, so that a failure costs no more than one. */
const pieceMs = 1000;

export class Recording {
  /** What was recorded, also after a failure. */
  readonly done: Promise<Clip>;
  private readonly recorder: MediaRecorder;
  private readonly pieces: Blob[] = [];
  private bytes = 0;
  private end: End | null = null;
  private detail = "";
  /** Seconds recorded before the last pause, and when it ended. */
  private before = 0;
  private since = performance.now();
  private finish: () => void = () => {};

  /** Starts at once; throws where the browser refuses. `tell` gets the seconds so far, now and then. */
  constructor(
    canvas: HTMLCanvasElement,
    private readonly type: string,
    private readonly limits: Limits,
    tell: (seconds: number) => void,
  ) {
    const stream = canvas.captureStream();
    const rate = Math.min(8e6, Math.max(2.5e6, canvas.width * canvas.height * 4)); // bits a second
    this.recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: rate });
    this.recorder.ondataavailable = ({ data }) => this.take(data);
    this.recorder.onerror = (event) => this.fail((event as Event & { error?: DOMException }).error);
    this.done = new Promise<void>((resolve) => {
      this.finish = resolve;
      this.recorder.onstop = () => {
        this.rest();
        this.end ??= "source"; // the browser ended it
        resolve();
      };
    }).then(() => this.clip());
    this.recorder.start(pieceMs);
    const timer = setInterval(() => {
      tell(this.seconds);
      if (this.seconds >= limits.seconds) this.stop("time");
    }, 200);
    document.addEventListener("visibilitychange", this.follow);
    void this.done.finally(() => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", this.follow);
      for (const track of stream.getTracks()) track.stop();
    });
  }

  get seconds(): number {
    return this.before + (this.recorder.state === "recording" ? (performance.now() - this.since) / 1000 : 0);
  }

  stop(end: End): void {
    if (this.recorder.state === "inactive") return;
    this.end ??= end;
    this.rest();
    this.recorder.stop();
  }

  /** Pages that nobody sees are not drawn: their time is left out. */
  private readonly follow = () => {
    if (document.hidden && this.recorder.state === "recording") {
      this.rest();
      this.recorder.pause();
    } else if (!document.hidden && this.recorder.state === "paused") {
      this.recorder.resume();
      this.since = performance.now();
    }
  };

  private rest(): void {
    this.before = this.seconds;
    this.since = performance.now();
  }

  private take(data: Blob): void {
    if (data.size === 0) return;
    this.pieces.push(data);
    this.bytes += data.size;
    if (this.bytes >= this.limits.bytes) this.stop("size");
  }

  private fail(cause: unknown): void {
    this.end ??= "failed";
    this.detail = cause instanceof Error ? cause.message : String(cause ?? "");
    if (this.recorder.state === "inactive") this.finish();
    else this.stop("failed");
  }

  private async clip(): Promise<Clip> {
    const type = (this.recorder.mimeType || this.type).replace(/;.*/, "");
    const ending = type === "video/mp4" ? "mp4" : "webm";
    const seconds = this.before;
    const data = new Blob(this.pieces, { type });
    return {
      data: ending === "webm" ? await withDuration(data, seconds) : data,
      ending,
      seconds,
      end: this.end ?? "failed",
      detail: this.detail,
    };
  }
}
