// What is being looked at: nothing, a picture, a video or the camera. Frames go to
// the detector one at a time, the newest first; the view draws each with its own boxes.

import { type Camera, type CameraChoice, openCamera } from "../core/camera.ts";
import type { Result } from "../core/detector.ts";
import { asError, isRestart, SpotterError } from "../core/errors.ts";
import { request } from "../core/fetch.ts";
import { Frames, grab } from "../core/frames.ts";
import { Latest } from "../core/latest.ts";
import type { DetectOptions, Picture } from "../core/messages.ts";
import { closePicture } from "../core/pixels.ts";
import { Reader } from "../core/reader.ts";
import type { View } from "./view.ts";

export type SourceKind = "none" | "picture" | "video" | "camera" | "stream";

/** What looks at pictures: a detector, or a share in one. */
export interface Finder {
  /** Whether `again` would look at the picture that this session sent last. */
  readonly remembers: boolean;
  detect(picture: Picture, options: DetectOptions): Promise<Result>;
  again(options: DetectOptions): Promise<Result>;
}

/** A frame to look at, or null for the last one again. */
interface Job {
  picture: Picture | null;
  of: number;
}

/** What a result was: live frames follow each other; fresh ones ran through the network. */
export interface Shown {
  result: Result;
  draw: number;
  live: boolean;
  fresh: boolean;
}

/** Whom a session tells. */
export interface Listener {
  /** What to look for, asked for with each frame. */
  options(live: boolean): DetectOptions;
  /** Adds to a result before it is drawn; the time is in seconds. */
  refine?(result: Result, live: boolean, time: number): Result;
  /** The source has changed. */
  source(): void;
  /** A frame with its findings is on the canvas; null when a source has ended. */
  shown(shown: Shown | null): void;
  failed(error: SpotterError): void;
}

export class Session {
  kind: SourceKind = "none";
  camera: Camera | null = null;
  /** Name of the file that is shown; empty where it is none. */
  name = "";
  /** Frames a second at most. */
  maxRate = Infinity;
  private detector: Finder | null = null;
  /** Counts sources, so that late results of an earlier one are known as such. */
  private source = 0;
  private frames: Frames | null = null;
  private readonly reader = new Reader();
  /** The last frame's pixels are being read. */
  private reading: Promise<void> = Promise.resolve();
  private address = "";
  /** The file of the picture. */
  private file: Blob | null = null;
  /** When the last frame was taken, on the clock of performance.now(). */
  taken = -Infinity;
  /** The timer that asks for the next where they are not to be too many. */
  private asking = 0;
  private running: Promise<unknown> = Promise.resolve();
  readonly jobs = new Latest<Job>(
    (job) => {
      const work = this.work(job);
      this.running = work;
      return work;
    },
    (job) => this.release(job.picture),
  );

  constructor(
    readonly video: HTMLVideoElement,
    private readonly view: View,
    private readonly listener: Listener,
  ) {}

  /** Takes the detector once it is loaded, or gives it up; a picture that waits for it is looked at now. */
  ready(detector: Finder | null): void {
    this.detector = detector;
    if (!detector) return;
    if (this.kind === "picture" || this.kind === "video") this.look(this.view.take());
  }

  /** Exchanges the detector once the frame in work is done: then the one before may be closed. */
  async replace(detector: Finder): Promise<void> {
    this.ready(null);
    await this.running;
    this.ready(detector);
  }

  get live(): boolean {
    return this.moving && !this.video.paused;
  }

  /** Whether a frame was asked for and has not come yet. */
  get due(): boolean {
    return this.frames?.due ?? false;
  }

  /** Whether the source is one of frames. */
  private get moving(): boolean {
    return this.kind === "camera" || this.kind === "video" || this.kind === "stream";
  }

  /** Opens a picture or a video, whichever the file is. What is shown stays where that fails. */
  async open(file: Blob): Promise<void> {
    const mine = ++this.source;
    if (file.type.startsWith("video/")) return this.openVideo(URL.createObjectURL(file), mine, nameOf(file));
    await this.openPicture(file, mine);
  }

