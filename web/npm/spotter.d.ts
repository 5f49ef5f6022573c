// The public types of spotter.js. The sources implement these declarations and are
// checked against them, so what stands here is what the module does.

/** Anything that shows a picture. What you pass stays yours: Spotter works on a copy. */
export type Source =
  | HTMLImageElement
  | SVGImageElement
  | HTMLVideoElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | ImageBitmap
  | ImageData
  | VideoFrame
  | Blob;

/** Bytes, or where to get them. A string is an address, resolved against the document. */
export type FileSource = string | URL | Request | Response | ArrayBuffer | ArrayBufferView | Blob;

/**
 * A model. What its bytes are decides how it is loaded, never its name:
 * - JSON is a list of models (models.json); `#id` at the end of the address picks one of it;
 * - a compiled module (.wasm) runs as it is, with the weights in `LoadOptions.weights`;
 * - any other file (.pt, .safetensors, .onnx) is compiled in the page first.
 */
export type ModelSource = FileSource | Promise<FileSource>;

export interface Progress {
  /** Bytes that have arrived. */
  loaded: number;
  /** Bytes in all; 0 while not known. */
  total: number;
  /** 0..1; 0 while not known. */
  part: number;
}

export interface LoadOptions {
  /** Calls loading off; what has started ends at once. */
  signal?: AbortSignal | undefined;
  /** Called as bytes arrive, from the network or from the cache. */
  onprogress?: ((progress: Progress) => void) | undefined;
  /** Threads to run on; as many as help where left out, and 1 where the page is not cross-origin isolated. */
  threads?: number | undefined;
  /** Weights of a model that is compiled in the page: f16 halves the memory that they are sent in. */
  precision?: "f16" | "f32" | undefined;
  /** false leaves it to the browser whether files of listed models are downloaded again; else they are kept (Cache API). */
  keep?: boolean | undefined;
  /** Folder that holds spotter-worker.js, models.json and the compiler; spotter.js's own where left out. */
  baseURL?: string | URL | undefined;
  /** Weights of a compiled module; the file beside it, NAME.bin for NAME.wasm, where left out. */
  weights?: FileSource | Promise<FileSource> | undefined;
  /** The network's YAML, for checkpoints that do not hold it. */
  yaml?: string | undefined;
  /** Names of the classes by id, for models that are compiled in the page and don't hold them, or hold others. */
  names?: readonly string[] | undefined;
  /** Input size in pixels, for models that are compiled in the page: a side, or width and height. */
  size?: number | [width: number, height: number] | undefined;
  /** false runs the engine on the page's own thread, which then stands still while it works. */
  worker?: boolean | undefined;
}

export type MaskKind = "bitmap" | "polygon" | "rle";

export interface DetectOptions<K extends MaskKind | false = MaskKind | false> {
  /** Scores below are dropped, 0..1. Default 0.25. */
  conf?: number | undefined;
  /** Of two boxes of a class that overlap more than this, the weaker is dropped, 0..1. Default 0.45. */
  iou?: number | undefined;
  /** At most as many, the best first. Default 300. */
  maxDetections?: number | undefined;
  /** Classes to look for, by id or by name. Default: all. */
  classes?: readonly (number | string)[] | null | undefined;
  /** Form of the masks, of models that make them. Default: none. */
  masks?: K | undefined;
  /** Longer side of the grid that masks are computed on, in pixels; the picture's own where left out. */
  maskSize?: number | undefined;
  /** Calls the work off: the promise is rejected at once. */
  signal?: AbortSignal | undefined;
}

/** A mask within its rectangle: one byte for each point of the grid, 0 or 255, row by row. */
export interface BitmapMask {
  /** The rectangle, on the grid. */
  x: number;
  y: number;
  width: number;
  height: number;
  data: Uint8Array<ArrayBuffer>;
  /** Size of the grid, which lies over the whole picture; the picture's own unless maskSize is less. */
  grid: [width: number, height: number];
}

/** Outlines in pixels of the picture: x0, y0, x1, y1, ... Rings inside others are holes. */
export type PolygonMask = number[][];

/** COCO's compressed run lengths, column by column. */
export interface RleMask {
  /** Height and width of the grid, in COCO's order. */
  size: [height: number, width: number];
  counts: string;
}

export interface MaskTypes {
  bitmap: BitmapMask;
  polygon: PolygonMask;
  rle: RleMask;
}

