// The worker: holds the engine, one piece of work at a time. The same script
// serves as a thread of the module where the engine asks for one.

import type { Exports } from "./core/abi.ts";
import { Engine } from "./core/engine.ts";
import { asError } from "./core/errors.ts";
import type { FromWorker, LoadRequest, Picture, ServeRequest, ToWorker } from "./core/messages.ts";
import { readsPictures } from "./core/pixels.ts";

interface Scope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;
let engine: Promise<Engine> | null = null;
/** Work in order: each piece starts when the one before has ended. */
let work: Promise<unknown> = Promise.resolve();
/** How long after loading the engine may be taken for idle, in milliseconds. */
const warmUpAfter = 150;
let warmUp = 0;

scope.onmessage = ({ data }) => {
  if (data.kind === "serve") serve(data);
  else {
    clearTimeout(warmUp);
    work = work.then(() => handle(data));
  }
};

async function handle(request: Exclude<ToWorker, ServeRequest>): Promise<void> {
  const id = "id" in request ? request.id : 0;
  try {
    if (request.kind === "load") await load(request);
    else if (request.kind === "threads") await setThreads(request.count);
    else if (request.kind === "again") answer(id, (await loaded()).again(request.options), null);
    else answer(id, await (await loaded()).run(request.picture, request.options), request.picture);
  } catch (cause) {
    if (request.kind === "run" && "close" in request.picture) request.picture.close();
    const { code, detail } = asError(cause, "engine");
    scope.postMessage({ kind: "failed", id, code, detail });
  }
}

function loaded(): Promise<Engine> {
  if (!engine) throw new Error("no model is loaded");
  return engine;
}

async function load(request: LoadRequest): Promise<void> {
  const signal = new AbortController().signal; // the page calls off by ending the worker
  const progress = (bytes: number) => scope.postMessage({ kind: "progress", loaded: bytes, total: request.bytes });
  engine = Engine.load(request, progress, signal);
  const ready = await engine;
  const { manifest, threads } = ready;
  scope.postMessage({ kind: "ready", manifest, threads, readsPictures });
  // Browsers compile twice, quickly and well: a run in the idle time sets the better code off.
  warmUp = Number(setTimeout(() => ready.warmUp(), warmUpAfter));
}

async function setThreads(count: number): Promise<void> {
  const ready = await loaded();
  await ready.setThreads(count);
  scope.postMessage({ kind: "threads", threads: ready.threads });
}

/** Sends a result; the picture goes back with it, to be drawn under the boxes that were found in it. */
function answer(id: number, found: Awaited<ReturnType<Engine["run"]>>, picture: Picture | null): void {
  const back = picture && !("data" in picture) ? picture : null;
  const transfer: Transferable[] = [found.records.buffer];
  if (found.masks) transfer.push(found.masks.data.buffer, found.masks.rects.buffer);
  if (back) transfer.push(back);
  scope.postMessage({ kind: "result", id, found, picture: back }, transfer);
}

async function serve({ module, memory, id }: ServeRequest): Promise<void> {
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const { worker } = instance.exports as unknown as Exports;
  scope.postMessage({ kind: "serving" });
  worker?.(id);
  scope.postMessage({ kind: "left" });
}
