// The page's side of the compiler: starts its worker when somebody needs it, and drops
// it, with all its memory, when nobody has for a while.

import { asError, SpotterError } from "../core/errors.ts";
import { trusted } from "../core/port.ts";
import type { Call, Calls, Description, Form, FromCompiler, Options, ToCompiler } from "./types.ts";

/** Where the build put the compiler, relative to this script; null in a site without one. */
declare const COMPILER: { worker: string; wasm: string; bytes: number; transfer: number } | null;

/** How long the compiler is kept for the next piece of work, in milliseconds. */
const idleMs = 30_000;

export const compilerHere = COMPILER !== null;

/** Names the build of the compiler: what it made is kept under it. */
export const compilerId = COMPILER?.wasm ?? "";

/** Where the compiler's two files are. */
export interface CompilerFiles {
  worker: URL;
  wasm: URL;
}

/** The files that the build names, from an address: the script's own, unless another is given. */
export function compilerFiles(base: string | URL = import.meta.url): CompilerFiles {
  return { worker: new URL(COMPILER?.worker ?? "", base), wasm: new URL(COMPILER?.wasm ?? "", base) };
}

export type Stage = "download" | "start" | "read" | "lower" | "emit" | "save";

export interface Progress {
  stage: Stage;
  /** Bytes that have travelled, and all of them, while the compiler arrives. */
  loaded: number;
  total: number;
}

interface Waiting {
  resolve: (result: never) => void;
  reject: (error: SpotterError) => void;
}

/** A compiler that holds one file at a time. */
export class Compiler {
  /** Called as each stage begins and while the compiler arrives. */
  onprogress: ((progress: Progress) => void) | null = null;
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 1;
  private idle = 0;
  /** What the worker holds: the same file need not be sent again. */
  private held: Blob | null = null;

  constructor(private readonly files: CompilerFiles = compilerFiles()) {}

  /** Opens a file, or the one that is open anew with other options. */
  async open(file: Blob, name: string, options: Options): Promise<Description> {
    if (this.worker && this.held === file) return this.ask("reopen", options);
    const bytes = new Uint8Array(
      await file.arrayBuffer().catch((cause: unknown) => {
        throw asError(cause, "bad-model");
      }),
    );
    await this.start();
    const described = this.ask("open", name, bytes, options);
    this.held = file;
    return described;
  }

  compile(form: Form) {
    return this.ask("compile", form);
  }

  safetensors() {
    return this.ask("safetensors");
  }

  /** Ends the worker: its memory goes back, work in it is rejected. */
  close(error = new SpotterError("closed")): void {
    clearTimeout(this.idle);
    this.worker?.terminate();
    this.worker = null;
    this.held = null;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  private async start(): Promise<void> {
    if (!compilerHere) throw new SpotterError("no-compiler");
    if (this.worker) return;
    this.worker = new Worker(trusted(this.files.worker), { name: "spotter compiler" });
    this.worker.onmessage = ({ data }: MessageEvent<FromCompiler>) => this.receive(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      // A script that is not there has nothing to say.
      this.close(
        event.message
          ? new SpotterError("compiler", event.message)
          : new SpotterError("no-compiler", this.files.worker.href),
      );
    };
    try {
      await this.ask("start", this.files.wasm.href);
    } catch (cause) {
      this.close();
      throw cause;
    }
  }

  private ask<C extends Call>(call: C, ...args: Calls[C]["args"]): Promise<Calls[C]["result"]> {
    clearTimeout(this.idle);
    return new Promise<Calls[C]["result"]>((resolve, reject) => {
      const { worker } = this;
      if (!worker) return reject(new SpotterError("closed"));
      const id = this.nextId++;
      this.waiting.set(id, { resolve, reject });
      worker.postMessage({ id, call, args } satisfies ToCompiler, transferables(args));
    }).finally(() => {
      clearTimeout(this.idle);
      if (this.waiting.size === 0) this.idle = window.setTimeout(() => this.close(), idleMs);
    });
  }

  private receive(message: FromCompiler): void {
    if (message.kind === "stage") this.tell(message.name as Stage, 0);
    else if (message.kind === "progress") this.tell("download", message.loaded);
    else {
      const waiting = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (message.kind === "done") waiting?.resolve(message.result as never);
      else {
        const error = new SpotterError(message.code, message.detail);
        waiting?.reject(error);
        if (message.code === "compiler") this.close(error); // Go does not come back from the dead
      }
    }
  }

  /** The worker sees unpacked bytes; a person cares for those that travel. */
  private tell(stage: Stage, unpacked: number): void {
    const { bytes, transfer } = COMPILER ?? { bytes: 1, transfer: 0 };
    this.onprogress?.({ stage, loaded: (unpacked / bytes) * transfer, total: transfer });
  }
}

function transferables(args: unknown[]): Transferable[] {
  return args.flatMap((a) => (a instanceof Uint8Array ? [a.buffer] : []));
}
