// What the page and its worker send each other.

/** A network as the server made it ready; see server.go. */
export interface Network {
  name: string;
  folder: string;
  outputs: string[]; // of the ONNX, in the order of the module's outputs
  source: string;
  notes: string[] | null;
}

export interface Request {
  network: Network;
  picture: ImageData;
  confidence: number;
}

/** A box in pixels of the picture; of a classifier a class without a box. */
export interface Found {
  box: [number, number, number, number]; // x1, y1, x2, y2
  score: number;
  label: string;
}

/** One raw output map of both engines. */
export interface Difference {
  name: string;
  shape: [number, number, number]; // height, width, channels
  largest: number; // absolute difference
  deviations: number; // the same in standard deviations of onnxruntime-web's map
}

export interface Times {
  minimum: number; // milliseconds
  median: number;
}

export interface Result {
  network: string;
  source: string;
  task: string;
  features: string[];
  runs: number;
  maps: Difference[];
  boxes: { spotter: Found[]; onnxruntime: Found[]; matched: number };
  times: { spotter: Times; onnxruntime: Times };
}

export type Answer = { progress: string } | { error: string } | { result: Result };
