// What a view shows: joins a source, a share in an engine, tracking and the canvas.

import type { Counts, Progress } from "../../npm/spotter.d.ts";
import type { Facing } from "../core/camera.ts";
import { another } from "../core/camera.ts";
import type { Detection, Result } from "../core/detector.ts";
import { asError, SpotterError } from "../core/errors.ts";
import { Counters, type Places } from "../track/counters.ts";
import { Follower } from "../track/follow.ts";
import { Session, type SourceKind } from "../view/session.ts";
import { View } from "../view/view.ts";
import { Lease, type Wanted } from "./engines.ts";
import type { Look } from "./look.ts";

/** "camera", "screen", the address of a picture or video, or the thing itself. */
export type PlayerSource = string | Blob | MediaStream;

/** What to look for and to show; read anew with each frame. */
export interface Settings {
  confidence: number;
  iou: number;
  max: number;
  classes: readonly string[] | null;
  masks: boolean;
  boxes: boolean;
  labels: boolean;
  tracking: boolean;
  places: Places;
  facing: Facing;
  /** Width asked of a camera. */
  width: number;
  name: (detection: Detection) => string;
}

export interface PlayerListener {
  settings(): Settings;
  progress(progress: Progress): void;
  ready(lease: Lease): void;
  /** A result is on the canvas. */
  detections(result: Result, counts: Counts | null): void;
  /** The source has changed. */
  source(kind: SourceKind): void;
  failed(error: SpotterError): void;
}

/** Masks of live frames are computed on a grid of at most this long a side. */
const liveMaskSide = 480;

export class Player {
  readonly session: Session;
  readonly view: View;
  lease: Lease | null = null;
  private follower: Follower | null = null;
  private counters: Counters | null = null;
  private opening = new AbortController();
  /** The screen, which is shared until we let it go. */
  private shared: MediaStream | null = null;
  private device = "";
  private facing: Facing | null = null;

  constructor(
    stage: HTMLElement,
    canvas: HTMLCanvasElement,
    video: HTMLVideoElement,
    private readonly look: Look,
    private readonly listener: PlayerListener,
  ) {
    this.view = new View(stage, canvas, () => this.looks());
    this.session = new Session(video, this.view, {
      options: (live) => this.options(live),
      refine: (result, live, time) => this.refine(result, live, time),
      source: () => listener.source(this.session.kind),
      shown: (shown) => shown && listener.detections(shown.result, this.counters?.counts ?? null),
      failed: (error) => listener.failed(error),
    });
  }

  /** Takes a share in an engine; resolves when it runs. */
  async load(wanted: Wanted): Promise<void> {
    if (this.lease) return;
    const lease = new Lease(wanted, {
      progress: (progress) => this.listener.progress(progress),
      changed: () => this.lease === lease && this.listener.ready(lease),
    });
    this.lease = lease;
    try {
      await lease.ready();
      if (this.lease !== lease) return;
      this.session.ready(lease);
      this.listener.ready(lease);
    } catch (cause) {
      if (this.lease !== lease) return;
      this.unload(true);
      throw cause;
    }
  }

  /** Lets the engine go; `broken` where no other view should get it. */
  unload(broken: boolean): void {
    if (broken) this.lease?.discard();
    else this.lease?.release();
    this.lease = null;
    this.session.ready(null);
  }

  async open(source: PlayerSource): Promise<void> {
    this.leave();
    this.opening = new AbortController();
    const { facing, width } = this.listener.settings();
    if (source === "camera") {
      const height = Math.round((width * 3) / 4);
      await this.session.openCamera({ facing: this.facing ?? facing, device: this.device, height });
    } else if (source === "screen") {
      this.shared = await screen();
      await this.session.openStream(this.shared);
    } else if (typeof source === "string") {
      await this.session.openAddress(new URL(source, document.baseURI).href, this.opening.signal);
    } else if (source instanceof MediaStream) await this.session.openStream(source);
    else await this.session.open(source);
  }

  /** Goes on to another camera. */
  async flip(): Promise<void> {
    const { camera } = this.session;
    if (!camera) return;
    ({ device: this.device, facing: this.facing } = another(camera));
    await this.open("camera");
  }

  stop(): void {
    this.leave();
    this.session.stop();
  }

  /** Ends what belongs to the source before. */
  private leave(): void {
    this.opening.abort();
    this.forget();
    for (const track of this.shared?.getTracks() ?? []) track.stop();
    this.shared = null;
  }

  dispose(): void {
    this.stop();
    this.unload(false);
    this.view.dispose();
  }

  /** Other settings: forgets tracks and counts. */
  forget(): void {
    this.follower = null;
    this.counters = null;
  }

  get counts(): Counts | null {
    return this.counters?.counts ?? null;
  }

  private options(live: boolean) {
    const s = this.listener.settings();
    const options = {
      confidence: s.confidence,
      iou: s.iou,
      max: s.max,
      classes: s.classes && this.ids(s.classes),
      masks: s.masks ? (live ? liveMaskSide : Number.POSITIVE_INFINITY) : 0,
    };
    if (!live || !s.tracking) {
      this.forget();
      return options;
    }
    this.follower ??= new Follower(s.confidence);
    this.follower.confidence = s.confidence;
    return this.follower.options(options);
  }

  private refine(result: Result, live: boolean, time: number): Result {
    if (!live || !this.follower) return result;
    const followed = this.follower.update(result, time);
    const { width, height } = result;
    if (this.counters?.width !== width || this.counters.height !== height) {
      this.counters = new Counters(this.listener.settings().places, width, height);
    }
    this.counters.update(followed.tracks);
    return followed;
  }

  private looks() {
    const { boxes, labels, masks, name } = this.listener.settings();
    return { boxes, labels, masks, name, style: this.look.current, guides: this.counters?.guides ?? [] };
  }

  /** Ids of the classes that the model knows by these names or ids. */
  private ids(wanted: readonly string[]): number[] {
    const names = (this.lease?.engine?.manifest.classes ?? []).map((name) => name.toLowerCase());
    return wanted.flatMap((text) => {
      const id = /^\d+$/.test(text) ? Number(text) : names.indexOf(text.toLowerCase());
      return id >= 0 && id < names.length ? [id] : [];
    });
  }
}

async function screen(): Promise<MediaStream> {
  if (!navigator.mediaDevices?.getDisplayMedia) throw new SpotterError("camera-unsupported");
  try {
    return await navigator.mediaDevices.getDisplayMedia({ video: true });
  } catch (cause) {
    throw cause instanceof Error && cause.name === "NotAllowedError"
      ? new SpotterError("camera-denied", cause.message)
      : asError(cause, "camera-unsupported");
  }
}