  /** Opens what lies at an address; videos play as they arrive. */
  async openAddress(url: string, signal: AbortSignal): Promise<void> {
    const mine = ++this.source;
    const response = await request(url, signal);
    const type = response.headers.get("content-type") ?? "";
    if (type.startsWith("video/")) {
      await response.body?.cancel();
      if (mine === this.source) await this.openVideo(url, mine);
    } else {
      const file = await response.blob().catch((cause: unknown) => {
        throw asError(cause, "network");
      });
      await this.openPicture(file, mine);
    }
  }

  /** Watches a stream that someone else opened, until it ends. */
  async openStream(stream: MediaStream): Promise<void> {
    const mine = ++this.source;
    this.leave();
    stream.getVideoTracks()[0]?.addEventListener("ended", () => {
      if (mine === this.source) this.stop();
    });
    this.view.mirror = false;
    this.video.srcObject = stream;
    await this.play("stream", mine);
  }

  /** Stops frames, or lets them go on. */
  async setPaused(paused: boolean): Promise<void> {
    if (!this.moving) return;
    if (paused) this.video.pause();
    else await this.video.play().catch(() => {}); // the source has gone meanwhile
  }

  private async openPicture(file: Blob, mine: number): Promise<void> {
    const picture = await createImageBitmap(file).catch(() => {
      throw new SpotterError("bad-picture");
    });
    if (mine !== this.source) return picture.close();
    this.leave();
    this.view.mirror = false;
    this.name = nameOf(file);
    this.file = file;
    this.enter("picture");
    this.view.show(picture, null); // until it was looked at
    if (this.detector) this.look(this.view.take());
  }

  async openCamera(choice: CameraChoice): Promise<void> {
    const mine = ++this.source;
    this.camera?.stop(); // phones give one camera at a time
    try {
      const camera = await openCamera(choice);
      if (mine !== this.source) return camera.stop();
      this.leave();
      this.use(camera);
    } catch (cause) {
      if (mine !== this.source) return;
      if (this.kind === "camera") this.stop();
      throw cause;
    }
    await this.play("camera", mine);
  }

  /** Back to nothing; gives camera and memory back. */
  stop(): void {
    this.source++;
    this.leave();
    this.view.clear();
    this.listener.source();
  }

  /** Settings have changed: looks at what is shown again, unless the next frame comes anyway. */
  refresh(): void {
    if (!this.live && this.kind !== "none" && this.detector && !this.jobs.waiting) {
      this.jobs.offer({ picture: null, of: this.source });
    }
  }

  private async openVideo(url: string, mine: number, name = ""): Promise<void> {
    this.leave();
    this.name = name;
    if (url.startsWith("blob:")) this.address = url;
    this.video.src = url;
    this.view.mirror = false;
    await this.play("video", mine);
  }

  private use(camera: Camera): void {
    this.camera = camera;
    camera.onlost = (error) => {
      this.stop();
      this.listener.failed(error);
    };
    this.view.mirror = camera.facing === "user";
    this.video.srcObject = camera.stream;
  }

  private async play(kind: "video" | "camera" | "stream", mine: number): Promise<void> {
    try {
      await this.video.play();
    } catch (cause) {
      if (mine !== this.source) return;
      this.stop();
      throw asError(cause, kind === "camera" ? "camera-busy" : "bad-video");
    }
    if (this.address) await findEnd(this.video);
    if (mine !== this.source) return;
    this.enter(kind);
    this.frames = new Frames(this.video, (frame) => this.take(frame));
    this.frames.ask();
  }

  /** Ends the source before. */
  private leave(): void {
    this.frames?.stop();
    this.frames = null;
    clearTimeout(this.asking);
    this.camera?.stop();
    this.camera = null;
    this.jobs.clear();
    this.video.pause();
    this.video.srcObject = null;
    this.video.removeAttribute("src");
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = "";
    this.name = "";
    this.file = null;
    this.kind = "none";
    this.listener.shown(null);
  }

