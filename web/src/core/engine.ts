// The engine: one module, its memory and its weights. Runs in the worker.

import { abiVersion, type Exports, type Manifest, manifestOf, pageSize, resultBytes } from "./abi.ts";
import { asError, type ErrorCode, SpotterError } from "./errors.ts";
import { bytesOf, stream } from "./fetch.ts";
import { inspect } from "./inspect.ts";
import { forget, requestKept } from "./kept.ts";
import type { DetectOptions, Found, Inspection, LoadRequest, Look, Masks, Picture } from "./messages.ts";
import { readPixels } from "./pixels.ts";
import { Pool } from "./pool.ts";

const recordWords = resultBytes / 4;
const maskAll = 0xffffffff;

/** Errors that the files themselves are to blame for. */
const damaged: ErrorCode[] = ["bad-module", "bad-weights", "mismatch"];

export class Engine {
  threads = 1;
  /** Whether a thread was given up because it no longer answered. */
  lostThread = false;
  private pool: Pool;
  /** Sizes of the last picture: as given, and as it lies in memory. */
  private last = { full: { width: 0, height: 0 }, width: 0, height: 0 };
  /** Room for the masks of a frame, kept for the next. */
  private gathered = new Uint8Array();
  /** Pixels of the largest picture that there is memory for. */
  private mostPixels: number;

  private constructor(
    readonly manifest: Manifest,
    private memory: WebAssembly.Memory,
    private readonly module: WebAssembly.Module,
    private exports: Exports,
  ) {
    this.pool = new Pool(module, memory, exports);
    const { maxPages, pixels } = manifest.memory;
    this.mostPixels = Math.floor((maxPages * pageSize - pixels) / 5); // 4 bytes a pixel, and 1 for its mask
  }

  /** Loads module and weights at the same time; progress is in bytes of both. */
  static async load(from: LoadRequest, progress: (bytes: number) => void, signal: AbortSignal): Promise<Engine> {
    try {
      return await Engine.open(from, progress, signal);
    } catch (cause) {
      if (cause instanceof SpotterError && damaged.includes(cause.code)) {
        await forget(from.cache, from.module, from.weights);
      }
      throw cause;
    }
  }

