// The threads of a module: workers of the same script that stay inside the
// module's worker() and share its memory.

import type { Exports } from "./abi.ts";
import type { FromWorker, ServeRequest } from "./messages.ts";

/** How long a thread may take to report before the engine goes on without threads. */
const patience = 5000;

export class Pool {
  private workers: Worker[] = [];

  constructor(
    private readonly module: WebAssembly.Module,
    private readonly memory: WebAssembly.Memory,
    private readonly exports: Exports,
  ) {}

  /** Sets the number of threads, the caller's own included; returns how many there are now. */
  async resize(count: number): Promise<number> {
    const { threads, stop } = this.exports;
    if (!threads || !stop) return 1;
    await this.end();
    const ids = Array.from({ length: count - 1 }, (_, i) => i + 1);
    const started = await Promise.all(ids.map((id) => this.start(id)));
    if (started.includes(false)) {
      this.abandon();
      count = 1;
    }
    threads(count);
    return count;
  }

  /** Lets all threads leave the module, then ends their workers. */
  async end(): Promise<void> {
    if (this.workers.length === 0) return;
    const left = this.workers.map((w) => answer(w, "left"));
    this.exports.stop?.();
    await Promise.all(left);
    for (const worker of this.workers) worker.terminate();
    this.workers = [];
  }

  /** Ends the workers without asking them: some of them don't answer. */
  abandon(): void {
    for (const worker of this.workers) worker.terminate();
    this.workers = [];
    this.exports.stop?.();
  }

  private start(id: number): Promise<boolean> {
    const worker = new Worker(globalThis.location.href, { name: `spotter thread ${id}` });
    this.workers.push(worker);
    const serving = answer(worker, "serving");
    worker.postMessage({ kind: "serve", module: this.module, memory: this.memory, id } satisfies ServeRequest);
    return serving;
  }
}

/** Waits for one kind of message; false when it fails or takes too long. */
function answer(worker: Worker, kind: FromWorker["kind"]): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), patience);
    const settle = (good: boolean) => {
      clearTimeout(timer);
      resolve(good);
    };
    worker.onmessage = (event: MessageEvent<FromWorker>) => settle(event.data.kind === kind);
    worker.onerror = () => settle(false);
  });
}