  private enter(kind: SourceKind): void {
    this.kind = kind;
    this.listener.source();
  }

  /** Asks for the next frame, as late as the rate wants it; resolves when it is read, if it is there already. */
  private ask(): Promise<void> {
    clearTimeout(this.asking);
    const wait = this.taken + 900 / this.maxRate - performance.now();
    if (wait > 0) this.asking = window.setTimeout(() => this.frames?.ask(), wait);
    else this.frames?.ask();
    return this.reading;
  }

  private take(frame: ImageBitmap | VideoFrame): void {
    this.taken = performance.now();
    this.reading = this.read(frame, this.source);
  }

  private async read(frame: ImageBitmap | VideoFrame, of: number): Promise<void> {
    const pixels = this.detector && (await this.reader.read(frame));
    if (pixels) frame.close();
    const picture = pixels ?? frame;
    if (of !== this.source) this.release(picture);
    else if (this.detector) this.jobs.offer({ picture, of });
    else {
      this.show(picture, null); // until the model is here, at least the picture
      void this.ask();
    }
  }

  private look(picture: Picture | null): void {
    if (picture) this.jobs.offer({ picture, of: this.source });
  }

  /** Looks at a picture; gives back what shows the findings, to be called while the engine has the next frame. */
  private async work({ picture, of }: Job): Promise<(() => void) | null> {
    const result = await this.find(picture, of).catch((cause: unknown) => {
      if (isRestart(cause)) void this.replaceFrame(of);
      else if (of === this.source) this.listener.failed(asError(cause, "engine"));
      return null;
    });
    await this.ask();
    if (result && of === this.source) return () => this.present(result, picture !== null);
    this.release(result?.picture ?? null);
    return null;
  }

  private async find(picture: Picture | null, of: number): Promise<Result | null> {
    const { detector } = this;
    if (!detector || of !== this.source) {
      if (picture && of === this.source) this.show(picture, null);
      else this.release(picture);
      return null;
    }
    const options = this.listener.options(this.kind !== "picture");
    const shown = picture ?? (detector.remembers ? null : this.view.take());
    if (!shown) return detector.remembers ? detector.again(options) : null;
    const result = await detector.detect(shown, options);
    if ("data" in shown) {
      result.timings.pixels += shown.took;
      result.total += shown.took;
    }
    return result;
  }

  /** A frame went with the engine that had it: what is not live is looked at again. */
  private async replaceFrame(of: number): Promise<void> {
    if (this.live || of !== this.source) return;
    const picture = this.file ? await createImageBitmap(this.file).catch(() => null) : await grab(this.video);
    if (picture && of === this.source) this.jobs.offer({ picture, of });
    else picture?.close();
  }

  private present(found: Result, fresh: boolean): void {
    const live = this.kind !== "picture";
    const result = this.listener.refine?.(found, live, performance.now() / 1000) ?? found;
    const draw = result.picture ? this.show(result.picture, result) : this.view.update(result);
    this.listener.shown({ result, draw, live, fresh });
  }

  private show(picture: Picture, result: Result | null): number {
    const took = this.view.show(picture, result);
    if ("data" in picture) this.reader.recycle(picture);
    return took;
  }

  private release(picture: Picture | null): void {
    if (picture && "data" in picture) this.reader.recycle(picture);
    else closePicture(picture);
  }
}

/** Clips that a browser recorded may not say how long they are, and can't be sought: their end has to be looked for. */
async function findEnd(video: HTMLVideoElement): Promise<void> {
  if (Number.isFinite(video.duration)) return;
  const heard = new AbortController();
  const found = new Promise((resolve) => {
    for (const event of ["seeked", "error", "emptied"])
      video.addEventListener(event, resolve, { signal: heard.signal });
  });
  video.currentTime = Number.MAX_SAFE_INTEGER;
  await found;
  heard.abort();
  video.currentTime = 0;
}

function nameOf(file: Blob): string {
  return file instanceof File ? file.name : "";
}
