// The page's side of a detector: promises over the worker that holds the engine.

import type { Followed } from "../track/follow.ts";
import type { Manifest } from "./abi.ts";
import { build } from "./build.ts";
import type { Model, Variant } from "./catalog.ts";
import { asError, type ErrorCode, isRestart, SpotterError } from "./errors.ts";
import { readOnPage, transferables } from "./handover.ts";
import type {
  DetectOptions,
  Found,
  FromWorker,
  Inspection,
  Look,
  Masks,
  Picture,
  Timings,
  ToWorker,
} from "./messages.ts";
import { closePicture } from "./pixels.ts";
import { type Port, workerPort } from "./port.ts";
import { type Capabilities, capabilities, ranked, startThreads } from "./probe.ts";
import { Pulse } from "./pulse.ts";

/** Address of the worker's script, relative to this one; the build fills it in. */
declare const WORKER_URL: string;

export interface LoadOptions {
  signal?: AbortSignal;
  onprogress?: (loaded: number, total: number) => void;
  /** Threads to start with; by default as many as help. */
  threads?: number;
  /** Name of a cache that keeps the model's files on the device, so that they are downloaded once. */
  cache?: string;
  /** Run this variant rather than the fastest that the browser can. */
  variant?: Variant;
  /** Where the engine runs rather than in this bundle's own worker; `blocking` where it must not use threads. */
  host?: { open: () => Port; blocking: boolean };
}

export interface Detection {
  classId: number;
  label: string;
  score: number;
  /** x1 y1 x2 y2 in pixels of the picture. */
  box: [number, number, number, number];
  /** The class is that of the whole picture: a classifier found it. */
  whole?: boolean;
  /** Identity over frames, where they are tracked. */
  id?: number | null;
}

export interface Result {
  width: number;
  height: number;
  detections: Detection[];
  masks: Masks | null;
  timings: Timings;
  /** Milliseconds from call to answer. */
  total: number;
  /** The very picture that was looked at; whoever takes the result closes it. */
  picture: Picture | null;
  /** Objects followed over frames, where a tracker looked at the result. */
  tracks?: Followed[];
}

export const defaults: DetectOptions = { confidence: 0.25, iou: 0.45, max: 300, classes: null, masks: Infinity };

/** Errors after which a simpler variant may still run: no room for shared memory, an instruction not known after all. */
const startFailures: ErrorCode[] = ["memory", "bad-module", "engine"];

/** Seconds that a worker may take for its first word, and between two later ones besides its work. */
const firstWord = 60;
const nextWord = 20;

/** Multiply-adds a second that the slowest devices do; they must not be taken for dead. */
const slowest = 2e8;

/** A worker is started anew at most so often a minute. */
const restartsAMinute = 3;

interface Waiting {
  resolve: (result: Result) => void;
  reject: (error: SpotterError) => void;
  since: number;
}

export class Detector {
  readonly model: Model;
  readonly variant: Variant;
  readonly capabilities: Capabilities;
  manifest!: Manifest;
  threads = 1;
  /** Why there are fewer threads than were wanted: they did not start, or one was lost. */
  fallback: "" | "start" | "lost" = "";
  /** Whether the picture that `again` looks at is the last one given: a worker started anew has seen none. */
  remembers = false;
  /** Called when something changed by itself: the number of threads, or the worker. */
  onchange: ((what: "threads" | "restarted") => void) | null = null;
  private worker: Port;
  private pulse: Pulse;
  private heard = false;
  private readonly restarts: number[] = [];
  private readonly waiting = new Map<number, Waiting>();
  private readonly inspecting = new Map<
    number,
    { resolve: (found: Inspection) => void; reject: (error: SpotterError) => void; runs: number }
  >();
  private readsPictures = true;
  private closed: SpotterError | null = null;
  private nextId = 1;
  private onready: (() => void) | null = null;
  private onthreads: (() => void) | null = null;
  /** Threads asked for. */
  private wanted = 1;

  private constructor(
    model: Model,
    can: Capabilities,
    variant: Variant,
    private readonly options: LoadOptions,
  ) {
    this.model = model;
    this.variant = variant;
    this.capabilities = can;
    [this.worker, this.pulse] = this.open();
  }

  /** Loads a model in the fastest variant that runs here; where one fails to start, the next is tried. */
  static async load(model: Model, options: LoadOptions = {}): Promise<Detector> {
    const can = { ...capabilities(), ...(options.host?.blocking ? { threads: false } : {}) };
    const variants = options.variant ? [options.variant] : ranked(model.variants, can);
    let failure = new SpotterError("unsupported");
    for (const variant of variants) {
      try {
        return await Detector.loadVariant(model, can, variant, options);
      } catch (cause) {
        failure = asError(cause, "engine");
        if (!startFailures.includes(failure.code)) break;
      }
    }
    throw failure;
  }

