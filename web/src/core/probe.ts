// Feature detection: what this browser can run is asked of WebAssembly itself,
// by validating a few bytes, and never guessed from its name.

import type { Feature } from "./abi.ts";

// Each probe is a module with one function; the comment gives its body.
const header = [0, 97, 115, 109, 1, 0, 0, 0];
// () -> v128: i32.const 0; i8x16.splat
const simd = [1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11];
// () -> v128: three splats; f32x4.relaxed_madd
const relaxed = [
  1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11,
];
// (memory 1 1 shared) () -> (): i32.const 0; i32.atomic.load; drop
const threads = [1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 11, 1, 9, 0, 65, 0, 254, 16, 2, 0, 26, 11];

function valid(body: number[]): boolean {
  try {
    return WebAssembly.validate(new Uint8Array([...header, ...body]));
  } catch {
    return false;
  }
}

export interface Capabilities {
  simd: boolean;
  relaxed: boolean;
  /** The instructions of threads are known. */
  threads: boolean;
  /** Memory may be shared: the page is cross-origin isolated. */
  isolated: boolean;
  cores: number;
}

export function capabilities(): Capabilities {
  return {
    simd: valid(simd),
    relaxed: valid(relaxed),
    threads: valid(threads),
    isolated: typeof SharedArrayBuffer === "function" && globalThis.crossOriginIsolated === true,
    cores: Math.max(1, navigator.hardwareConcurrency || 1),
  };
}

/** Whether a module that needs these features runs here. */
export function runs(features: readonly Feature[], can: Capabilities): boolean {
  return features.every((f) => {
    if (f === "threads") return can.threads && can.isolated && can.cores > 1;
    return f === "relaxed" ? can.relaxed : f === "simd" && can.simd;
  });
}

/** The variants that run here, the fastest first: the one that uses most. */
export function ranked<V extends { features: Feature[] }>(variants: readonly V[], can: Capabilities): V[] {
  return variants
    .filter((v) => runs(v.features, can))
    .sort((a, b) => b.features.length - a.features.length || Number(has(b, "threads")) - Number(has(a, "threads")));
}

function has(variant: { features: Feature[] }, feature: Feature): boolean {
  return variant.features.includes(feature);
}

/** Threads to start with: static splits of rows gain little from slow or doubled cores. */
export function startThreads(can: Capabilities, max: number): number {
  return Math.max(1, Math.min(can.cores, max, 4));
}
