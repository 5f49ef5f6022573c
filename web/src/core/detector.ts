// The page's side of a detector: promises over the worker that holds the engine.

import type { Followed } from "../track/follow.ts";
import type { Manifest } from "./abi.ts";
import { build } from "./build.ts";
import type { Model, Variant } from "./catalog.ts";
import { asError, type ErrorCode, SpotterError } from "./errors.ts";
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
  /** The picture that `again` looks at is the last one given. */
  readonly remembers = true;
  private readonly worker: Port;
  private readonly waiting = new Map<number, Waiting>();
  private readonly inspecting = new Map<
    number,
    { resolve: (found: Inspection) => void; reject: (error: SpotterError) => void }
  >();
  private readsPictures = true;
  private closed: SpotterError | null = null;
  private nextId = 1;
  private onthreads: (() => void) | null = null;

  private constructor(model: Model, can: Capabilities, variant: Variant, open: () => Port) {
    this.model = model;
    this.variant = variant;
    this.capabilities = can;
    this.worker = open();
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
    const detector = new Detector(model, can, variant, options.host?.open ?? ownWorker);
    const abort = () => detector.shut(new SpotterError("aborted"));
    options.signal?.addEventListener("abort", abort);
    try {
      await detector.start(options);
      return detector;
    } catch (cause) {
      detector.close();
      throw cause;
    } finally {
      options.signal?.removeEventListener("abort", abort);
    }
  }

  private start(options: LoadOptions): Promise<void> {
    const { variant: module, model } = this;
    let heard = false;
    const ready = new Promise<void>((resolve, reject) => {
      this.waiting.set(0, { resolve: () => resolve(), reject, since: 0 });
      this.worker.onmessage = ({ data }) => {
        heard = true;
        if (data.kind === "progress") options.onprogress?.(data.loaded, data.total);
        else if (data.kind === "ready" && data.build !== build) {
          this.shut(new SpotterError("mismatch", `script of build ${build}, worker of build ${data.build}`));
        } else if (data.kind === "ready") {
          this.manifest = data.manifest;
          this.threads = data.threads;
          this.readsPictures = data.readsPictures;
          this.waiting.delete(0);
          resolve();
        } else this.receive(data);
      };
      this.worker.onerror = (event) => {
        event.preventDefault?.();
        this.shut(new SpotterError(heard ? "engine" : "no-worker", event.message));
      };
    });
    this.send({
      kind: "load",
      module: module.data ?? module.url,
      weights: model.weights.data ?? model.weights.url,
      bytes: module.bytes + model.weights.bytes,
      ...(options.cache ? { cache: options.cache } : {}),
      threads: options.threads ?? (module.features.includes("threads") ? startThreads(this.capabilities, 64) : 1),
    });
    return ready;
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
      this.inspecting.set(id, { resolve, reject });
      this.send({ kind: "inspect", id, look });
    });
  }

  /** Sets the threads, where the variant has them; resolves when it is done. */
  setThreads(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.onthreads = resolve;
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
  }

  private receive(message: FromWorker): void {
    if (message.kind === "threads") {
      this.threads = message.threads;
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

  private take(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    return waiting;
  }

  private shut(error: SpotterError): void {
    if (this.closed) return;
    this.closed = error;
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
  for (let i = 0; i < found.records.length; i += 6) {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0, score = 0, classId = 0] = found.records.subarray(i, i + 6);
    const box: Detection["box"] = task === "classify" ? [0, 0, found.width, found.height] : [x1, y1, x2, y2];
    const whole = task === "classify" ? { whole: true } : {};
    list.push({ classId, label: classes[classId] ?? String(classId), score, box, ...whole });
  }
  return list;
}

/** For browsers whose workers can't read pictures: a canvas of the page does it. */
function readOnPage(picture: ImageBitmap | VideoFrame): { given: Picture; kept: ImageBitmap | VideoFrame } {
  const width = "displayWidth" in picture ? picture.displayWidth : picture.width;
  const height = "displayHeight" in picture ? picture.displayHeight : picture.height;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new SpotterError("memory", "no canvas");
  context.drawImage(picture, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return { given: { data: data.buffer as ArrayBuffer, width, height, took: 0 }, kept: picture };
}

function transferables(picture: Picture): Transferable[] {
  return ["data" in picture ? picture.data : picture];
}
