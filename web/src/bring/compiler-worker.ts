// The compiler's worker: loads Go's runtime and the compiler, and hands calls on to
// it, one at a time.

import "wasm_exec.js";
import { asError, SpotterError } from "../core/errors.ts";
import { request, stream } from "../core/fetch.ts";
import { type Node, told } from "./said.ts";
import type { Call, Description, FromCompiler, ToCompiler } from "./types.ts";

/** The functions of wasm/browser; each may answer with an error. */
type Api = Record<Exclude<Call, "start"> | "close", (...args: unknown[]) => { error?: Node; questions?: unknown }>;

interface Scope {
  onmessage: ((event: MessageEvent<ToCompiler>) => void) | null;
  postMessage(message: FromCompiler, transfer?: Transferable[]): void;
  spotterCompiler?: (api: Api) => void;
}

const scope = globalThis as unknown as Scope;
let api: Promise<Api> | null = null;
/** What Go printed last: the reason where it dies. */
let printed = "";

scope.onmessage = async ({ data: { id, call, args } }) => {
  try {
    const result = call === "start" ? await start(String(args[0])) : await ask(call, args);
    scope.postMessage({ kind: "done", id, result }, transferables(result));
  } catch (cause) {
    const { code, said } = asError(cause, "compiler");
    scope.postMessage({ kind: "failed", id, code, detail: said });
  }
};

async function start(wasm: string): Promise<null> {
  api ??= load(wasm);
  await api;
  return null;
}

async function ask(call: Exclude<Call, "start">, args: unknown[]): Promise<unknown> {
  if (!api) throw new Error("the compiler is not loaded");
  const result = (await api)[call](...args, stage);
  if (result?.error) throw new SpotterError("bad-network", told(result.error));
  if (result === undefined) throw new SpotterError("compiler", printed); // Go has ended
  return result.questions ? described(result as unknown as Taken) : result;
}

/** A description as the compiler gives it. */
type Taken = Omit<Description, "took" | "notes" | "questions"> & {
  took: Node;
  notes: Node[];
  questions: (Omit<Description["questions"][number], "reason"> & { reason: Node })[];
};

function described(taken: Taken): Description {
  const questions = taken.questions.map((q) => ({ ...q, reason: told(q.reason) }));
  return { ...taken, took: told(taken.took), notes: taken.notes.map(told), questions };
}

function stage(name: string): void {
  scope.postMessage({ kind: "stage", name });
}

async function load(wasm: string): Promise<Api> {
  stage("download");
  const never = new AbortController().signal;
  const response = await request(wasm, never);
  const counted = response.clone();
  const arrived = stream(
    counted,
    (chunk, offset) => scope.postMessage({ kind: "progress", loaded: offset + chunk.length }),
    never,
  );
  const go = new Go();
  go.exit = () => {};
  const log = console.log;
  console.log = (...words: unknown[]) => {
    printed = `${printed}${words.join(" ")}\n`.slice(0, 2000);
    log(...words);
  };
  const [{ instance }] = await Promise.all([instantiate(response, go), arrived]);
  stage("start");
  return new Promise((resolve, reject) => {
    scope.spotterCompiler = resolve;
    go.run(instance).then(() => reject(new SpotterError("compiler", printed)), reject);
  });
}

/** Compiles while the bytes arrive, where the server names their type. */
async function instantiate(response: Response, go: Go) {
  if (response.headers.get("content-type") === "application/wasm") {
    return WebAssembly.instantiateStreaming(response, go.importObject);
  }
  return WebAssembly.instantiate(await response.arrayBuffer(), go.importObject);
}

/** The bytes in a result move to the page. */
function transferables(result: unknown): Transferable[] {
  if (typeof result !== "object" || result === null) return [];
  return Object.values(result).flatMap((v) => (v instanceof Uint8Array ? [v.buffer] : []));
}
