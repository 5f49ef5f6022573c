// Looks into a network: what each layer takes, and what it computes. Runs in the worker.

import type { Exports, Manifest, Tensor } from "./abi.ts";
import type { FeatureMap, Inspection, Look } from "./messages.ts";

/** A loaded module; `feed` lays the last picture into its input again. */
export interface Inspected {
  manifest: Manifest;
  memory: WebAssembly.Memory;
  exports: Exports;
  feed: () => unknown;
}

export function inspect(engine: Inspected, look: Look): Inspection {
  const { manifest, memory, exports, feed } = engine;
  feed();
  if (look.what === "profile") return { times: profile(engine, look.runs), maps: [] };
  if (look.what === "outputs") {
    exports.infer();
    return { times: [], maps: manifest.outputs.map((t) => read(memory, t)) };
  }
  // Later layers may overwrite a layer's result: the network runs up to it.
  for (let i = 0; i <= look.layer; i++) exports.step(i);
  return { times: [], maps: manifest.layers.slice(look.layer, look.layer + 1).map((l) => read(memory, l.tensor)) };
}

/** Milliseconds of each layer on one thread: the least of some runs. */
function profile({ manifest, exports, feed }: Inspected, runs: number): number[] {
  const least = manifest.layers.map(() => Infinity);
  for (let run = 0; run < runs; run++) {
    feed();
    for (let i = 0; i < least.length; i++) {
      const start = performance.now();
      exports.step(i);
      least[i] = Math.min(least[i] ?? Infinity, performance.now() - start);
    }
  }
  return least;
}

/** Copies a feature map out: values in the order height, width, channels. */
function read(memory: WebAssembly.Memory, t: Tensor): FeatureMap {
  const data = new Float32Array(t.h * t.w * t.c);
  for (let y = 0, at = 0; y < t.h; y++) {
    for (let x = 0; x < t.w; x++, at += t.c) {
      data.set(new Float32Array(memory.buffer, t.address + y * t.rowStride + x * t.pixelStride, t.c), at);
    }
  }
  return { name: t.name ?? "", width: t.w, height: t.h, channels: t.c, data };
}
