// Finds out what a given model is, and makes an entry of a list of models of it.

import type { FileSource, LoadOptions, ModelSource, Progress } from "../../npm/spotter.d.ts";
import { manifestOf } from "../core/abi.ts";
import { type Catalog, type Model, networkOf, type Part, pick, resolved } from "../core/catalog.ts";
import { asError, SpotterError } from "../core/errors.ts";
import { accepted, bytesOf, request } from "../core/fetch.ts";
import { baseOf } from "./base.ts";
import { compileHere } from "./compile.ts";

/** A file's bytes with the address or name that they came under. */
interface Loaded {
  bytes: Uint8Array<ArrayBuffer>;
  url: string;
}

type Tell = (progress: Progress) => void;

/** The model that was asked for; null asks for the first in the list beside the module. */
export async function resolveModel(source: ModelSource | null, options: LoadOptions, signal: AbortSignal, tell: Tell) {
  const given = (await source) ?? new URL("models.json", baseOf(options.baseURL));
  const { bytes, url } = await read(given, signal, tell);
  switch (kindOf(bytes)) {
    case "html":
      throw new SpotterError("html-instead", url);
    case "list":
      return pickFrom(bytes, url);
    case "module":
      return moduleModel(bytes, url, await options.weights);
  }
  return compiledModel(bytes, url, options, signal, tell);
}

/** A checkpoint: compiled here, in the best form that runs here. */
async function compiledModel(
  bytes: Uint8Array<ArrayBuffer>,
  url: string,
  options: LoadOptions,
  signal: AbortSignal,
  tell: Tell,
): Promise<Model> {
  const parts = await compileHere(bytes, url, options, signal, tell);
  return moduleModel(parts.module, url, parts.weights);
}

function kindOf(bytes: Uint8Array): "list" | "module" | "html" | "other" {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 64)).trimStart();
  if (start.startsWith("\0asm")) return "module";
  if (start.startsWith("{")) return "list";
  return /^<(!doctype|html|head)/i.test(start) ? "html" : "other";
}

function pickFrom(bytes: Uint8Array, url: string): Model {
  const base = new URL(url || document.baseURI, document.baseURI);
  let list: Catalog;
  try {
    list = JSON.parse(new TextDecoder().decode(bytes)) as Catalog;
  } catch (cause) {
    throw asError(cause, "bad-model");
  }
  const id = decodeURIComponent(base.hash.slice(1));
  const all = resolved(list, base.href);
  if (id && !all.models.some((m) => m.id === id)) {
    throw new SpotterError("bad-model", `${url} has ${all.models.map((m) => m.id).join(", ")}`);
  }
  return pick(all, id || all.default);
}

/** A model of one module; its weights are the file beside it, unless they were given. */
async function moduleModel(bytes: Uint8Array<ArrayBuffer>, url: string, weights?: FileSource): Promise<Model> {
  const module = await WebAssembly.compile(bytes).catch((cause: unknown) => {
    throw asError(cause, "bad-module");
  });
  const manifest = manifestOf(module);
  if (!manifest) throw new SpotterError("bad-module", url || "a module without description");
  return {
    id: manifest.name,
    ...networkOf(manifest),
    weights: { ...(await weightsOf(url, weights)), bytes: manifest.weights.bytes },
    variants: [{ features: manifest.features, url, data: bytes.buffer, bytes: bytes.byteLength }],
  };
}

async function weightsOf(module: string, given?: FileSource): Promise<Omit<Part, "bytes">> {
  if (typeof given === "string" || given instanceof URL) return { url: new URL(given, document.baseURI).href };
  if (given !== undefined) {
    const { bytes, url } = await read(given, new AbortController().signal, () => {});
    return { url, data: bytes.buffer };
  }
  if (!/\.wasm($|[?#])/.test(module)) throw new SpotterError("bad-option", "weights: a module's bytes need them");
  return { url: module.replace(/(-relaxed)?(-threads)?\.wasm(?=$|[?#])/, ".bin") };
}

async function read(given: FileSource, signal: AbortSignal, tell: Tell): Promise<Loaded> {
  if (given instanceof ArrayBuffer) return { bytes: new Uint8Array(given), url: "" };
  if (ArrayBuffer.isView(given)) {
    return { bytes: new Uint8Array(given.buffer, given.byteOffset, given.byteLength).slice(), url: "" };
  }
  if (given instanceof Blob) {
    const bytes = await given.arrayBuffer().catch((cause: unknown) => {
      throw asError(cause, "network");
    });
    return { bytes: new Uint8Array(bytes), url: given instanceof File ? given.name : "" };
  }
  const address = typeof given === "string" || given instanceof URL ? new URL(given, document.baseURI).href : "";
  const response = given instanceof Response ? accepted(given) : await request(address || (given as Request), signal);
  const total = response.headers.get("content-encoding") ? 0 : Number(response.headers.get("content-length") ?? 0);
  const bytes = await bytesOf(
    response,
    (loaded) => tell({ loaded, total, part: total ? Math.min(1, loaded / total) : 0 }),
    signal,
  );
  const { hash } = new URL(address || response.url || document.baseURI, document.baseURI);
  return { bytes, url: response.url ? response.url.replace(/#.*/, "") + hash : address };
}