export interface Detection<K extends MaskKind | false = MaskKind | false> {
  classId: number;
  label: string;
  /** 0..1 */
  score: number;
  /** Pixels of the picture. */
  box: [x1: number, y1: number, x2: number, y2: number];
  /** null where none was asked for, or the model makes none. */
  mask: K extends MaskKind ? MaskTypes[K] | null : null;
  /** Identity over frames, where they are tracked; else null. */
  id: number | null;
}

/** Milliseconds of each phase. */
export interface Timings {
  /** Getting the picture's pixels into the engine's memory. */
  pixels: number;
  /** Fitting them into the network's input. */
  feed: number;
  /** The network. */
  infer: number;
  /** Decoding and suppressing boxes. */
  detect: number;
  masks: number;
  /** From call to answer. */
  total: number;
}

export interface Result<K extends MaskKind | false = MaskKind | false> {
  /** Size of the picture. */
  width: number;
  height: number;
  /** The best first. */
  detections: Detection<K>[];
  timings: Timings;
}

/** An object that is followed from frame to frame. */
export interface Track {
  /** Never used again for another object. */
  id: number;
  classId: number;
  label: string;
  score: number;
  box: [x1: number, y1: number, x2: number, y2: number];
  /** Where its middle has been, oldest first. */
  trail: [x: number, y: number][];
}

export interface WatchOptions<K extends MaskKind | false = MaskKind | false> extends DetectOptions<K> {
  /** Give objects an identity that lasts from frame to frame. */
  tracking?: boolean | undefined;
  /** Frames a second at most. */
  fps?: number | undefined;
}

export interface Frame<K extends MaskKind | false = MaskKind | false> extends Result<K> {
  /** The very frame that was looked at. It is closed when the next one is asked for. */
  picture: ImageBitmap | VideoFrame;
  /** When it was shown, in seconds on the clock of performance.now(). */
  time: number;
  /** Frames that were shown and not looked at since the one before. */
  dropped: number;
  /** Objects followed, where `tracking` is on. */
  tracks: Track[];
}

/** How a detector runs, and why not faster. */
export interface Mode {
  /** Instructions in use: "simd", "relaxed", "threads". */
  features: string[];
  threads: number;
  /** Whether the engine has a worker; without one the page stands still while it works. */
  worker: boolean;
  /** "best", or what holds it back: "relaxed", "isolation", "cores", "threads", "worker". */
  limit: "best" | "relaxed" | "isolation" | "cores" | "threads" | "worker";
  /** The same in a sentence. */
  reason: string;
}

export interface ModelInfo {
  name: string;
  task: "detect" | "segment" | "classify";
  /** Input size of the network, pixels. */
  width: number;
  height: number;
  classes: string[];
  params: number;
  /** Multiply-adds for one picture. */
  macs: number;
  licence: string;
  note: string;
  /** Id of the compiler that made the module, and SHA-256 of the weights. */
  build: string;
  weights: string;
}

export class Detector {
  private constructor(...internal: never[]);
  /** Loads a model; without one, the first of models.json in the folder of spotter.js. */
  static load(model?: ModelSource | null, options?: LoadOptions): Promise<Detector>;
  readonly model: ModelInfo;
  readonly mode: Mode;
  /** Detects on one picture. Calls may overlap; they are answered in order. */
  detect<K extends MaskKind | false = false>(source: Source, options?: DetectOptions<K>): Promise<Result<K>>;
  /**
   * Detects on the newest frame of a video or a stream, again and again; frames that are
   * shown meanwhile are dropped. Ends when the video or the stream does, and by `break`.
   */
  watch<K extends MaskKind | false = false>(
    source: HTMLVideoElement | MediaStream,
    options?: WatchOptions<K>,
  ): AsyncGenerator<Frame<K>, void, undefined>;
  /** Changes the number of threads; resolves to how many there are. */
  setThreads(count: number): Promise<number>;
  /** Ends the worker and gives all memory back. What is in work is rejected with "closed". */
  close(): void;
}

export type ErrorCode =
  | "aborted"
  | "closed"
  | "unsupported"
  | "network"
  | "not-found"
  | "html-instead"
  | "bad-module"
  | "bad-weights"
  | "bad-model"
  | "bad-option"
  | "no-compiler"
  | "bad-network"
  | "compiler"
  | "no-worker"
  | "mismatch"
  | "memory"
  | "bad-source"
  | "tainted"
  | "bad-picture"
  | "bad-video"
  | "camera-denied"
  | "camera-missing"
  | "camera-busy"
  | "camera-insecure"
  | "camera-unsupported"
  | "camera-lost"
  | "restarted"
  | "engine";

