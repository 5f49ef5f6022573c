// The list of models that a site offers: models.json beside the page.

import type { Feature, Manifest, Task } from "./abi.ts";
import { SpotterError } from "./errors.ts";
import { request } from "./fetch.ts";

/** A file of a model. */
export interface Part {
  url: string;
  /** The file's bytes where they are at hand; the address then only names it. */
  data?: ArrayBuffer;
  bytes: number;
}

/** A network's file with what it does not say itself. */
export interface Source extends Part {
  /** The file's name. */
  name: string;
  feed: { fit: string; bgr: boolean; pad: number; scale: number; mean: number[]; std: number[] };
  /** Why it runs at its own size only. */
  fixed?: string;
  /** Whether it can be saved as .safetensors. */
  savable?: boolean;
}

/** One compiled form of a model; all forms share its weights. */
export interface Variant extends Part {
  features: Feature[];
}

export interface Model {
  id: string;
  name: string;
  task: Task;
  width: number;
  height: number;
  params: number;
  macs: number;
  classes: number;
  licence?: string;
  note?: string;
  /** The network's own file, to compile it for other sizes from. */
  source?: Source;
  weights: Part;
  variants: Variant[];
}

export interface Catalog {
  /** Id of the model that a page starts with. */
  default: string;
  models: Model[];
}

/** Reads the list; addresses in it become absolute. */
export async function readCatalog(url: string, signal: AbortSignal): Promise<Catalog> {
  const response = await request(url, signal);
  const catalog = (await response.json().catch(() => null)) as Catalog | null;
  return resolved(catalog, response.url);
}

/** Makes the addresses in a list absolute; `url` is the list's own. */
export function resolved(catalog: Catalog | null, url: string): Catalog {
  if (!catalog?.models?.length) throw new SpotterError("not-found", url);
  for (const model of catalog.models) {
    if (model.source) model.source.url = new URL(model.source.url, url).href;
    model.weights.url = new URL(model.weights.url, url).href;
    for (const variant of model.variants) variant.url = new URL(variant.url, url).href;
  }
  return catalog;
}

/** The model of that id, or the default one. */
export function pick(catalog: Catalog, id = catalog.default): Model {
  const model = catalog.models.find((m) => m.id === id) ?? catalog.models[0];
  if (!model) throw new SpotterError("not-found", id);
  return model;
}

/** What a model's entry says of its network, as the module describes it. */
export function networkOf(manifest: Omit<Manifest, "features">) {
  const { name, task, width, height, params, macs, classes } = manifest;
  return { name, task, width, height, params, macs, classes: classes.length };
}
