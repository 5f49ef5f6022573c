// How the page reaches the engine: through a worker, as a rule.

import { SpotterError } from "./errors.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

/** The side of a worker that the page sees. */
export interface Port {
  onmessage: ((event: { data: FromWorker }) => void) | null;
  onerror: ((event: { message?: string; preventDefault?(): void }) => void) | null;
  postMessage(message: ToWorker, transfer: Transferable[]): void;
  terminate(): void;
}

/** Starts an engine's worker; the address is one that `new Worker` takes. */
export function workerPort(url: string | URL): Port {
  try {
    return new Worker(url, { name: "spotter engine" }) as Port;
  } catch (cause) {
    throw new SpotterError("no-worker", cause instanceof Error ? cause.message : String(cause));
  }
}
