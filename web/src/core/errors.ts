// Errors that a person can act on: a code for programs and for translation, a
// sentence for everyone else. Codes are keys of the page's strings ("error.<code>").

export type ErrorCode =
  | "aborted"
  | "closed"
  | "unsupported"
  | "network"
  | "not-found"
  | "html-instead"
  | "bad-module"
  | "bad-weights"
  | "mismatch"
  | "memory"
  | "bad-picture"
  | "bad-video"
  | "camera-denied"
  | "camera-missing"
  | "camera-busy"
  | "camera-insecure"
  | "camera-unsupported"
  | "camera-lost"
  | "engine";

const sentences: Record<ErrorCode, string> = {
  aborted: "The work was called off.",
  closed: "The detector is closed.",
  unsupported:
    "This browser has no WebAssembly SIMD. Update it, or use a current Chrome, Edge, Firefox or Safari 16.4.",
  network: "The download broke off. Check the connection and try again.",
  "not-found": "The server has no such file. Check the address of the model.",
  "html-instead": "The server answered with a web page instead of the file. Check the address of the model.",
  "bad-module": "The module is not one of Spotter's, or of another version. Load the page anew.",
  "bad-weights": "The weights arrived damaged. Load the page anew.",
  mismatch: "Module and weights do not belong together. Take both from the same build.",
  memory: "The browser gave no memory for the model. Close other tabs and try again.",
  "bad-picture": "This file is not a picture that the browser can read.",
  "bad-video": "This file is not a video that the browser can play.",
  "camera-denied": "The camera is blocked for this page. Allow it in the browser's site settings and try again.",
  "camera-missing": "No camera was found. Connect one, or open a picture.",
  "camera-busy": "The camera is in use elsewhere. Close the other program and try again.",
  "camera-insecure": "Browsers give the camera only to HTTPS pages and to localhost.",
  "camera-unsupported": "This browser has no camera access for pages.",
  "camera-lost": "The camera went away. Connect it again and start it anew.",
  engine: "The engine stopped unexpectedly. Load the page anew.",
};

export class SpotterError extends Error {
  readonly code: ErrorCode;
  /** What lies behind it, for a console; not translated. */
  readonly detail: string;

  constructor(code: ErrorCode, detail = "") {
    super(detail ? `${sentences[code]} (${detail})` : sentences[code]);
    this.name = "SpotterError";
    this.code = code;
    this.detail = detail;
  }
}

/** Any thrown value as a SpotterError; what is not one yet gets the code given. */
export function asError(cause: unknown, code: ErrorCode): SpotterError {
  if (cause instanceof SpotterError) return cause;
  if (cause instanceof Error && cause.name === "AbortError") return new SpotterError("aborted");
  return new SpotterError(code, cause instanceof Error ? cause.message : String(cause));
}