  private static async open(
    from: LoadRequest,
    progress: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<Engine> {
    const seen = { module: 0, weights: 0 };
    const tell = (part: keyof typeof seen) => (bytes: number) => {
      seen[part] = bytes;
      progress(seen.module + seen.weights);
    };
    const fetched = (url: string) => requestKept(url, from.cache, signal);
    const weights = typeof from.weights === "string" ? fetched(from.weights) : from.weights;
    Promise.resolve(weights).catch(() => {}); // awaited below, after the module
    const module = await compile(from.module, fetched, tell("module"), signal);
    const manifest = checked(module);
    const memory = makeMemory(manifest);
    const instance = await WebAssembly.instantiate(module, { env: { memory } });
    await fill(await weights, manifest, memory, tell("weights"), signal);
    const engine = new Engine(manifest, memory, module, instance.exports as unknown as Exports);
    engine.exports.load();
    await engine.setThreads(from.threads);
    return engine;
  }

  async setThreads(count: number): Promise<void> {
    const most = this.manifest.memory.maxThreads;
    this.threads = await this.pool.resize(Math.max(1, Math.min(count, most)));
    this.lostThread = false;
  }

  /** Detects on a picture. */
  async run(picture: Picture, options: DetectOptions): Promise<Found> {
    const clock = stopwatch();
    await this.read(picture);
    const pixels = clock();
    const times = await this.withThreads(() => {
      this.exports.feed(this.last.width, this.last.height);
      const feed = clock();
      this.exports.infer();
      return { pixels, feed, infer: clock() };
    });
    return this.collect(options, times);
  }

  /** Runs the network once on whatever its input holds. */
  async warmUp(): Promise<void> {
    await this.withThreads(() => this.exports.infer());
  }

  /** Looks into the network, at the last picture. */
  inspect(look: Look): Inspection {
    const { manifest, memory, exports } = this;
    const { width, height } = this.last;
    return inspect({ manifest, memory, exports, feed: () => width > 0 && exports.feed(width, height) }, look);
  }

  /** Detects on the last picture again, with other options. */
  again(options: DetectOptions): Found {
    return this.collect(options, { pixels: 0, feed: 0, infer: 0 });
  }

  /** Gets the picture into memory: smaller than it is where there is no room for all of it. */
  private async read(picture: Picture): Promise<void> {
    const { width, height } = this.manifest;
    for (;;) {
      try {
        this.last = await readPixels(picture, this.mostPixels, (w, h) => this.room(w, h));
        return;
      } catch (cause) {
        const less = this.mostPixels / 2;
        if (asError(cause, "engine").code !== "memory" || less < width * height) throw cause;
        this.mostPixels = less;
      }
    }
  }

  /** Does work that threads share. The module traps where one of them does not answer: then one does it alone. */
  private async withThreads<T>(work: () => T): Promise<T> {
    try {
      return work();
    } catch (cause) {
      if (this.threads === 1 || !(cause instanceof WebAssembly.RuntimeError)) throw cause;
      await this.leaveThreads();
      return work();
    }
  }

  /** Goes on in a copy of the memory, since threads that were given up may still write into this one. */
  private async leaveThreads(): Promise<void> {
    this.pool.abandon();
    this.threads = 1;
    this.lostThread = true;
    const memory = makeMemory(this.manifest);
    const instance = await WebAssembly.instantiate(this.module, { env: { memory } });
    growBy(memory, (this.memory.buffer.byteLength - memory.buffer.byteLength) / pageSize);
    new Uint8Array(memory.buffer).set(new Uint8Array(this.memory.buffer));
    this.memory = memory;
    this.exports = instance.exports as unknown as Exports;
    this.pool = new Pool(this.module, memory, this.exports);
  }

  private collect(options: DetectOptions, before: { pixels: number; feed: number; infer: number }): Found {
    const clock = stopwatch();
    const { full, width, height } = this.last;
    const count = this.suppress(options);
    const records = this.records(count, full.width / width, full.height / height);
    const detect = clock();
    const wanted = this.manifest.task === "segment" && options.masks > 0 && count > 0;
    const masks = wanted ? this.masks(count, options.masks) : null;
    return { ...full, records, masks, timings: { ...before, detect, masks: clock() } };
  }

  private suppress(options: DetectOptions): number {
    const { task, memory, classes } = this.manifest;
    const max = Math.min(options.max, memory.maxResults);
    if (task === "classify") return this.exports.classify(max);
    const words = new Uint32Array(this.memory.buffer, memory.classMask, Math.ceil(Math.max(1, classes.length) / 32));
    words.fill(options.classes ? 0 : maskAll);
    for (const id of options.classes ?? []) words[id >>> 5] = (words[id >>> 5] ?? 0) | (1 << (id & 31));
    return this.exports.detect(options.confidence, options.iou, max);
  }

  private records(count: number, scaleX: number, scaleY: number): Float32Array<ArrayBuffer> {
    const at = this.manifest.memory.results;
    const floats = new Float32Array(this.memory.buffer, at, count * recordWords);
    const ints = new Int32Array(this.memory.buffer, at, count * recordWords);
    const out = new Float32Array(count * 6);
    for (let i = 0, to = 0, from = 0; i < count; i++, to += 6, from += recordWords) {
      for (let k = 0; k < 4; k++) out[to + k] = (floats[from + k] ?? 0) * (k & 1 ? scaleY : scaleX);
      out[to + 4] = floats[from + 4] ?? 0;
      out[to + 5] = ints[from + 5] ?? 0;
    }
    return out;
  }

  private masks(count: number, longSide: number): Masks {
    const { pixels, maskRect } = this.manifest.memory;
    const scale = Math.min(1, longSide / Math.max(this.last.width, this.last.height));
    const width = Math.max(1, Math.round(this.last.width * scale));
    const height = Math.max(1, Math.round(this.last.height * scale));
    const behind = (pixels + this.last.width * this.last.height * 4 + 15) & ~15;
    this.grow(behind + width * height);
    const rects = new Int32Array(count * 4);
    const rect = new Int32Array(this.memory.buffer, maskRect, 4);
    const mask = new Uint8Array(this.memory.buffer, behind, width * height);
    let size = 0;
    for (let i = 0; i < count; i++) {
      this.exports.mask(i, width, height, behind);
      rects.set(rect, i * 4);
      const bytes = areaOf(rects, i);
      if (size + bytes > this.gathered.length) this.gathered = enlarged(this.gathered, size, size + bytes);
      this.gathered.set(mask.subarray(0, bytes), size);
      size += bytes;
    }
    return { width, height, rects, data: this.gathered.slice(0, size) };
  }

  private room(width: number, height: number): Uint8Array {
    const { pixels } = this.manifest.memory;
    const bytes = width * height * 4;
    this.grow(pixels + bytes);
    return new Uint8Array(this.memory.buffer, pixels, bytes);
  }

  private grow(bytes: number): void {
    const missing = Math.ceil(bytes / pageSize) - this.memory.buffer.byteLength / pageSize;
    if (missing <= 0) return;
    growBy(this.memory, missing);
  }
}

function growBy(memory: WebAssembly.Memory, pages: number): void {
  try {
    memory.grow(pages);
  } catch (cause) {
    throw asError(cause, "memory");
  }
}

function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const since = last;
    last = performance.now();
    return last - since;
  };
}

