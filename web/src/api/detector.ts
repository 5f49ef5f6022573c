// The public detector: pictures of any kind in, plain objects out.

import type {
  Detection,
  DetectOptions,
  Frame,
  LoadOptions,
  MaskKind,
  Mode,
  ModelInfo,
  ModelSource,
  Result,
  Source,
  WatchOptions,
} from "../../npm/spotter.d.ts";
import { unlessAborted } from "../core/abort.ts";
import { Detector as Engine, type Result as Found } from "../core/detector.ts";
import { isRestart, SpotterError } from "../core/errors.ts";
import { isHashed } from "../core/kept.ts";
import type { DetectOptions as EngineOptions } from "../core/messages.ts";
import { closePicture } from "../core/pixels.ts";
import { capabilities } from "../core/probe.ts";
import { hostOf } from "./base.ts";
import { masksIn } from "./masks.ts";
import { modeOf } from "./mode.ts";
import { resolveModel } from "./model.ts";
import { engineOptions } from "./options.ts";
import { pictureOf } from "./source.ts";
import { watch } from "./watch.ts";

/** The cache of models' files on the site that embeds Spotter. */
const keptModels = "spotter api models";

const never = new AbortController().signal;

export class Detector {
  readonly model: ModelInfo;

  private constructor(
    private readonly engine: Engine,
    private readonly worker: boolean,
  ) {
    this.model = infoOf(engine);
  }

  static async load(model: ModelSource | null = null, options: LoadOptions = {}): Promise<Detector> {
    const { engine, worker } = await loadEngine(model, options);
    return new Detector(engine, worker);
  }

  get mode(): Mode {
    return modeOf(this.engine, this.worker);
  }

  async detect<K extends MaskKind | false = false>(source: Source, options: DetectOptions<K> = {}): Promise<Result<K>> {
    const wanted = engineOptions(options, this.model.classes);
    const find = async () => {
      const picture = await unlessAborted(pictureOf(source), options.signal);
      return this.engine.detect(picture, wanted, options.signal);
    };
    const found = await find().catch((cause: unknown) => {
      if (!isRestart(cause)) throw cause;
      return find(); // the copy went with the worker
    });
    closePicture(found.picture);
    return resultOf(found, options.masks);
  }

  watch<K extends MaskKind | false = false>(
    source: HTMLVideoElement | MediaStream,
    options: WatchOptions<K> = {},
  ): AsyncGenerator<Frame<K>, void, undefined> {
    const find = (picture: ImageBitmap | VideoFrame, wanted: EngineOptions) =>
      this.engine.detect(picture, wanted, options.signal);
    return watch(source, options, this.model.classes, find);
  }

  async setThreads(count: number): Promise<number> {
    await this.engine.setThreads(count);
    return this.engine.threads;
  }

  close(): void {
    this.engine.close();
  }
}

/** Finds out what the model is and starts an engine with it. */
export async function loadEngine(model: ModelSource | null, options: LoadOptions) {
  const signal = options.signal ?? never;
  if (signal.aborted) throw new SpotterError("aborted");
  if (!capabilities().simd) throw new SpotterError("unsupported");
  const tell = options.onprogress ?? (() => {});
  const entry = await unlessAborted(resolveModel(model, options, signal, tell), signal);
  const host = hostOf(options.baseURL, options.worker !== false);
  const engine = await Engine.load(entry, {
    host,
    signal,
    onprogress: (loaded, total) => tell({ loaded, total, part: total ? Math.min(1, loaded / total) : 0 }),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.keep === false || !isHashed(entry.weights.url) ? {} : { cache: keptModels }),
  });
  return { engine, worker: !host.blocking };
}

export function infoOf({ manifest, model }: Engine): ModelInfo {
  const { task, width, height, classes, params, macs, build } = manifest;
  return {
    name: model.name || manifest.name,
    task,
    width,
    height,
    classes,
    params,
    macs,
    licence: model.licence ?? manifest.licence ?? "",
    note: model.note ?? manifest.note ?? "",
    build,
    weights: manifest.weights.sha256,
  };
}

/** A result as callers see it. */
export function resultOf<K extends MaskKind | false>(found: Found, masks: K | undefined): Result<K> {
  const { width, height, timings, total } = found;
  const forms = masks && found.masks ? masksIn(masks, found.masks, width, height) : [];
  const detections = found.detections.map(({ classId, label, score, box, id }, i) => {
    return { classId, label, score, box, mask: forms[i] ?? null, id: id ?? null };
  });
  return { width, height, detections: detections as Detection<K>[], timings: { ...timings, total } };
}
