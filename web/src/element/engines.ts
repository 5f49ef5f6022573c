// Engines that views share: those that want the same model get the same worker, which
// ends when the last of them has let go.

import type { LoadOptions, ModelSource, Progress } from "../../npm/spotter.d.ts";
import { baseOf } from "../api/base.ts";
import { loadEngine } from "../api/detector.ts";
import type { Detector, Result } from "../core/detector.ts";
import { SpotterError } from "../core/errors.ts";
import type { DetectOptions, Picture } from "../core/messages.ts";
import type { Finder } from "../view/session.ts";
import { Share } from "../view/share.ts";

export interface Wanted {
  model: ModelSource | null;
  baseURL: string | undefined;
  threads: number | undefined;
}

interface Shared {
  key: unknown;
  loading: Promise<{ engine: Detector; worker: boolean }>;
  ending: AbortController;
  progress: Progress | null;
  leases: Set<Lease>;
}

const all = new Map<unknown, Shared>();

/** What a view hears of its engine. */
export interface LeaseListener {
  progress(progress: Progress): void;
  /** The engine was started anew, or lost a thread. */
  changed(): void;
}

/** A view's part in an engine. */
export class Lease implements Finder {
  engine: Detector | null = null;
  worker = true;
  private readonly shared: Shared;
  private share: Share | null = null;

  constructor(
    wanted: Wanted,
    readonly listener: LeaseListener,
  ) {
    const key = keyOf(wanted);
    this.shared = all.get(key) ?? begin(key, wanted);
    this.shared.leases.add(this);
    if (this.shared.progress) listener.progress(this.shared.progress);
  }

  /** Resolves when the engine runs. */
  async ready(): Promise<this> {
    const { engine, worker } = await this.shared.loading;
    if (!this.shared.leases.has(this)) throw new SpotterError("aborted");
    this.engine = engine;
    this.share = new Share(engine);
    this.worker = worker;
    return this;
  }

  get remembers(): boolean {
    return this.share?.remembers ?? false;
  }

  async detect(picture: Picture, options: DetectOptions): Promise<Result> {
    return this.running().detect(picture, options);
  }

  async again(options: DetectOptions): Promise<Result> {
    return this.running().again(options);
  }

  /** Lets go; the last one ends the engine. */
  release(): void {
    const { shared } = this;
    shared.leases.delete(this);
    if (shared.leases.size > 0) return;
    if (all.get(shared.key) === shared) all.delete(shared.key);
    shared.ending.abort();
    shared.loading.then(({ engine }) => engine.close()).catch(() => {}); // who waited for it heard
  }

  /** Lets go of an engine that no longer works, so that the next view gets another. */
  discard(): void {
    if (all.get(this.shared.key) === this.shared) all.delete(this.shared.key);
    this.release();
  }

  private running(): Share {
    if (!this.share) throw new SpotterError("closed");
    return this.share;
  }
}

function keyOf({ model, baseURL, threads }: Wanted): unknown {
  if (model !== null && typeof model !== "string") return model;
  return [model === null ? "" : new URL(model, document.baseURI), baseOf(baseURL), threads ?? ""].join(" ");
}

function begin(key: unknown, { model, baseURL, threads }: Wanted): Shared {
  const ending = new AbortController();
  const options: LoadOptions = { signal: ending.signal, baseURL, threads, onprogress: (p) => tell(shared, p) };
  const shared: Shared = {
    key,
    loading: loadEngine(model, options),
    ending,
    progress: null,
    leases: new Set(),
  };
  shared.loading.then(
    ({ engine }) => {
      engine.onchange = () => {
        for (const { listener } of shared.leases) listener.changed();
      };
    },
    () => {
      if (all.get(key) === shared) all.delete(key); // the next one tries anew
    },
  );
  all.set(key, shared);
  return shared;
}

function tell(shared: Shared, progress: Progress): void {
  shared.progress = progress;
  for (const { listener } of shared.leases) listener.progress(progress);
}