/** Bytes of a mask's rectangle. */
function areaOf(rects: Int32Array, i: number): number {
  return ((rects[i * 4 + 2] ?? 0) - (rects[i * 4] ?? 0)) * ((rects[i * 4 + 3] ?? 0) - (rects[i * 4 + 1] ?? 0));
}

function enlarged(bytes: Uint8Array<ArrayBuffer>, used: number, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * needed);
  larger.set(bytes.subarray(0, used));
  return larger;
}

async function compile(
  from: LoadRequest["module"],
  fetched: (url: string) => Promise<Response>,
  progress: (bytes: number) => void,
  signal: AbortSignal,
) {
  const bytes = typeof from === "string" ? await bytesOf(await fetched(from), progress, signal) : from;
  progress(bytes.byteLength);
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    throw asError(cause, "bad-module");
  }
}

function checked(module: WebAssembly.Module): Manifest {
  const manifest = manifestOf(module);
  if (manifest?.abi !== abiVersion) throw new SpotterError("bad-module", `ABI ${manifest?.abi ?? "missing"}`);
  return manifest;
}

function makeMemory(manifest: Manifest): WebAssembly.Memory {
  const { pages, maxPages } = manifest.memory;
  const shared = manifest.features.includes("threads");
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: maxPages, shared });
  } catch (cause) {
    throw asError(cause, "memory");
  }
}

/** Streams the weights to their place and checks that they are the module's own. */
async function fill(
  from: Response | ArrayBuffer,
  manifest: Manifest,
  memory: WebAssembly.Memory,
  progress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { bytes, sha256 } = manifest.weights;
  const wire = new Uint8Array(memory.buffer, manifest.memory.wire, bytes);
  let total = 0;
  const take = (chunk: Uint8Array, offset: number) => {
    total = offset + chunk.length;
    if (total > bytes) throw new SpotterError("mismatch", `more than ${bytes} bytes of weights`);
    wire.set(chunk, offset);
    progress(total);
  };
  if (from instanceof ArrayBuffer) take(new Uint8Array(from), 0);
  else await stream(from, take, signal);
  if (total !== bytes) throw new SpotterError("bad-weights", `${total} of ${bytes} bytes`);
  const sum = await hash(wire);
  if (sum && sum !== sha256)
    throw new SpotterError("mismatch", `weights ${sum.slice(0, 12)}, not ${sha256.slice(0, 12)}`);
}

/** SHA-256 in hex; null where the page is no secure context and so has no crypto. */
async function hash(bytes: Uint8Array): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null;
  const sum = await crypto.subtle.digest("SHA-256", bytes.slice() as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(sum), (b) => b.toString(16).padStart(2, "0")).join("");
}
