// What an emitted module imports and exports, and the manifest in its custom
// section: the mirror of wasm/abi/abi.go, which holds the full text.

export const section = "spotter";
export const abiVersion = 1;
export const pageSize = 65536;
/** Bytes of one record at `memory.results`: x1 y1 x2 y2 score (f32), class (i32), two reserved words. */
export const resultBytes = 32;

export type Task = "detect" | "segment" | "classify";
export type Feature = "simd" | "relaxed" | "threads";

/** A feature map in memory: float32, channels contiguous, strides in bytes. */
export interface Tensor {
  name?: string;
  address: number;
  h: number;
  w: number;
  c: number;
  pixelStride: number;
  rowStride: number;
}

export interface Layer {
  name: string;
  op: string;
  kernel: string;
  in: number[];
  out: number[];
  macs: number;
  params: number;
  row: number;
  tensor: Tensor;
}

/** Byte addresses of the memory map; see abi.go. */
export interface MemoryMap {
  pages: number;
  maxPages: number;
  weights: number;
  wire: number;
  arena: number;
  arenaBytes: number;
  results: number;
  maxResults: number;
  classMask: number;
  flags: number;
  maskRect: number;
  maxThreads: number;
  pixels: number;
}

export interface Manifest {
  abi: number;
  build: string;
  name: string;
  task: Task;
  features: Feature[];
  width: number;
  height: number;
  classes: string[];
  head: { kind: string; classes: number; masks: number; strides: number[]; anchors?: number[][] };
  feed: { fit: string; bgr?: boolean; pad: number; scale: number; mean: number[]; std: number[] };
  weights: { sha256: string; bytes: number; encoding: string };
  memory: MemoryMap;
  layers: Layer[];
  outputs: Tensor[];
  input: Tensor;
  params: number;
  macs: number;
  licence?: string;
  note?: string;
}

/** The functions of a module; `threads`, `worker` and `stop` only where it has the feature "threads". */
export interface Exports {
  load(): void;
  feed(width: number, height: number): void;
  infer(): void;
  step(layer: number): void;
  detect(confidence: number, iou: number, max: number): number;
  mask(result: number, width: number, height: number, address: number): void;
  classify(max: number): number;
  threads?(count: number): void;
  worker?(id: number): void;
  stop?(): void;
}

/** The manifest of a compiled module, or null where it carries none. */
export function manifestOf(module: WebAssembly.Module): Manifest | null {
  const payload = WebAssembly.Module.customSections(module, section)[0];
  return payload ? (JSON.parse(new TextDecoder().decode(payload)) as Manifest) : null;
}
