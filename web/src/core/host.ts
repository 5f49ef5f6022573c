// Serves an engine to whoever sends messages: one piece of work at a time, in order.
// Runs in the worker, or in the page itself where no worker can be had.

import { build } from "./build.ts";
import { Engine } from "./engine.ts";
import { asError } from "./errors.ts";
import type { FromWorker, Inspection, LoadRequest, Picture, ServeRequest, ToWorker } from "./messages.ts";
import { readsPictures } from "./pixels.ts";

/** How long after loading the engine may be taken for idle, in milliseconds. */
const warmUpAfter = 150;

export type Request = Exclude<ToWorker, ServeRequest>;

export class Host {
  private engine: Promise<Engine> | null = null;
  /** Each piece starts when the one before has ended. */
  private work: Promise<unknown> = Promise.resolve();
  private warmUp = 0;
  private readonly ending = new AbortController();

  constructor(private readonly post: (message: FromWorker, transfer: Transferable[]) => void) {}

  take(request: Request): void {
    if (request.kind === "ask") {
      this.post({ kind: "here" }, []);
      return;
    }
    clearTimeout(this.warmUp);
    this.work = this.work.then(() => this.handle(request));
  }

  /** Calls downloads off and lets the engine go. */
  end(): void {
    clearTimeout(this.warmUp);
    this.ending.abort();
    this.engine = null;
  }

  private async handle(request: Exclude<Request, { kind: "ask" }>): Promise<void> {
    const id = "id" in request ? request.id : 0;
    try {
      if (request.kind === "load") await this.load(request);
      else if (request.kind === "threads") await this.setThreads(request.count);
      else if (request.kind === "inspect") this.inspect(id, (await this.loaded()).inspect(request.look));
      else if (request.kind === "again") this.answer(id, (await this.loaded()).again(request.options), null);
      else await this.run(await this.loaded(), request);
    } catch (cause) {
      if (request.kind === "run" && "close" in request.picture) request.picture.close();
      const { code, detail } = asError(cause, "engine");
      this.post({ kind: "failed", id, code, detail }, []);
    }
  }

  private loaded(): Promise<Engine> {
    if (!this.engine) throw new Error("no model is loaded");
    return this.engine;
  }

  private async load(request: LoadRequest): Promise<void> {
    const progress = (loaded: number) => this.post({ kind: "progress", loaded, total: request.bytes }, []);
    this.engine = Engine.load(request, progress, this.ending.signal);
    const ready = await this.engine;
    const { manifest, threads } = ready;
    this.post({ kind: "ready", build, manifest, threads, readsPictures }, []);
    // Browsers compile twice, quickly and well: a run in the idle time sets the better code off.
    this.warmUp = Number(setTimeout(() => this.warm(ready), warmUpAfter));
  }

  private warm(ready: Engine): void {
    this.work = this.work.then(() => this.watched(ready, ready.warmUp())).catch(() => {}); // what fails now fails again
  }

  private async run(ready: Engine, { id, picture, options }: Extract<Request, { kind: "run" }>): Promise<void> {
    this.answer(id, await this.watched(ready, ready.run(picture, options)), picture);
  }

  /** Awaits work of the engine, and says so where it took leave of its threads for it. */
  private async watched<T>(ready: Engine, work: Promise<T>): Promise<T> {
    const before = ready.threads;
    try {
      return await work;
    } finally {
      if (ready.threads !== before) this.tellThreads(ready);
    }
  }

  private tellThreads({ threads, lostThread }: Engine): void {
    this.post({ kind: "threads", threads, lost: lostThread }, []);
  }

  private async setThreads(count: number): Promise<void> {
    const ready = await this.loaded();
    await ready.setThreads(count);
    this.tellThreads(ready);
  }

  private inspect(id: number, found: Inspection): void {
    this.post(
      { kind: "inspected", id, found },
      found.maps.map((m) => m.data.buffer),
    );
  }

  /** Sends a result; the picture goes back with it, to be drawn under the boxes that were found in it. */
  private answer(id: number, found: Awaited<ReturnType<Engine["run"]>>, picture: Picture | null): void {
    const transfer: Transferable[] = [found.records.buffer];
    if (found.masks) transfer.push(found.masks.data.buffer, found.masks.rects.buffer);
    if (picture) transfer.push("data" in picture ? picture.data : picture);
    this.post({ kind: "result", id, found, picture }, transfer);
  }
}
