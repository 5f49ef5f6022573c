// Models in the page: those of the site and those that people bring. Opens, asks,
// compiles, exchanges what runs, and saves; whatever fails leaves what runs alone.

import type { Catalog, Model } from "../core/catalog.ts";
import type { Detector } from "../core/detector.ts";
import { asError, SpotterError } from "../core/errors.ts";
import { request } from "../core/fetch.ts";
import { say } from "../field/say.ts";
import { type Key, megabytes, t } from "../i18n/i18n.ts";
import { persist } from "../offline/storage.ts";
import { download } from "../ui/dom.ts";
import { Card } from "./card.ts";
import { compilerHere, type Progress } from "./compiler.ts";
import { type Dropped, modelIn } from "./files.ts";
import { LayersView } from "./layers.ts";
import { keptOrigin, keptPair, originOf } from "./origins.ts";
import { loadPair, type Pair } from "./pair.ts";
import { Picker } from "./picker.ts";
import { ask } from "./questions.ts";
import { type Size, same, sizeFor } from "./sizes.ts";
import { hashOf, type Stored, store } from "./store.ts";
import type { Compiled, Description, Options } from "./types.ts";
import { type Lap, type Made, type Origin, Workshop } from "./workshop.ts";

/** The page around it. */
export interface Page {
  /** Starts a model of the site as it was compiled ahead of time. */
  load(model: Model): Promise<Detector>;
  /** Lets a detector take over; the one before is closed then. */
  adopt(detector: Detector): Promise<void>;
  /** The size of what is looked at; null when that is nothing. */
  picture(): Size | null;
  /** Runs a piece of work, and says it where it fails. */
  attempt(work: () => Promise<void>): void;
  /** Shows a piece of work; null when it is done. */
  working(text: string | null, part?: number | null): void;
}

/** What runs, and where it came from. */
export interface Running {
  detector: Detector;
  /** What the picker knows it by. */
  id: string;
  origin: Origin | null;
  shipped: Model | null;
  options: Options;
  description: Description | null;
  compiled: Compiled | null;
  laps: readonly Lap[];
}

const never = new AbortController().signal;

export class Bring {
  private running: Running | null = null;
  private catalog: Catalog = { default: "", models: [] };
  /** Counts pieces of work: an older one gives way to a newer. */
  private turn = 0;
  private long = 0;
  private readonly workshop = new Workshop((progress) => this.tell(progress));
  private readonly layers = new LayersView((cause) => this.page.attempt(() => Promise.reject(cause)));
  private readonly card: Card;
  private readonly picker: Picker;

  constructor(private readonly page: Page) {
    const attempt = (work: () => Promise<void>) => () => page.attempt(work);
    this.card = new Card({
      choose: () => this.picker.open(),
      answer: attempt(() => this.answer()),
      layers: () => this.running && this.layers.open(this.running.detector, this.running.description),
      resize: (long) => {
        this.long = long;
        page.attempt(() => this.fit());
      },
      save: (what) => page.attempt(() => this.save(what)),
    });
    this.picker = new Picker({
      shipped: () => this.catalog.models,
      current: () => this.running?.id ?? "",
      chooseShipped: (model) => page.attempt(() => this.start(model)),
      chooseStored: (model) => page.attempt(() => this.reopen(model)),
      bring: (files) => page.attempt(async () => this.take((await modelIn(files)) ?? notOne(files))),
    });
  }

  /** Whether the network's input takes the picture's shape. */
  get follows(): boolean {
    return this.card.matching;
  }

  /** What runs, and where it came from. */
  get current(): Running | null {
    return this.running;
  }

  /** The models of the site. */
  get offered(): readonly Model[] {
    return this.catalog.models;
  }

  offer(catalog: Catalog): void {
    this.catalog = catalog;
  }

  /** Runs a model of the site. */
  async start(model: Model): Promise<void> {
    const mine = ++this.turn;
    const detector = await this.page.load(model);
    await this.adopt(mine, {
      detector,
      id: model.id,
      origin: originOf(model),
      shipped: model,
      options: {},
      description: null,
      compiled: null,
      laps: [],
    });
    await this.fit();
  }

  /** Runs a model that somebody brought; a YAML alone goes to the model that runs. */
  async take({ model, yaml, module, weights }: Dropped): Promise<void> {
    if (!model && (module || weights)) {
      const { name = "" } = module ?? weights ?? {};
      const id = module ? await hashOf(await module.arrayBuffer()) : "";
      return this.run({ name, module, weights }, id);
    }
    const text = await yaml?.text();
    if (!model) {
      const { running } = this;
      if (!running?.origin || running.shipped || !text) throw new SpotterError("bad-model", yaml?.name);
      return this.open(running.origin, { ...without(running.options, "builtin", "scale"), yaml: text });
    }
    const bytes = await model.arrayBuffer().catch((cause: unknown) => {
      throw asError(cause, "bad-model");
    });
    const id = await hashOf(bytes);
    const known = (await store.models()).find((m) => m.id === id);
    const options = text ? { yaml: text } : (known?.options ?? {});
    await this.open({ id, name: model.name, file: async () => model, options: {} }, options);
  }

  /** The picture has another size now: the network's input follows where that is wanted. */
  async fit(): Promise<void> {
    const { running } = this;
    if (!running?.origin || !this.resizable(running)) return;
    const { width, height } = running.detector.manifest;
    const long = this.long || Math.max(width, height);
    const picture = this.card.matching ? this.page.picture() : null;
    if (!picture && !this.long) return;
    const wanted = sizeFor(long, this.stride(running), picture);
    if (same(wanted, { width, height })) return;
    await this.resize(wanted);
  }

