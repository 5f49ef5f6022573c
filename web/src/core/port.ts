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

/** Starts an engine's worker. */
export function workerPort(url: URL): Port {
  try {
    return new Worker(trusted(url), { name: "spotter engine" }) as Port;
  } catch (cause) {
    throw new SpotterError("no-worker", cause instanceof Error ? cause.message : String(cause));
  }
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

let policy: ReturnType<TrustedTypes["createPolicy"]> | null = null;

/** Pages that demand trusted types let addresses of workers pass by the policy "spotter". */
export function trusted(url: URL): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  try {
    policy ??= trustedTypes?.createPolicy("spotter", { createScriptURL: (text) => text }) ?? null;
  } catch {
    // the page knows no policy of that name; then it has to allow the worker otherwise
  }
  return policy?.createScriptURL(url.href) ?? url.href;
}
