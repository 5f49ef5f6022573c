// <spotter-view>: shows a picture, a video, the camera or the screen with what is found in it.
// It loads nothing before it can be seen, rests while it can't, and gives all back when removed.

import type {
  Counts,
  SpotterView as Declared,
  Mode,
  ModelInfo,
  ModelSource,
  Progress,
  SnapshotOptions,
} from "../../npm/spotter.d.ts";
import { infoOf, resultOf } from "../api/detector.ts";
import { modeOf } from "../api/mode.ts";
import type { Detection, Result } from "../core/detector.ts";
import { asError, SpotterError } from "../core/errors.ts";
import { readPlaces } from "../track/counters.ts";
import type { SourceKind } from "../view/session.ts";
import { type Attribute, attributeNames, readFlag, readList, readNumber, reflect } from "./attributes.ts";
import { Look } from "./look.ts";
import { Panel } from "./panel.ts";
import type { Button } from "./parts.ts";
import { Player, type PlayerSource, type Settings } from "./player.ts";

/** Where there are no elements (on a server), the module can still be imported. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/** The properties that mirror attributes, but for `model`, which takes more than text. */
type Reflected = Pick<Declared, Exclude<Attribute, "model">>;

/** How long a view may be out of sight before it lets the camera go, in milliseconds. */
const patience = 2000;

/** What needs another source, another engine, or just another look at the frame. */
const ofSource: readonly Attribute[] = ["src", "facing", "width"];
const ofEngine: readonly Attribute[] = ["model", "threads", "base"];
const ofTracks: readonly Attribute[] = ["tracking", "lines", "zones"];

export interface SpotterView extends Reflected {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: define() gives the class these properties
export class SpotterView extends Base {
  static readonly observedAttributes = attributeNames;

  private readonly look = new Look(this);
  private panel: Panel | null = null;
  private player: Player | null = null;
  private given: ModelSource | null = null;
  private opened: PlayerSource | null = null;
  private visibility: IntersectionObserver | null = null;
  private inSight = false;
  /** Whether it should run: asked for, and not stopped since. */
  private wanted = false;
  private running = false;
  private rest = 0;
  private readonly onhide = () => this.update();

  connectedCallback(): void {
    if (!this.panel) {
      const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
      this.panel = new Panel(this, root, (button) => this.press(button));
    }
    if (this.visibility) return; // only moved
    this.wanted = this.wanted || (this.hasAttribute("src") && this.getAttribute("src") !== "screen");
    this.visibility = new IntersectionObserver((entries) => {
      this.inSight = entries.at(-1)?.isIntersecting ?? false;
      this.update();
    });
    this.visibility.observe(this);
    document.addEventListener("visibilitychange", this.onhide);
    this.panel.show(this.state());
  }

  disconnectedCallback(): void {
    queueMicrotask(() => {
      if (!this.isConnected) this.dispose(); // else it has only moved
    });
  }

  attributeChangedCallback(name: Attribute, before: string | null, now: string | null): void {
    if (before === now || !this.visibility) return;
    if (name === "src") {
      this.opened = null;
      this.wanted = now !== null && now !== "screen";
    }
    if (name === "paused") void this.player?.session.setPaused(this.held());
    else if (ofSource.includes(name)) this.restart();
    else if (ofEngine.includes(name)) this.reload();
    else {
      if (ofTracks.includes(name)) this.player?.forget();
      if (this.player) this.player.session.maxRate = readNumber(this, "fps") ?? Number.POSITIVE_INFINITY;
      this.player?.session.refresh();
      this.player?.view.redraw();
    }
    this.update();
    this.panel?.show(this.state());
  }

  /** A model's address, or the model itself. */
  get model(): ModelSource | null {
    return this.given ?? this.getAttribute("model");
  }

  set model(model: ModelSource | null) {
    this.given = typeof model === "string" ? null : (model ?? null);
    if (this.given) this.reload();
    else if (typeof model === "string") this.setAttribute("model", model);
    else this.removeAttribute("model");
  }

