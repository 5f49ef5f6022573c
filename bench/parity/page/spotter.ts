// This project's engine as the page needs it: one thread, and its tensors open to be read and written.
import {
  type Exports,
  type Manifest,
  manifestOf,
  pageSize,
  resultBytes,
  type Tensor,
} from '../../../web/src/core/abi.ts';
import type { Found } from './types.ts';

/** Boxes of one class that overlap by more than this are one, as YOLOv5 has it. */
const suppression = 0.45;
const mostBoxes = 300;
const mostClasses = 5;

export class Spotter {
  private constructor(
    readonly manifest: Manifest,
    private readonly memory: WebAssembly.Memory,
    private readonly exports: Exports,
  ) {}

  static async load(module: Uint8Array<ArrayBuffer>, weights: Uint8Array): Promise<Spotter> {
    const compiled = await WebAssembly.compile(module);
    const manifest = manifestOf(compiled);
    if (!manifest) throw new Error('the module carries no manifest');
    const { pages, maxPages, wire } = manifest.memory;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: maxPages });
    const instance = await WebAssembly.instantiate(compiled, { env: { memory } });
    const exports = instance.exports as unknown as Exports;
    new Uint8Array(memory.buffer, wire, weights.length).set(weights);
    exports.load();
    return new Spotter(manifest, memory, exports);
  }

  /** Lays the picture into the network's input. */
  feed(picture: ImageData): void {
    const { pixels } = this.manifest.memory;
    const missing = Math.ceil((pixels + picture.data.length) / pageSize) - this.memory.buffer.byteLength / pageSize;
    if (missing > 0) this.memory.grow(missing);
    new Uint8Array(this.memory.buffer, pixels, picture.data.length).set(picture.data);
    this.exports.feed(picture.width, picture.height);
  }

  infer(): void {
    this.exports.infer();
  }

  /** A tensor's values: of a map of pixels channel by channel (NCHW), of one row as they come. */
  read(t: Tensor): Float32Array<ArrayBuffer> {
    const floats = new Float32Array(this.memory.buffer);
    const out = new Float32Array(t.c * t.h * t.w);
    each(t, (at, to) => {
      out[to] = floats[at];
    });
    return out;
  }

  /** The reverse of read. */
  write(t: Tensor, values: Float32Array): void {
    if (values.length !== t.c * t.h * t.w) {
      throw new Error(
        `${t.name ?? 'an output'} has ${values.length} values from onnxruntime-web, not ${t.c * t.h * t.w}`,
      );
    }
    const floats = new Float32Array(this.memory.buffer);
    each(t, (at, from) => {
      floats[at] = values[from];
    });
  }

  /** Decodes what the outputs hold. */
  found(confidence: number): Found[] {
    const { task, classes, memory } = this.manifest;
    const count =
      task === 'classify'
        ? this.exports.classify(mostClasses)
        : this.exports.detect(confidence, suppression, Math.min(mostBoxes, memory.maxResults));
    return Array.from({ length: count }, (_, i) => {
      const at = memory.results + i * resultBytes;
      const [x1, y1, x2, y2, score] = new Float32Array(this.memory.buffer, at, 5);
      const [id] = new Int32Array(this.memory.buffer, at + 20, 1);
      return { box: [x1, y1, x2, y2], score, label: classes[id] ?? `class ${id}` };
    });
  }
}

/** Visits a tensor's values: place in memory in floats, and place channel by channel. */
function each(t: Tensor, visit: (at: number, plane: number) => void): void {
  for (let y = 0; y < t.h; y++) {
    for (let x = 0; x < t.w; x++) {
      const pixel = (t.address + y * t.rowStride + x * t.pixelStride) / 4;
      for (let c = 0; c < t.c; c++) visit(pixel + c, (c * t.h + y) * t.w + x);
    }
  }
}