  private static async loadVariant(model: Model, can: Capabilities, variant: Variant, options: LoadOptions) {
    if (options.signal?.aborted) throw new SpotterError("aborted");
    const detector = new Detector(model, can, variant, options);
    const abort = () => detector.shut(new SpotterError("aborted"));
    options.signal?.addEventListener("abort", abort);
    try {
      await detector.start(options.threads ?? (variant.features.includes("threads") ? startThreads(can, 64) : 1));
      return detector;
    } catch (cause) {
      detector.close();
      throw cause;
    } finally {
      options.signal?.removeEventListener("abort", abort);
    }
  }

  private open(): [Port, Pulse] {
    const port = (this.options.host?.open ?? ownWorker)();
    const pulse = new Pulse({
      patience: () => this.patience(),
      ask: () => this.send({ kind: "ask" }),
      lost: (detail) => this.lost(detail),
    });
    this.heard = false;
    port.onmessage = ({ data }) => {
      this.heard = true;
      pulse.heard();
      this.receive(data);
    };
    port.onerror = (event) => {
      event.preventDefault?.();
      this.lost(event.message ?? "");
    };
    return [port, pulse];
  }

  /** Has the worker load the model; resolves when it is ready. */
  private start(threads: number): Promise<void> {
    const { variant: module, model, options } = this;
    const ready = new Promise<void>((resolve, reject) => {
      this.onready = resolve;
      this.waiting.set(0, { resolve: () => {}, reject, since: 0 });
    });
    this.wanted = threads;
    this.send({
      kind: "load",
      module: module.data ?? module.url,
      weights: model.weights.data ?? model.weights.url,
      bytes: module.bytes + model.weights.bytes,
      ...(options.cache ? { cache: options.cache } : {}),
      threads,
    });
    return ready;
  }

  /** The worker is gone, or does not answer. What was in work went with it; another takes over. */
  private lost(detail: string): void {
    if (this.closed) return;
    if (this.manifest && this.mayRestart()) this.restart(detail);
    else this.shut(new SpotterError(this.heard ? "engine" : "no-worker", detail));
  }

  private mayRestart(): boolean {
    const now = performance.now();
    while (now - (this.restarts[0] ?? now) > 60_000) this.restarts.shift();
    return this.restarts.push(now) <= restartsAMinute;
  }

  private restart(detail: string): void {
    this.leave(new SpotterError("restarted", detail));
    this.remembers = false;
    [this.worker, this.pulse] = this.open();
    this.start(this.threads).then(
      () => this.onchange?.("restarted"),
      (cause) => isRestart(cause) || this.shut(asError(cause, "engine")),
    );
  }

  /** Seconds that the worker may be silent now. */
  private patience(): number {
    if (!this.heard) return firstWord;
    if (this.waiting.size + this.inspecting.size === 0) return 0;
    const runs = Math.max(1, ...[...this.inspecting.values()].map((i) => i.runs));
    return nextWord + (runs * (this.manifest?.macs ?? 0)) / slowest;
  }

  /**
   * Detects on a picture, which moves to the worker and comes back with the result.
   * After an abort the promise is rejected at once, and the picture is closed when the engine is done with it.
   */
  detect(picture: Picture, options: Partial<DetectOptions> = {}, signal?: AbortSignal) {
    if (this.closed || signal?.aborted) closePicture(picture);
    return this.ask(signal, (id) => {
      const readable = this.readsPictures || "data" in picture;
      const { given, kept } = readable ? { given: picture, kept: null } : readOnPage(picture);
      this.send({ kind: "run", id, picture: given, options: { ...defaults, ...options } }, transferables(given));
      return kept;
    });
  }

  /** Boxes of the picture that was detected on last, anew with other options: takes no run of the network. */
  again(options: Partial<DetectOptions> = {}, signal?: AbortSignal): Promise<Result> {
    return this.ask(signal, (id) => {
      this.send({ kind: "again", id, options: { ...defaults, ...options } });
      return null;
    });
  }