  /** Compiles what runs for another size of its input. */
  async resize(wanted: Size): Promise<void> {
    const { running } = this;
    if (!running?.origin) return;
    const { shipped, origin, options } = running;
    if (shipped && same(wanted, shipped)) return this.start(shipped);
    await this.open(origin, { ...options, ...wanted }, shipped);
  }

  private async reopen(model: Stored): Promise<void> {
    if (model.compiled) return this.run(await keptPair(model), model.id);
    await this.open(await keptOrigin(model), model.options);
  }

  /** Runs what came compiled, and keeps it. */
  private async run(pair: Pair, id: string): Promise<void> {
    const mine = ++this.turn;
    this.page.working(t("stage.engine"));
    try {
      const { detector, compiled } = await loadPair(pair);
      await this.adopt(mine, {
        detector,
        id,
        origin: null,
        shipped: null,
        options: {},
        description: null,
        compiled,
        laps: [],
      });
      const { task, params } = detector.manifest;
      const bytes = compiled.module.byteLength + compiled.weights.byteLength;
      const about = { id, name: pair.name, bytes, options: {}, task, params, used: Date.now(), compiled: true };
      await keep(about, new Blob([compiled.weights]), new Blob([compiled.module]));
    } finally {
      if (mine === this.turn) this.page.working(null);
    }
  }

  /** Makes a detector of a file and lets it take over. */
  private async open(origin: Origin, options: Options, shipped: Model | null = null): Promise<void> {
    const mine = ++this.turn;
    if (!compilerHere) throw new SpotterError("no-compiler", origin.name);
    this.page.working(t("stage.storage"));
    try {
      const made = await this.make(mine, origin, options);
      if (mine !== this.turn) {
        made.detector.close();
        throw new SpotterError("aborted");
      }
      if (!shipped) {
        this.long = 0;
        await this.remember(made);
      }
      await this.adopt(mine, { ...made, id: shipped?.id ?? origin.id, shipped });
    } finally {
      if (mine === this.turn) this.page.working(null);
    }
    if (!shipped && this.running?.description?.questions.some((q) => q.kind === "classes")) {
      this.page.attempt(() => this.answer(false));
    }
  }

  /** Asks as long as answers are needed. */
  private async make(mine: number, origin: Origin, options: Options): Promise<Made> {
    for (let given = options; ; ) {
      const outcome = await this.workshop.make(origin, given);
      if (outcome.made) return outcome.made;
      if (mine !== this.turn) throw new SpotterError("aborted");
      this.page.working(null);
      const answers = await ask(outcome.description, given, false);
      if (!answers || mine !== this.turn) throw new SpotterError("aborted");
      given = { ...given, ...answers };
    }
  }

  /** Asks what was guessed, and makes the model anew with the answers. */
  private async answer(more = true): Promise<void> {
    const { running } = this;
    if (!running?.description || !running.origin) return;
    const answers = await ask(running.description, running.options, more);
    if (answers && running === this.running) await this.open(running.origin, { ...running.options, ...answers });
  }

  private async remember({ origin, options, description }: Made): Promise<void> {
    const { id, name } = origin;
    const file = await origin.file();
    const { task, params } = description;
    await keep({ id, name, bytes: file.size, options, task, params, used: Date.now() }, file);
  }

  private async adopt(mine: number, running: Running): Promise<void> {
    if (mine !== this.turn) {
      running.detector.close();
      throw new SpotterError("aborted");
    }
    if (running.shipped !== this.running?.shipped) this.long = 0;
    this.running = running;
    await this.page.adopt(running.detector);
    this.card.show({
      detector: running.detector,
      description: running.description,
      laps: running.laps,
      resizable: this.resizable(running),
      stride: this.stride(running),
      savable: this.savable(running),
    });
  }

  private resizable({ origin, shipped, description }: Running): boolean {
    return compilerHere && origin !== null && !(description?.fixed ?? shipped?.source?.fixed);
  }

  private savable({ origin, shipped, description }: Running): boolean {
    return compilerHere && (description?.savable ?? (origin !== null && shipped?.source?.savable === true));
  }

  private stride({ detector }: Running): number {
    return Math.max(32, ...detector.manifest.head.strides);
  }

  private async save(what: "module" | "weights" | "safetensors"): Promise<void> {
    const { running } = this;
    if (!running) return;
    const { detector, origin, options } = running;
    const name = (origin?.name ?? detector.model.id).replace(/\.[^.]+$/, "");
    if (what === "safetensors") {
      if (!origin) return;
      this.page.working(t("stage.save"));
      try {
        const compiler = await this.workshop.opened(origin, options);
        download(`${name}.safetensors`, (await compiler.safetensors()).file);
      } finally {
        this.page.working(null);
      }
      return;
    }
    const kept = running.compiled?.[what];
    const part = what === "module" ? detector.variant : detector.model.weights;
    const data = kept ?? (await (await request(part.url, never)).blob());
    download(`${name}.${what === "module" ? "wasm" : "bin"}`, data);
  }

  private tell({ stage, loaded, total }: Progress): void {
    const words = t(`stage.${stage}` as Key, { loaded: megabytes(loaded), total: megabytes(total) });
    this.page.working(words, stage === "download" ? loaded / total : null);
  }
}

function without<K extends keyof Options>(options: Options, ...keys: K[]): Options {
  return Object.fromEntries(Object.entries(options).filter(([k]) => !keys.includes(k as K)));
}

function notOne(files: readonly File[]): never {
  throw new SpotterError("bad-model", files[0]?.name);
}

async function keep(about: Stored, file: Blob, module?: Blob): Promise<void> {
  if (!(await store.keep(about, file, module))) say("field.full");
  void persist(); // who brings a model will be back for it
}
