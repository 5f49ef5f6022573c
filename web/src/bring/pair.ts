// A compiled module and its weights, as the page and the command save them: they run as
// they are, without the compiler, in the form that they were compiled in.

import { abiVersion, type Manifest, manifestOf } from "../core/abi.ts";
import { networkOf } from "../core/catalog.ts";
import { Detector } from "../core/detector.ts";
import { asError, type ErrorCode, SpotterError } from "../core/errors.ts";
import { capabilities, runs } from "../core/probe.ts";
import { inBoth, type Key } from "../i18n/i18n.ts";
import type { Compiled } from "./types.ts";

/** The two files under the names that people know them by. */
export interface Pair {
  name: string;
  module: Blob | null;
  weights: Blob | null;
}

export interface Loaded {
  detector: Detector;
  compiled: Compiled;
}

/** What the engine says of files that don't belong together. */
const foreign: ErrorCode[] = ["mismatch", "bad-weights"];

export async function loadPair({ name, module, weights }: Pair): Promise<Loaded> {
  if (!module || !weights) throw refusal(module ? "pair.no-weights" : "pair.no-module", name);
  const compiled = { module: await bytesOf(module), weights: await bytesOf(weights) };
  const { features, ...manifest } = await described(compiled.module, name);
  if (!runs(features, capabilities())) throw refusal("pair.features", name, features.join(", "));
  const model = {
    id: name,
    ...networkOf(manifest),
    ...(manifest.licence ? { licence: manifest.licence } : {}),
    ...(manifest.note ? { note: manifest.note } : {}),
    weights: { url: "", data: compiled.weights.buffer, bytes: compiled.weights.byteLength },
    variants: [{ features, url: "", data: compiled.module.buffer, bytes: compiled.module.byteLength }],
  };
  try {
    return { detector: await Detector.load(model), compiled };
  } catch (cause) {
    const error = asError(cause, "engine");
    throw foreign.includes(error.code) ? refusal("pair.wrong", name) : error;
  }
}

async function described(module: Uint8Array<ArrayBuffer>, name: string): Promise<Manifest> {
  const manifest = await WebAssembly.compile(module).then(manifestOf, () => null);
  if (!manifest) throw refusal("pair.foreign", name);
  if (manifest.abi !== abiVersion) throw refusal("pair.version", name);
  return manifest;
}

function refusal(key: Key, name: string, features = ""): SpotterError {
  return new SpotterError("bad-network", inBoth(key, { name, features }));
}

async function bytesOf(file: Blob): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await file.arrayBuffer().catch((cause: unknown) => {
    throw asError(cause, "bad-model");
  });
  return new Uint8Array(bytes);
}