  /** Looks into the network, at the picture that was detected on last. */
  inspect(look: Look): Promise<Inspection> {
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(this.closed);
      const id = this.nextId++;
      this.inspecting.set(id, { resolve, reject, runs: "runs" in look ? look.runs : 1 });
      this.send({ kind: "inspect", id, look });
    });
  }

  /** Sets the threads, where the variant has them; resolves when it is done. */
  setThreads(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.onthreads = resolve;
      this.wanted = Math.min(count, this.manifest.memory.maxThreads);
      this.send({ kind: "threads", count });
    });
  }

  /** Ends the worker and gives its memory back. What is in work is rejected. */
  close(): void {
    this.shut(new SpotterError("closed"));
  }

  private ask(signal: AbortSignal | undefined, send: (id: number) => ImageBitmap | VideoFrame | null) {
    const id = this.nextId++;
    return new Promise<Result>((resolve, reject) => {
      if (this.closed) return reject(this.closed);
      if (signal?.aborted) return reject(new SpotterError("aborted"));
      let kept: ImageBitmap | VideoFrame | null = null;
      const abort = () => {
        this.waiting.delete(id);
        reject(new SpotterError("aborted"));
      };
      const done = () => signal?.removeEventListener("abort", abort);
      signal?.addEventListener("abort", abort);
      this.waiting.set(id, {
        since: performance.now(),
        resolve: (result) => {
          done();
          resolve(kept ? { ...result, picture: kept } : result);
        },
        reject: (error) => {
          done();
          kept?.close();
          reject(error);
        },
      });
      try {
        kept = send(id);
      } catch (cause) {
        const hidden = cause instanceof Error && cause.name === "DataCloneError"; // pixels of another site
        this.take(id)?.reject(asError(cause, hidden ? "tainted" : "bad-source"));
      }
    });
  }

  private send(message: ToWorker, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
    this.pulse.wait();
  }

  private receive(message: FromWorker): void {
    if (message.kind === "progress") this.options.onprogress?.(message.loaded, message.total);
    else if (message.kind === "alive") void this.pulse.follow(message.lock);
    else if (message.kind === "ready") this.ready(message);
    else if (message.kind === "threads") {
      this.threads = message.threads;
      this.fallback = message.lost ? "lost" : message.threads < this.wanted ? "start" : "";
      if (message.lost) this.onchange?.("threads");
      this.onthreads?.();
    } else if (message.kind === "inspected") {
      this.inspecting.get(message.id)?.resolve(message.found);
      this.inspecting.delete(message.id);
    } else if (message.kind === "failed") {
      const error = new SpotterError(message.code as ErrorCode, message.detail);
      (this.take(message.id) ?? this.inspecting.get(message.id))?.reject(error);
      this.inspecting.delete(message.id);
    } else if (message.kind === "result") {
      const waiting = this.take(message.id);
      if (!waiting) {
        closePicture(message.picture); // called off meanwhile
        return;
      }
      const { found, picture } = message;
      this.remembers = true;
      waiting.resolve({
        width: found.width,
        height: found.height,
        detections: detectionsOf(found, this.manifest),
        masks: found.masks,
        timings: found.timings,
        total: performance.now() - waiting.since,
        picture,
      });
    }
  }

  private ready(message: Extract<FromWorker, { kind: "ready" }>): void {
    const { manifest, threads, readsPictures } = message;
    if (message.build !== build) {
      this.shut(new SpotterError("mismatch", `script of build ${build}, worker of build ${message.build}`));
      return;
    }
    Object.assign(this, { manifest, threads, readsPictures });
    if (threads < Math.min(this.wanted, manifest.memory.maxThreads)) this.fallback = "start";
    this.take(0);
    this.onready?.();
  }

  private take(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    return waiting;
  }

  private shut(error: SpotterError): void {
    if (this.closed) return;
    this.closed = error;
    this.leave(error);
  }

  /** Ends the worker, and says so to all who wait for it. */
  private leave(error: SpotterError): void {
    this.pulse.stop();
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
    for (const { reject } of this.inspecting.values()) reject(error);
    this.inspecting.clear();
    this.onthreads?.();
  }
}

function ownWorker(): Port {
  return workerPort(new URL(WORKER_URL, import.meta.url));
}

function detectionsOf(found: Found, { classes, task }: Manifest): Detection[] {
  const list: Detection[] = [];
  const { width, height, records } = found;
  const at = (i: number) => records[i] ?? 0;
  for (let i = 0; i < records.length; i += 6) {
    const [score, classId] = [at(i + 4), at(i + 5)];
    const label = classes[classId] ?? String(classId);
    if (task === "classify") list.push({ classId, label, score, box: [0, 0, width, height], whole: true });
    else list.push({ classId, label, score, box: [at(i), at(i + 1), at(i + 2), at(i + 3)] });
  }
  return list;
}
