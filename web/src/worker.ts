// The worker: holds the engine. The same script serves as a thread of the module
// where the engine asks for one.

import type { Exports } from "./core/abi.ts";
import { Host } from "./core/host.ts";
import type { FromWorker, ServeRequest, ToWorker } from "./core/messages.ts";

interface Scope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;
const host = new Host((message, transfer) => scope.postMessage(message, transfer));

scope.onmessage = ({ data }) => {
  if (data.kind === "serve") void serve(data);
  else {
    if (data.kind === "load") live();
    host.take(data);
  }
};

/** Holds a lock until the worker ends, however it ends: so the page learns of it. */
function live(): void {
  if (!globalThis.navigator?.locks) return;
  const lock = `spotter engine ${crypto.randomUUID()}`;
  const held = navigator.locks.request(lock, () => {
    scope.postMessage({ kind: "alive", lock });
    return new Promise<void>(() => {});
  });
  held.catch(() => {}); // pages without an origin get none
}

async function serve({ module, memory, id }: ServeRequest): Promise<void> {
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const { worker } = instance.exports as unknown as Exports;
  scope.postMessage({ kind: "serving" });
  worker?.(id);
  scope.postMessage({ kind: "left" });
}
