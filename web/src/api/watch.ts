// Detection on a video or a stream: the newest frame whenever the caller asks for one.

import type { Detection, Frame, MaskKind, WatchOptions } from "../../npm/spotter.d.ts";
import type { Result } from "../core/detector.ts";
import { asError, isRestart, SpotterError } from "../core/errors.ts";
import { Frames } from "../core/frames.ts";
import type { DetectOptions } from "../core/messages.ts";
import { Follower } from "../track/follow.ts";
import { resultOf } from "./detector.ts";
import { engineOptions } from "./options.ts";

type Picture = ImageBitmap | VideoFrame;
type Find = (picture: Picture, options: DetectOptions) => Promise<Result>;

export async function* watch<K extends MaskKind | false>(
  source: HTMLVideoElement | MediaStream,
  options: WatchOptions<K>,
  classes: readonly string[],
  find: Find,
): AsyncGenerator<Frame<K>, void, undefined> {
  const wanted = engineOptions(options, classes);
  const follower = options.tracking ? new Follower(wanted.confidence) : null;
  const frames = new Newest(options.fps, options.signal);
  const close = await frames.start(source);
  try {
    for (;;) {
      const next = await frames.next();
      if (!next) return;
      const found = await find(next.picture, follower ? follower.options(wanted) : wanted).catch(nullIfRestarted);
      if (!found) continue;
      const result = follower ? follower.update(found, next.time) : found;
      const picture = found.picture as Picture;
      try {
        const { time, dropped } = next;
        yield { ...resultOf(result, options.masks), picture, time, dropped, tracks: (result.tracks ?? []).map(copyOf) };
      } finally {
        picture.close();
      }
    }
  } finally {
    close();
  }
}

/** A frame that went with its worker is as if it had been dropped. */
function nullIfRestarted(cause: unknown): null {
  if (isRestart(cause)) return null;
  throw cause;
}

function copyOf<T extends { box: Detection["box"]; trail: [number, number][] }>(track: T): T {
  return { ...track, box: [...track.box], trail: track.trail.map(([x, y]) => [x, y]) };
}

/** Tracks that the page itself stops send no event: how often to look, in milliseconds. */
const lookAgain = 250;

interface Shown {
  picture: Picture;
  time: number;
  dropped: number;
}

/** Keeps the newest frame until it is asked for. */
class Newest {
  private frame: Shown | null = null;
  private dropped = 0;
  private taken = 0;
  private ended = false;
  private tracks: MediaStreamTrack[] = [];
  private wake: (() => void) | null = null;

  constructor(
    private readonly fps: number | undefined,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Begins to take frames; the function returned ends that and gives everything back. */
  async start(source: HTMLVideoElement | MediaStream): Promise<() => void> {
    if (this.signal?.aborted) throw new SpotterError("aborted");
    const own = source instanceof MediaStream;
    const video = own ? videoOf(source) : source;
    const end = () => {
      this.ended = true;
      this.wake?.();
    };
    const tracks = own ? source.getVideoTracks() : [];
    for (const track of tracks) track.addEventListener("ended", end);
    video.addEventListener("ended", end);
    this.signal?.addEventListener("abort", end);
    const frames = new Frames(video, (picture) => {
      this.take(picture);
      frames.ask();
    });
    frames.ask();
    const close = () => {
      frames.stop();
      for (const track of tracks) track.removeEventListener("ended", end);
      video.removeEventListener("ended", end);
      this.signal?.removeEventListener("abort", end);
      if (own) video.srcObject = null;
      this.frame?.picture.close();
      this.frame = null;
    };
    if (own) {
      await video.play().catch((cause: unknown) => {
        close();
        throw asError(cause, "bad-video");
      });
    }
    this.tracks = tracks;
    return close;
  }

  /** The newest frame, as soon as there is one; null when there will be none. */
  async next(): Promise<Shown | null> {
    while (!this.frame && !this.over) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, lookAgain);
      });
    }
    if (this.signal?.aborted) throw new SpotterError("aborted");
    if (this.over && this.tracks.length > 0) return null; // a stopped stream may show one more, black
    const frame = this.frame;
    this.frame = null;
    this.dropped = 0;
    return frame;
  }

  private get over(): boolean {
    return this.ended || (this.tracks.length > 0 && this.tracks.every((t) => t.readyState === "ended"));
  }

  private take(picture: Picture): void {
    const time = performance.now() / 1000;
    if (this.fps && time - this.taken < 0.9 / this.fps) {
      picture.close();
      return;
    }
    this.taken = time;
    if (this.frame) {
      this.frame.picture.close();
      this.dropped++;
    }
    this.frame = { picture, time, dropped: this.dropped };
    this.wake?.();
  }
}

function videoOf(stream: MediaStream): HTMLVideoElement {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  return video;
}