  /** Starts what `src` says, or goes on. */
  async start(): Promise<void> {
    this.wanted = true;
    await this.update();
  }

  /** Ends the source; the engine stays for another start. */
  stop(): void {
    this.wanted = false;
    this.running = false;
    this.opened = null;
    this.player?.stop();
    this.panel?.show(this.state());
  }

  pause(): void {
    this.toggleAttribute("paused", true);
  }

  resume(): void {
    this.removeAttribute("paused");
  }

  /** Shows a file or a stream instead of `src`. */
  async open(source: PlayerSource): Promise<void> {
    this.opened = source;
    this.wanted = true;
    this.restart();
    await this.update();
  }

  /** The frame that is shown, at its own size, with its boxes or without. */
  async snapshot({ boxes = true, type = "image/png", quality }: SnapshotOptions = {}): Promise<Blob> {
    const { view } = this.player ?? {};
    const bare = { ...this.settings(), boxes: false, labels: false, masks: false, style: this.look.current };
    const canvas = boxes ? view?.snapshot() : view?.snapshot({ ...bare, guides: [] });
    if (!canvas) throw new SpotterError("bad-source", "nothing is shown");
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, quality));
    if (!blob) throw new SpotterError("memory", "no picture");
    return blob;
  }

  /** How many there are of each class, and what crossed lines and visited zones; null unless tracking. */
  get counts(): Counts | null {
    return this.player?.counts ?? null;
  }

  get mode(): Mode | null {
    const { engine, worker = true } = this.player?.lease ?? {};
    return engine ? modeOf(engine, worker) : null;
  }

  get info(): ModelInfo | null {
    const { engine } = this.player?.lease ?? {};
    return engine ? infoOf(engine) : null;
  }

  /** Runs while it is wanted and can be seen. */
  private async update(): Promise<void> {
    const run = this.wanted && this.inSight && !document.hidden && this.visibility !== null;
    if (run === this.running) return;
    this.running = run;
    clearTimeout(this.rest);
    if (!run) {
      void this.player?.session.setPaused(true);
      this.rest = window.setTimeout(() => this.letGo(), patience);
      return;
    }
    try {
      await this.begin();
    } catch (cause) {
      this.fail(asError(cause, "engine"));
    }
  }

  private async begin(): Promise<void> {
    const player = this.playing();
    const source = this.opened ?? this.getAttribute("src");
    this.panel?.clearError();
    const jobs: Promise<void>[] = [];
    if (!player.lease) jobs.push(this.load(player));
    if (player.session.kind === "none" && source) jobs.push(player.open(source));
    await Promise.all(jobs);
    await player.session.setPaused(this.held());
  }

  private async load(player: Player): Promise<void> {
    this.panel?.progress(null);
    await player.load({
      model: this.model,
      baseURL: this.getAttribute("base") ?? undefined,
      threads: readNumber(this, "threads") ?? undefined,
    });
  }

  /** Out of sight for some time: a camera that nobody looks at is off. */
  private letGo(): void {
    if (!this.running && this.player?.session.kind === "camera") this.player.stop();
  }

  /** Another source. */
  private restart(): void {
    this.running = false;
    this.player?.stop();
  }

  /** Another model. */
  private reload(): void {
    this.running = false;
    this.player?.unload(false);
    void this.update();
  }

  private held(): boolean {
    return readFlag(this, "paused") || !this.running;
  }

  private playing(): Player {
    const { panel } = this;
    if (!panel) throw new Error("BUG: a view runs outside of the document");
    const { stage, canvas, video } = panel.parts;
    this.player ??= new Player(stage, canvas, video, this.look, {
      settings: () => this.settings(),
      progress: (progress) => this.progress(progress),
      ready: () => this.ready(),
      detections: (result, counts) => this.found(result, counts),
      source: (kind) => this.sourceChanged(kind),
      failed: (error) => this.fail(error),
    });
    this.player.session.maxRate = readNumber(this, "fps") ?? Number.POSITIVE_INFINITY;
    return this.player;
  }

  private settings(): Settings {
    return {
      confidence: readNumber(this, "conf") ?? 0.25,
      iou: readNumber(this, "iou") ?? 0.45,
      max: readNumber(this, "max") ?? 300,
      classes: readList(this, "classes"),
      masks: readFlag(this, "masks"),
      boxes: readFlag(this, "boxes"),
      labels: readFlag(this, "labels"),
      tracking: readFlag(this, "tracking"),
      places: { lines: readPlaces(this.getAttribute("lines"), 2), zones: readPlaces(this.getAttribute("zones"), 3) },
      facing: this.getAttribute("facing") === "user" ? "user" : "environment",
      width: readNumber(this, "width") ?? 640,
      name: (detection) => this.labelOf(detection),
    };
  }

  /** Text of a label; pages may put their own function here. */
  labelOf(detection: Pick<Detection, "label" | "score" | "id">): string {
    const own = this.getAttribute("names")
      ?.split(";")
      .map((pair) => pair.split("=").map((part) => part.trim()));
    const name = own?.find(([label]) => label === detection.label)?.[1] ?? detection.label;
    const id = detection.id ? ` #${detection.id}` : "";
    return `${name}${id} ${Math.round(detection.score * 100)}%`;
  }

  private progress(progress: Progress): void {
    this.panel?.progress(progress);
    this.send("progress", progress);
  }

  private ready(): void {
    this.panel?.loaded();
    this.send("ready", { model: this.info, mode: this.mode });
    this.panel?.show(this.state());
  }

  private found(result: Result, counts: Counts | null): void {
    const { masks, tracks = [] } = result;
    this.panel?.found(result);
    this.send("detections", { ...resultOf(result, false), masks, tracks, counts });
  }

  private sourceChanged(kind: SourceKind): void {
    if (kind === "none" && this.running && this.player?.session.kind === "none") this.running = this.wanted = false;
    this.panel?.show(this.state());
  }

  private fail(error: SpotterError): void {
    if (error.code === "aborted") return;
    this.wanted = this.running = false;
    if (["engine", "closed", "memory", "no-worker"].includes(error.code)) this.player?.unload(true);
    this.panel?.fail(error);
    this.send("error", error);
    this.panel?.show(this.state());
  }

  private send(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  private state() {
    const session = this.player?.session;
    return {
      kind: session?.kind ?? "none",
      source: this.opened ? "" : (this.getAttribute("src") ?? ""),
      wanted: this.wanted,
      paused: readFlag(this, "paused"),
      controls: readFlag(this, "controls"),
      cameras: session?.camera?.devices.length ?? 0,
    };
  }

  private press(button: Button): void {
    const work = {
      begin: () => (this.hasAttribute("src") ? this.start() : this.open("camera")),
      retry: () => this.start(),
      stop: async () => this.stop(),
      pause: async () => (readFlag(this, "paused") ? this.resume() : this.pause()),
      flip: async () => this.player?.flip(),
      snapshot: async () => this.panel?.save(await this.snapshot()),
    };
    work[button]().catch((cause: unknown) => this.fail(asError(cause, "engine")));
  }

  private dispose(): void {
    clearTimeout(this.rest);
    this.visibility?.disconnect();
    this.visibility = null;
    document.removeEventListener("visibilitychange", this.onhide);
    this.inSight = this.running = false;
    this.player?.dispose();
    this.player = null;
  }
}

/** Makes the tag known, once a page, however many copies of the module it loads. */
export function define(): void {
  if (!globalThis.customElements || customElements.get("spotter-view")) return;
  reflect(SpotterView.prototype);
  customElements.define("spotter-view", SpotterView);
}