/** Whatever goes wrong: `message` is a sentence with a hint and the detail. */
export class SpotterError extends Error {
  readonly code: ErrorCode;
  /** What happened. */
  readonly sentence: string;
  /** What to do about it. */
  readonly hint: string;
  /** What lies behind it. */
  readonly detail: string;
  constructor(code: ErrorCode, detail?: string);
}

/** Defaults for all detectors and views that come after. */
export interface Settings {
  /** Folder that holds spotter-worker.js and models.json. */
  baseURL?: string | URL | undefined;
}

export function configure(settings: Settings): void;

/** Build of this module, which its worker shares. */
export const version: string;

/** How many tracked objects there are, by the name of their class. */
export interface Counts {
  /** In the picture now. */
  classes: Record<string, number>;
  /** For each line, crossings to its left and to its right, seen from its first point to its second. */
  lines: Record<string, { left: number; right: number }>[];
  /** For each zone, who is inside now, and how many ever were. */
  zones: { inside: Record<string, number>; visitors: Record<string, number> }[];
}

export interface SnapshotOptions {
  /** Draw boxes, labels and masks as they are shown. Default true. */
  boxes?: boolean | undefined;
  /** Media type. Default image/png. */
  type?: string | undefined;
  /** 0..1, for image/jpeg and image/webp. */
  quality?: number | undefined;
}

export interface ViewResult extends Result<false> {
  /** Masks of all detections, one after the other, for those who draw themselves. */
  masks: {
    width: number;
    height: number;
    rects: Int32Array<ArrayBuffer>;
    data: Uint8Array<ArrayBuffer>;
  } | null;
  tracks: Track[];
  /** null unless `tracking` is on. */
  counts: Counts | null;
}

export interface SpotterViewEventMap {
  /** The model runs. Sent again when it runs in another mode: its worker was started anew, or a thread was lost. */
  ready: CustomEvent<{ model: ModelInfo; mode: Mode }>;
  progress: CustomEvent<Progress>;
  /** A frame is shown with what was found in it. */
  detections: CustomEvent<ViewResult>;
  error: CustomEvent<SpotterError>;
}

/** <spotter-view>. Each attribute has a property of the same name. */
export class SpotterView extends HTMLElement {
  /** "camera", "screen", or the address of a picture or video. */
  src: string | null;
  /** Address of a model, or the model itself; the first of models.json beside the module where left out. */
  get model(): ModelSource | null;
  set model(model: ModelSource | null);
  /** Scores below are not shown, 0..1. Default 0.25. */
  conf: number | null;
  /** Overlap above which the weaker of two boxes of a class is dropped, 0..1. Default 0.45. */
  iou: number | null;
  /** At most as many. Default 300. */
  max: number | null;
  /** Names or ids of the classes to show; null shows all. */
  get classes(): string[] | null;
  set classes(classes: readonly (string | number)[] | null);
  /** What to draw; on unless switched off with "off". */
  masks: boolean;
  labels: boolean;
  boxes: boolean;
  /** Other names for classes: "person=guest; dog=good dog". */
  names: string | null;
  /** Follow objects: ids, trails and counts. */
  tracking: boolean;
  /** Lines that count who crosses them, in parts of width and height: "0.5,0 0.5,1; 0,0.5 1,0.5". */
  lines: string | null;
  /** Zones that count who is inside: three points or more each. */
  zones: string | null;
  /** Show buttons. */
  controls: boolean;
  /** Which camera is preferred. Default "environment". */
  facing: "user" | "environment" | null;
  /** Frames a second at most. */
  fps: number | null;
  /** Width asked of the camera, in pixels. Default 640. */
  width: number | null;
  threads: number | null;
  paused: boolean;
  /** Folder of spotter-worker.js and models.json, where it is not the module's own. */
  base: string | null;
  /** Text of a detection's label; put your own function here. */
  labelOf: (detection: Detection<false>) => string;
  readonly counts: Counts | null;
  readonly mode: Mode | null;
  readonly info: ModelInfo | null;
  /** Starts what `src` says, or goes on after stop(). Sharing the screen takes a click of the visitor. */
  start(): Promise<void>;
  /** Ends the source and lets the camera go. */
  stop(): void;
  pause(): void;
  resume(): void;
  /** Shows a file or a stream in place of `src`. */
  open(source: "camera" | "screen" | string | Blob | MediaStream): Promise<void>;
  /** The frame that is shown, at its own size. */
  snapshot(options?: SnapshotOptions): Promise<Blob>;
  addEventListener<K extends keyof SpotterViewEventMap>(
    type: K,
    listener: (this: SpotterView, event: SpotterViewEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "spotter-view": SpotterView;
  }
}
