// What every engine's worker looks like to the page: load, prepare frames, run one, show the outputs.

/** One file set and thread count, as the command chose it. */
export interface Load {
  model: string; // folder of the model's files on the server, e.g. /models/convsmall-n-320
  width: number;
  height: number;
  threads: number;
  variant: string; // "", or for this project's engine "simd" or "relaxed"
  frames: Uint8Array[]; // RGB rows, width x height
  boxes?: boolean; // the first run goes from RGBA bytes to boxes, where the engine has that
}

/** A raw output map in one layout for all engines: channels, rows, columns. */
export interface OutputMap {
  shape: [number, number, number];
  data: Float32Array;
}

/** An engine keeps its frames in its own layout, so that run() times the network alone. */
export interface Engine {
  load(options: Load): Promise<void>;
  /** Hands frame i over, computes, and leaves the outputs readable from JavaScript. */
  run(frame: number): Promise<void> | void;
  outputs(): Promise<OutputMap[]> | OutputMap[];
  /** Answers what only this engine knows (layers, limits). */
  ask?(question: string, options: unknown): Promise<unknown>;
}

type Request =
  | { id: number; kind: 'load'; options: Load }
  | { id: number; kind: 'run'; frame: number }
  | { id: number; kind: 'outputs'; frame: number }
  | { id: number; kind: 'ask'; question: string; options: unknown };

/** serve answers the page's requests with engine. */
export function serve(engine: Engine): void {
  const answer = async (request: Request): Promise<unknown> => {
    switch (request.kind) {
      case 'load': {
        const start = performance.now();
        await engine.load(request.options);
        const loaded = performance.now();
        await engine.run(0);
        return { load: loaded - start, first: performance.now() - loaded };
      }
      case 'run': {
        const start = performance.now();
        await engine.run(request.frame);
        return performance.now() - start;
      }
      case 'outputs':
        await engine.run(request.frame);
        return engine.outputs();
      case 'ask':
        if (!engine.ask) throw new Error('this engine answers no questions');
        return engine.ask(request.question, request.options);
    }
  };
  self.onmessage = async (event: MessageEvent<Request>) => {
    const { id } = event.data;
    try {
      self.postMessage({ id, value: await answer(event.data) });
    } catch (error) {
      self.postMessage({ id, error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) });
    }
  };
}

/** RGB bytes to float32 / 255, pixel by pixel (NHWC). */
export function interleaved(rgb: Uint8Array): Float32Array {
  const out = new Float32Array(rgb.length);
  for (let i = 0; i < rgb.length; i++) out[i] = rgb[i] / 255;
  return out;
}

/** RGB bytes to float32 / 255, plane by plane (NCHW). */
export function planar(rgb: Uint8Array): Float32Array {
  const pixels = rgb.length / 3;
  const out = new Float32Array(rgb.length);
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < 3; c++) out[c * pixels + p] = rgb[3 * p + c] / 255;
  }
  return out;
}

/** A map with channels contiguous to the common layout. */
export function fromNHWC(data: Float32Array, h: number, w: number, c: number): OutputMap {
  const out = new Float32Array(h * w * c);
  for (let p = 0; p < h * w; p++) {
    for (let k = 0; k < c; k++) out[k * h * w + p] = data[p * c + k];
  }
  return { shape: [c, h, w], data: out };
}

/** Bytes of a file of the model. */
export async function bytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}
