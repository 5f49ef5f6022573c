// Makes the other side's detector: of the same model as the page's own, of another one of
// the site, or of one that was brought before.

import { compilerHere, type Progress } from "../bring/compiler.ts";
import { loadPair, type Pair } from "../bring/pair.ts";
import { type Size, same } from "../bring/sizes.ts";
import type { Options } from "../bring/types.ts";
import { type Origin, Workshop } from "../bring/workshop.ts";
import type { Model } from "../core/catalog.ts";
import { Detector } from "../core/detector.ts";
import { SpotterError } from "../core/errors.ts";
import { namesFor } from "../offline/names.ts";

/** A model to make a detector of. */
export interface Recipe {
  shipped: Model | null;
  origin: Origin | null;
  options: Options;
  /** Files that are compiled already: nothing else is taken then. */
  pair: Pair | null;
  /** The input's size where the model has not its own; null for its own. */
  size: Size | null;
}

export interface Made {
  detector: Detector;
  /** Whether it can be had in other sizes. */
  resizable: boolean;
}

/** Hears how far the making has come: bytes, or a stage of the compiler. */
export type Tell = (progress: Progress) => void;

export class Maker {
  private workshop: Workshop | null = null;

  constructor(private readonly tell: Tell) {}

  /** Makes a detector in the form that `like` runs in, where there is one. */
  async make(recipe: Recipe, like: Detector): Promise<Made> {
    const { shipped, origin, size, pair } = recipe;
    if (pair) return { detector: (await loadPair(pair)).detector, resizable: false };
    const fixed = shipped?.source?.fixed;
    const made =
      shipped && (!size || same(size, shipped))
        ? { detector: await this.load(shipped, like), fixed }
        : await this.compile(recipe);
    const { detector } = made;
    if (detector.variant.features.includes("threads") && detector.threads !== like.threads) {
      await detector.setThreads(like.threads);
    }
    return { detector, resizable: compilerHere && origin !== null && !made.fixed };
  }

  /** Ends the compiler where one was needed. */
  close(): void {
    this.workshop?.compiler.close();
    this.workshop = null;
  }

  private load(model: Model, like: Detector): Promise<Detector> {
    const form = like.variant.features.join();
    const variant = model.variants.find(({ features }) => features.join() === form);
    return Detector.load(model, {
      cache: namesFor(document.baseURI).models,
      onprogress: (loaded, total) => this.tell({ stage: "download", loaded, total }),
      ...(variant ? { variant } : {}),
    });
  }

  private async compile({ origin, options, size }: Recipe) {
    if (!origin || !compilerHere) throw new SpotterError("no-compiler", origin?.name);
    this.workshop ??= new Workshop(this.tell);
    const { made, description } = await this.workshop.make(origin, { ...options, ...size });
    if (!made) throw new SpotterError("bad-network", description.questions.map((q) => q.reason).join(" "));
    return { detector: made.detector, fixed: made.description.fixed };
  }
}
