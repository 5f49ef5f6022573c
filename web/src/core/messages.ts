// What the page and the worker say to each other.

import type { Manifest } from "./abi.ts";
import type { ErrorCode } from "./errors.ts";

/** A file to load: its address, or the bytes themselves. */
export type FileSource = string | ArrayBuffer;

export interface LoadRequest {
  kind: "load";
  module: FileSource;
  weights: FileSource;
  /** Bytes of both files together, for the progress; 0 when not known. */
  bytes: number;
  threads: number;
  /** Name of the cache that keeps the files; without one they are fetched each time. */
  cache?: string;
}

/** How results are wanted. */
export interface DetectOptions {
  /** Scores below are dropped, 0..1. */
  confidence: number;
  /** Overlap above which the weaker of two boxes of a class is dropped, 0..1. */
  iou: number;
  max: number;
  /** Class ids to keep; null keeps all. */
  classes: number[] | null;
  /** Long side of the grid that masks are computed on, in pixels; 0 means none, Infinity the picture's own size. */
  masks: number;
}

/** RGBA bytes, row by row: what the page has read for the worker. */
export interface RawPicture {
  data: ArrayBuffer;
  width: number;
  height: number;
  /** Milliseconds that reading took. */
  took: number;
}

export type Picture = ImageBitmap | VideoFrame | RawPicture;

export type ToWorker =
  | LoadRequest
  | { kind: "run"; id: number; picture: Picture; options: DetectOptions }
  | { kind: "again"; id: number; options: DetectOptions }
  | { kind: "inspect"; id: number; look: Look }
  | { kind: "threads"; count: number }
  | { kind: "ask" }
  | ServeRequest;

/** Makes the worker a thread of the module: it answers "serving" and stays in the module until it stops. */
export interface ServeRequest {
  kind: "serve";
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  id: number;
}

/** What to look at inside of the network: on the last picture. */
export type Look = { what: "profile"; runs: number } | { what: "layer"; layer: number } | { what: "outputs" };

/** A feature map: float32 in the order height, width, channels. */
export interface FeatureMap {
  name: string;
  width: number;
  height: number;
  channels: number;
  data: Float32Array<ArrayBuffer>;
}

export interface Inspection {
  /** Milliseconds of each layer of a profile. */
  times: number[];
  maps: FeatureMap[];
}

/** Milliseconds of each phase. */
export interface Timings {
  /** Getting the picture's pixels into the module's memory. */
  pixels: number;
  /** Fitting them into the network's input. */
  feed: number;
  infer: number;
  /** Decoding and suppressing boxes. */
  detect: number;
  masks: number;
}

/** Masks of all results, one after the other. */
export interface Masks {
  /** Grid over the whole picture. */
  width: number;
  height: number;
  /** x0 y0 x1 y1 of each mask on the grid, half open. */
  rects: Int32Array<ArrayBuffer>;
  /** Bytes 0 or 255, each rectangle row by row. */
  data: Uint8Array<ArrayBuffer>;
}

export interface Found {
  width: number;
  height: number;
  /** x1 y1 x2 y2 score class of each result, best first; pixels of the picture. */
  records: Float32Array<ArrayBuffer>;
  masks: Masks | null;
  timings: Timings;
}

export type FromWorker =
  | { kind: "progress"; loaded: number; total: number }
  | { kind: "ready"; build: string; manifest: Manifest; threads: number; readsPictures: boolean }
  /** The number of threads has changed; `lost` where one of them stopped answering. */
  | { kind: "threads"; threads: number; lost: boolean }
  /** The worker holds that lock as long as it lives. */
  | { kind: "alive"; lock: string }
  | { kind: "here" }
  | { kind: "result"; id: number; found: Found; picture: Picture | null }
  | { kind: "inspected"; id: number; found: Inspection }
  | { kind: "failed"; id: number; code: ErrorCode; detail: string }
  | { kind: "serving" | "left" };
