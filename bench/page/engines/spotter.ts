// This project's engine: one emitted module and its weights, driven through its exports.
import { type Engine, interleaved, type Load, type OutputMap, serve } from '../engine';

interface Tensor {
  address: number;
  h: number;
  w: number;
  c: number;
  pixelStride: number;
  rowStride: number;
}

interface Manifest {
  input: Tensor;
  outputs: Tensor[];
  layers: unknown[];
  macs: number;
  params: number;
  memory: { pages: number; maxPages: number; wire: number; pixels: number };
}

interface Exports {
  load(): void;
  feed(width: number, height: number): void;
  infer(): void;
  detect(confidence: number, iou: number, max: number): number;
  step(layer: number): void;
  threads?(count: number): void;
}

class Spotter implements Engine {
  private memory!: WebAssembly.Memory;
  private exports!: Exports;
  private manifest!: Manifest;
  private frames: Float32Array[] = [];
  private input!: Float32Array;

  async load(options: Load): Promise<void> {
    const threaded = options.threads > 1;
    const name = threaded ? `${options.variant}-threads` : options.variant;
    const weights = fetch(`${options.model}/weights.bin`);
    const module = await WebAssembly.compileStreaming(fetch(`${options.model}/${name}.wasm`));
    const [section] = WebAssembly.Module.customSections(module, 'spotter');
    this.manifest = JSON.parse(new TextDecoder().decode(section));
    const { memory, input } = this.manifest;
    this.memory = new WebAssembly.Memory({ initial: memory.pages, maximum: memory.maxPages, shared: threaded });
    const instance = await WebAssembly.instantiate(module, { env: { memory: this.memory } });
    this.exports = instance.exports as unknown as Exports;
    await into(await weights, new Uint8Array(this.memory.buffer, memory.wire));
    this.exports.load();
    if (threaded) {
      for (let id = 1; id < options.threads; id++) await this.thread(module, id);
      this.exports.threads?.(options.threads);
    }
    if (options.boxes) return this.place(options);
    this.frames = options.frames.map((rgb) => strided(interleaved(rgb), input));
    this.input = new Float32Array(this.memory.buffer, input.address, this.frames[0].length);
  }

  /** Starts a worker that serves as thread id of the module; resolves when it is about to. */
  private thread(module: WebAssembly.Module, id: number): Promise<void> {
    const worker = new Worker('/spotter-thread.js');
    worker.postMessage({ module, memory: this.memory, id });
    return new Promise((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = (event) => reject(new Error(`thread ${id}: ${event.message}`));
    });
  }

  /** Makes a run go from a picture's bytes to boxes. */
  private place({ frames, width, height }: Load): void {
    const { pixels } = this.manifest.memory;
    const missing = pixels + 4 * width * height - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / 65536));
    const rgba = new Uint8Array(this.memory.buffer, pixels, 4 * width * height);
    const [rgb] = frames;
    for (let p = 0; p < width * height; p++) {
      for (let c = 0; c < 3; c++) rgba[4 * p + c] = rgb[3 * p + c];
    }
    this.run = () => {
      this.exports.feed(width, height);
      this.exports.infer();
      this.exports.detect(0.25, 0.45, 300);
    };
  }

  run(frame: number): void {
    this.input.set(this.frames[frame]);
    this.exports.infer();
  }

  outputs(): OutputMap[] {
    return this.manifest.outputs.map((t) => {
      const floats = new Float32Array(this.memory.buffer);
      const data = new Float32Array(t.c * t.h * t.w);
      for (let y = 0; y < t.h; y++) {
        for (let x = 0; x < t.w; x++) {
          const at = (t.address + y * t.rowStride + x * t.pixelStride) / 4;
          for (let c = 0; c < t.c; c++) data[(c * t.h + y) * t.w + x] = floats[at + c];
        }
      }
      return { shape: [t.c, t.h, t.w], data };
    });
  }

  async ask(question: string, options: unknown): Promise<unknown> {
    const { passes, layer, calls } = options as { passes: number; layer: number; calls: number };
    switch (question) {
      case 'layers':
        return this.layers(passes);
      case 'repeat':
        return this.repeat(layer, calls, passes);
      case 'copy':
        return copySpeed(passes);
    }
    throw new Error(`there is no answer to ${question}`);
  }

  /** The manifest's layers, each with the least milliseconds in a number of passes over all of them. */
  private layers(passes: number): unknown {
    const { layers, macs } = this.manifest;
    const ms = layers.map(() => Number.POSITIVE_INFINITY);
    for (let pass = 0; pass < passes; pass++) {
      this.input.set(this.frames[pass % this.frames.length]);
      for (let i = 0; i < layers.length; i++) {
        const start = performance.now();
        this.exports.step(i);
        ms[i] = Math.min(ms[i], performance.now() - start);
      }
    }
    const beside = this.memory.buffer.byteLength - 4 * this.manifest.params;
    return { layers, ms, macs, beside };
  }

  /** Least milliseconds of one call of a layer, over passes of a number of calls. */
  private repeat(layer: number, calls: number, passes: number): number {
    let best = Number.POSITIVE_INFINITY;
    for (let pass = 0; pass < passes; pass++) {
      const start = performance.now();
      for (let i = 0; i < calls; i++) this.exports.step(layer);
      best = Math.min(best, (performance.now() - start) / calls);
    }
    return best;
  }
}

/** Writes a response's body into memory as it arrives. */
async function into(response: Response, memory: Uint8Array): Promise<void> {
  if (!response.ok || !response.body) throw new Error(`${response.url}: ${response.status} ${response.statusText}`);
  const reader = response.body.getReader();
  for (let at = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    memory.set(value, at);
    at += value.length;
  }
}

/** Bytes a millisecond that a copy between buffers larger than the caches moves, reads and writes both counted. */
function copySpeed(passes: number): number {
  const from = new Uint8Array(64 << 20).fill(1);
  const to = new Uint8Array(from.length).fill(2);
  let best = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < passes; pass++) {
    const start = performance.now();
    to.set(from);
    best = Math.min(best, performance.now() - start);
  }
  return (2 * from.length) / best;
}

/** Lays pixels of three channels out as the module's input wants them. */
function strided(pixels: Float32Array, t: Tensor): Float32Array {
  const row = t.rowStride / 4;
  const pixel = t.pixelStride / 4;
  const out = new Float32Array((t.h - 1) * row + t.w * pixel);
  for (let y = 0; y < t.h; y++) {
    for (let x = 0; x < t.w; x++) {
      for (let c = 0; c < 3; c++) out[y * row + x * pixel + c] = pixels[(y * t.w + x) * 3 + c];
    }
  }
  return out;
}

serve(new Spotter());
