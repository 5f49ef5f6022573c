// Makes detectors of model files: from storage where the same was compiled before, else by
// the compiler; and says what took how long.

import type { Model, Variant } from "../core/catalog.ts";
import { Detector } from "../core/detector.ts";
import { asError, SpotterError } from "../core/errors.ts";
import { capabilities, ranked } from "../core/probe.ts";
import { Compiler, compilerId, type Progress, type Stage } from "./compiler.ts";
import type { Size } from "./sizes.ts";
import { keyOf, store } from "./store.ts";
import { type Compiled, type Description, formOf, type Options } from "./types.ts";

/** A network's file, and what is known of it besides. */
export interface Origin {
  /** SHA-256 of the file, or the id in the site's list; "" where the browser can't hash. */
  id: string;
  /** The file's name. */
  name: string;
  file: () => Promise<Blob>;
  /** What a site says of a model that it offers. */
  options: Options;
}

/** Milliseconds that a stage took. */
export interface Lap {
  stage: Stage | "storage" | "engine";
  ms: number;
}

/** A detector with all that was learned in making it. */
export interface Made {
  detector: Detector;
  origin: Origin;
  options: Options;
  description: Description;
  compiled: Compiled;
  laps: Lap[];
}

/** Either a detector, or the questions that stand in its way. */
export type Outcome = { made: Made; description?: never } | { made?: never; description: Description };

/** The forms that a network can be compiled in. */
const forms: { features: Variant["features"] }[] = [
  { features: ["simd", "relaxed", "threads"] },
  { features: ["simd", "threads"] },
  { features: ["simd", "relaxed"] },
  { features: ["simd"] },
];

export class Workshop {
  readonly compiler = new Compiler();
  private laps: Lap[] = [];
  private since = 0;

  constructor(private readonly tell: (progress: Progress) => void) {
    this.compiler.onprogress = (progress) => {
      if (progress.stage !== "download" || progress.loaded === 0) this.begin(progress.stage);
      this.tell(progress);
    };
  }

  /** Makes a detector in the best form that runs here; where one fails to start, the next is tried. */
  async make(origin: Origin, options: Options): Promise<Outcome> {
    this.laps = [];
    const can = capabilities();
    const possible = ranked(forms, can);
    if (possible.length === 0) throw new SpotterError("unsupported");
    let failure: SpotterError | null = null;
    for (const { features } of possible) {
      const parts = await this.parts(origin, options, features);
      if ("questions" in parts) return { description: parts };
      try {
        this.begin("engine");
        const detector = await Detector.load(modelOf(origin, options, parts, features), {});
        this.end();
        return { made: { detector, origin, options, ...parts, laps: this.laps } };
      } catch (cause) {
        failure = asError(cause, "engine");
        if (!["memory", "bad-module", "engine"].includes(failure.code)) break;
      }
    }
    throw failure ?? new SpotterError("engine");
  }

  /** The compiler with a network open in it, for what else it can do. */
  async opened(origin: Origin, options: Options): Promise<Compiler> {
    await this.compiler.open(await origin.file(), origin.name, { ...origin.options, ...options });
    return this.compiler;
  }

  private async parts(origin: Origin, given: Options, features: Variant["features"]) {
    const options = { ...origin.options, ...given };
    const key = origin.id && (await keyOf([origin.id, options, features, compilerId]));
    this.begin("storage");
    const kept = await store.compiled(key);
    if (kept) return { description: kept.description, compiled: { module: kept.module, weights: kept.weights } };
    this.begin("read");
    const description = await this.compiler.open(await origin.file(), origin.name, options);
    if (description.questions.some((q) => q.needed)) return description;
    const compiled = await this.compiler.compile(formOf(features));
    this.end();
    await store.keepCompiled(key, { ...compiled, description });
    return { description, compiled };
  }

  /** Ends the stage before and begins another. */
  private begin(stage: Lap["stage"]): void {
    this.end();
    this.laps.push({ stage, ms: 0 });
    this.since = performance.now();
  }

  private end(): void {
    const last = this.laps.at(-1);
    if (last && this.since) last.ms += performance.now() - this.since;
    this.since = 0;
  }
}

/** An entry as a site's list of models has it, with the bytes in place of addresses. */
function modelOf(
  origin: Origin,
  options: Options,
  { description, compiled }: { description: Description; compiled: Compiled },
  features: Variant["features"],
): Model {
  const { module, weights } = compiled;
  return {
    id: origin.id,
    name: options.title ?? origin.options.title ?? description.name,
    task: description.task,
    width: description.width,
    height: description.height,
    params: description.params,
    macs: description.macs,
    classes: description.count,
    ...(description.meta.licence ? { licence: description.meta.licence } : {}),
    ...(description.meta.map ? { note: description.meta.map } : {}),
    weights: { url: "", data: weights.buffer, bytes: weights.byteLength },
    variants: [{ features, url: "", data: module.buffer, bytes: module.byteLength }],
  };
}

/** The size that a made detector looks at pictures in. */
export function sizeOf({ detector }: { detector: Detector }): Size {
  return { width: detector.manifest.width, height: detector.manifest.height };
}
