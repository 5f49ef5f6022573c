// The page of the benchmark: one worker for each engine and thread count, driven by the
// command through window.bench. Workers take turns, so that no two compute at once.
import type { Load, OutputMap } from './engine';

interface Spec {
  key: string; // engine, variant and threads: unique in a round
  script: string; // worker script
  module: boolean; // whether it is a module worker
  options: Omit<Load, 'frames'>;
}

/** Client is the page's end of one engine's worker. */
class Client {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, { resolve: (v: unknown) => void; reject: (e: Error) => void }>();
  private next = 0;

  constructor(readonly spec: Spec) {
    this.worker = new Worker(spec.script, { type: spec.module ? 'module' : 'classic', name: spec.key });
    this.worker.onmessage = ({ data }) => {
      const entry = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (data.error) entry?.reject(new Error(`${spec.key}: ${data.error}`));
      else entry?.resolve(data.value);
    };
    this.worker.onerror = (event) => {
      const error = new Error(`${spec.key}: ${event.message || 'the worker could not be started'}`);
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
    };
  }

  call<T>(request: Record<string, unknown>): Promise<T> {
    const id = this.next++;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (v: unknown) => void, reject });
      this.worker.postMessage({ id, ...request });
    });
  }

  close(): void {
    this.worker.terminate();
  }
}

const clients = new Map<string, Client>();
let frames: Uint8Array[] = [];

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function frameList(url: string, count: number): Promise<Uint8Array[]> {
  const load = async (i: number) => new Uint8Array(await (await fetch(`${url}/${i}`)).arrayBuffer());
  return Promise.all(Array.from({ length: count }, (_, i) => load(i)));
}

/** Starts an engine and returns the milliseconds of its load and first run. */
async function open(spec: Spec): Promise<{ load: number; first: number }> {
  const client = new Client(spec);
  clients.set(spec.key, client);
  return client.call({ kind: 'load', options: { ...spec.options, frames } });
}

/** Ends every engine of the round. */
function closeAll(): void {
  for (const client of clients.values()) client.close();
  clients.clear();
}

/** Largest difference of two output lists over the standard deviation of the map that it is in. */
function deviation(got: OutputMap[], want: OutputMap[]): number {
  if (got.length !== want.length) throw new Error(`${got.length} outputs, not ${want.length}`);
  let worst = 0;
  got.forEach((map, m) => {
    const other = want[m];
    if (String(map.shape) !== String(other.shape)) throw new Error(`output ${m} is ${map.shape}, not ${other.shape}`);
    let sum = 0;
    let squares = 0;
    let difference = 0;
    for (let i = 0; i < other.data.length; i++) {
      const v = other.data[i];
      sum += v;
      squares += v * v;
      const d = Math.abs(map.data[i] - v);
      if (!(d <= difference)) difference = d; // NaN is the worst
    }
    const mean = sum / other.data.length;
    const std = Math.sqrt(squares / other.data.length - mean * mean);
    const ratio = difference / std;
    if (!(ratio <= worst)) worst = ratio;
  });
  return worst;
}

/** Deviation of every engine from the first one, on one frame. */
async function compare(frame: number): Promise<Record<string, number>> {
  const out: Record<string, number> = {};
  let reference: OutputMap[] | undefined;
  for (const [key, client] of clients) {
    const maps = await client.call<OutputMap[]>({ kind: 'outputs', frame });
    reference ??= maps;
    const worst = deviation(maps, reference);
    out[key] = Number.isNaN(worst) ? -1 : worst; // JSON has no NaN
  }
  return out;
}

/** Runs each engine alone until its code is compiled for good. */
async function warm(runs: number, milliseconds: number): Promise<void> {
  for (const client of clients.values()) {
    const start = performance.now();
    for (let i = 0; i < runs || performance.now() - start < milliseconds; i++) {
      await client.call({ kind: 'run', frame: i % frames.length });
    }
  }
}

/** One round: every engine once, starting at another one each round. */
async function round(number: number, pause: number): Promise<Record<string, number>> {
  const list = [...clients.values()];
  const times: Record<string, number> = {};
  for (let i = 0; i < list.length; i++) {
    const client = list[(number + i) % list.length];
    await sleep(pause); // pools of the engine before stop spinning
    times[client.spec.key] = await client.call<number>({ kind: 'run', frame: number % frames.length });
  }
  return times;
}

const bench = {
  async setFrames(url: string, count: number): Promise<number> {
    frames = await frameList(url, count);
    return frames.length;
  },
  open,
  closeAll,
  compare,
  warm,
  round,
  ask: (key: string, question: string, options: unknown) => {
    const client = clients.get(key);
    if (!client) throw new Error(`there is no engine ${key}`);
    return client.call<unknown>({ kind: 'ask', question, options });
  },
  cores: () => navigator.hardwareConcurrency,
  isolated: () => crossOriginIsolated,
};

export type Bench = typeof bench;
Object.assign(window, { bench });
