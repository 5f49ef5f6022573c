// Errors that a person can act on: a code for programs and for translation, a
// sentence that says what happened and a hint that says what to do about it.
// Codes are keys of the page's strings ("error.<code>").

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
  | "bad-network"
  | "bad-option"
  | "no-compiler"
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

/** What happened, and what to do about it. */
const texts: Record<ErrorCode, [sentence: string, hint: string]> = {
  aborted: ["The work was called off.", "Start it again when you like."],
  closed: ["The detector is closed.", "Load it anew."],
  unsupported: [
    "This browser has no WebAssembly SIMD.",
    "Update it, or use a current Chrome, Edge, Firefox or Safari 16.4.",
  ],
  network: ["The download broke off.", "Check the connection and try again."],
  "not-found": ["The server has no such file.", "Check the address of the model."],
  "html-instead": ["The server answered with a web page instead of the file.", "Check the address of the model."],
  "bad-module": ["The module is not one of Spotter's, or of another version.", "Load the page anew."],
  "bad-weights": ["The weights arrived damaged.", "Load the page anew."],
  "bad-model": [
    "This file is not a model.",
    "Take a list of models (models.json), a compiled module, or a .pt, .safetensors or .onnx file.",
  ],
  "bad-network": ["The network in this file can't run.", "The detail says why."],
  "bad-option": [
    "An option has a value that makes no sense.",
    "The detail says which; docs/api.md lists what it may be.",
  ],
  "no-compiler": [
    "This model must be compiled first, and the compiler is not here.",
    "Compile it with `spotter compile`, or put the compiler's files beside spotter.js.",
  ],
  compiler: ["The compiler stopped unexpectedly.", "Try again; a smaller input takes less memory."],
  "no-worker": [
    "The worker's script did not start.",
    "Put spotter-worker.js beside spotter.js, or say with baseURL where it is; a policy must allow it in worker-src.",
  ],
  mismatch: ["Two files do not belong together.", "Take all of them from the same build."],
  memory: [
    "The browser gave no memory.",
    "Close other tabs, or take a smaller picture or a smaller input of the model, and try again.",
  ],
  "bad-source": [
    "There is no picture in what was given.",
    "Give an img, video, canvas, ImageBitmap, ImageData, VideoFrame or Blob that has loaded.",
  ],
  tainted: [
    "The browser hides this picture's pixels, because it came from another site.",
    'Set crossorigin="anonymous" on the element; the other site must allow it with CORS headers.',
  ],
  "bad-picture": ["This file is not a picture that the browser can read.", "Take a JPEG, PNG or WebP file."],
  "bad-video": ["This file is not a video that the browser can play.", "Take an MP4 (H.264) or WebM file."],
  "camera-denied": [
    "The camera is blocked for this page.",
    'Allow it in the browser\'s site settings and try again; a page in a frame needs allow="camera" on the frame.',
  ],
  "camera-missing": ["No camera was found.", "Connect one, or open a picture."],
  "camera-busy": ["The camera is in use elsewhere.", "Close the other program and try again."],
  "camera-insecure": [
    "Browsers give the camera only to HTTPS pages and to localhost.",
    "Serve the page over HTTPS (spotter serve --tls).",
  ],
  "camera-unsupported": ["This browser has no camera access for pages.", "Use a current browser."],
  "camera-lost": ["The camera went away.", "Connect it again and start it anew."],
  restarted: ["The engine stopped and was started anew.", "Ask again."],
  engine: ["The engine stopped unexpectedly.", "Load the page anew."],
};

/** The same sentence in each of the page's languages. */
export type Said = Record<"en" | "zh", string>;

export class SpotterError extends Error {
  readonly code: ErrorCode;
  /** What to do about it. */
  readonly hint: string;
  /** What lies behind it, for a console; not translated. */
  readonly detail: string;
  /** The detail in each language, where it is meant for people. */
  readonly said: Said;

  constructor(code: ErrorCode, given: string | Said = "") {
    const [sentence, hint] = texts[code];
    const said = typeof given === "string" ? { en: given, zh: given } : given;
    const detail = said.en;
    super(`${sentence} ${hint}${detail ? ` (${detail})` : ""}`);
    this.name = "SpotterError";
    this.code = code;
    this.hint = hint;
    this.detail = detail;
    this.said = said;
  }

  /** What happened, without hint and detail. */
  get sentence(): string {
    return texts[this.code][0];
  }
}

/** Whether work was lost because the worker that had it is gone; another has taken its place. */
export function isRestart(cause: unknown): boolean {
  return cause instanceof SpotterError && cause.code === "restarted";
}

/** Any thrown value as a SpotterError; what is not one yet gets the code given. */
export function asError(cause: unknown, code: ErrorCode): SpotterError {
  if (cause instanceof SpotterError) return cause;
  if (cause instanceof Error && cause.name === "AbortError") return new SpotterError("aborted");
  return new SpotterError(code, cause instanceof Error ? cause.message : String(cause));
}
