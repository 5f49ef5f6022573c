// Many pictures in one go: collects them, runs them through the page's detector, and packs
// what was found into one file.

import type { Detector } from "../core/detector.ts";
import { asError, type SpotterError } from "../core/errors.ts";
import type { DetectOptions } from "../core/messages.ts";
import { number, t } from "../i18n/i18n.ts";
import { entryOf } from "../results/entry.ts";
import { kinds, write } from "../results/formats.ts";
import { Archive } from "./archive.ts";
import { Card, type Progress } from "./card.ts";
import { type Collection, collect, type Given } from "./files.ts";
import { Painter } from "./painter.ts";
import { Records } from "./records.ts";
import { type Done, run } from "./run.ts";
import type { Page } from "./start.ts";

/** What belongs to one run. */
interface Job {
  collection: Collection;
  detector: Detector;
  model: { name: string; classes: readonly string[] };
  archive: Archive;
  records: Records;
  copies: boolean;
  /** Whether a copy found no room. */
  full: boolean;
  progress: Progress;
  started: number;
}

/** How often the figures change, in milliseconds. */
const refreshMs = 200;

export class Batch {
  private readonly card: Card;
  private readonly painter = new Painter();
  private collection: Collection | null = null;
  /** Ends what is at work; null while nothing is. */
  private ending: AbortController | null = null;
  private busy = false;
  private url = "";
  private refreshed = 0;

  constructor(private readonly page: Page) {
    this.card = new Card({
      start: () => page.attempt(() => this.start()),
      cancel: () => this.ending?.abort(),
      close: () => this.close(),
      show: (file) => page.show(file),
    });
  }

  /** Collects the pictures, and waits for a word to start. */
  async take(given: Given): Promise<void> {
    if (this.busy) return this.card.say(t("batch.busy"));
    this.close();
    const ending = new AbortController();
    this.ending = ending;
    this.card.open();
    this.card.listing(0);
    const found = await collect(given, (count) => this.card.listing(count), ending.signal).catch((cause: unknown) => {
      if (ending.signal.aborted) return null;
      this.close();
      throw asError(cause, "bad-source");
    });
    if (!found || this.ending !== ending) return;
    this.ending = null;
    this.collection = found;
    const { manifest } = this.page.engine() ?? {};
    this.card.ready(found, manifest && manifest.task !== "segment" ? null : this.page.options().masks > 0);
  }

  private close(): void {
    this.ending?.abort();
    this.ending = null;
    this.collection = null;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = "";
    this.painter.rest();
    this.card.close();
  }

  private async start(): Promise<void> {
    const [detector, model] = [this.page.engine(), this.page.model()];
    const { collection } = this;
    if (!collection || this.busy) return;
    if (!detector || !model) return this.card.say(t("batch.waiting"));
    const { copies, masks } = this.card.wants;
    const options = { ...this.page.options(), masks: masks ? Infinity : 0 };
    const job: Job = {
      collection,
      detector,
      model,
      archive: new Archive(),
      records: new Records(),
      copies,
      full: false,
      progress: { done: 0, all: collection.items.length, rate: 0, objects: 0 },
      started: performance.now(),
    };
    this.busy = true;
    try {
      const outcome = await this.work(job, options);
      await this.finish(job, outcome);
    } finally {
      this.busy = false;
      this.painter.rest();
    }
  }

  /** Runs to whatever end, and gives the sentence that says which. */
  private async work(job: Job, options: DetectOptions): Promise<() => string> {
    const ending = new AbortController();
    this.ending = ending;
    this.card.say("");
    this.card.running(job.progress);
    ending.signal.addEventListener("abort", () => this.card.packing(job.progress, cancelled(job)));
    const steps = {
      keep: (done: Done) => this.keep(job, done),
      skip: (item: Done["item"], reason: Parameters<typeof this.card.unread.add>[0]["reason"]) => {
        this.card.unread.add({ path: item.path, reason });
        this.count(job, 0);
      },
    };
    try {
      await run(job.collection.items, job.detector, options, steps, ending.signal);
      return () => t("batch.finished", { all: number(job.progress.all) });
    } catch (cause) {
      return ending.signal.aborted ? cancelled(job) : stopped(job, asError(cause, "engine"));
    } finally {
      if (this.ending === ending) this.ending = null;
    }
  }

  private async keep(job: Job, done: Done): Promise<void> {
    const { item, picture, result } = done;
    const about = { file: item.path, model: job.model.name, time: new Date() };
    job.records.add(entryOf(result, about));
    this.card.thumbs.add(done);
    this.count(job, result.detections.length);
    if (!job.copies) return;
    const copy = await this.painter.jpeg(picture, result, { ...this.page.look(), name: (d) => this.page.name(d) });
    if (!copy || !job.archive.holds(copy.size)) job.full = true;
    else job.archive.store(copyPath(item.path), new Uint8Array(await copy.arrayBuffer()));
  }

  private count({ progress, started }: Job, objects: number): void {
    progress.done++;
    progress.objects += objects;
    const now = performance.now();
    progress.rate = (progress.done / Math.max(1, now - started)) * 1000;
    if (now - this.refreshed < refreshMs || this.ending === null) return;
    this.refreshed = now;
    if (!this.ending.signal.aborted) this.card.running(progress);
  }

  private async finish(job: Job, outcome: () => string): Promise<void> {
    const { archive, records, model, progress, collection } = job;
    this.card.packing(progress, outcome);
    const entries = await records.read();
    for (const format of ["json", "csv", "coco", "coco-dataset"] as const) {
      archive.pack(`results${kinds[format].ending}`, write(format, entries, model.classes));
    }
    const unread = this.card.unread.text();
    if (unread) archive.pack("unreadable.txt", unread);
    const zip = archive.finish();
    this.url = URL.createObjectURL(zip);
    const name = `${(collection.name || "pictures").replace(/[^\p{L}\p{N}._-]+/gu, "_")}-spotter.zip`;
    this.card.done(progress, outcome, { name, url: this.url, bytes: zip.size }, job.full ? t("batch.full") : "");
  }
}

/** Where a copy with the findings lies in the zip: beside nothing else, as .jpg. */
function copyPath(path: string): string {
  return `pictures/${/\.jpe?g$/i.test(path) ? path : `${path}.jpg`}`;
}

function cancelled({ progress }: Job): () => string {
  const counts = { done: number(progress.done), all: number(progress.all) };
  return () => t("batch.cancelled", counts);
}

function stopped({ progress }: Job, error: SpotterError): () => string {
  const counts = { done: number(progress.done), all: number(progress.all) };
  const reason = () => t(error.code === "closed" ? "batch.exchanged" : `error.${error.code}`);
  return () => t("batch.stopped", { ...counts, reason: reason() });
}
