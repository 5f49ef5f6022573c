// Says how a detector runs, and what keeps it from running faster.

import type { Mode } from "../../npm/spotter.d.ts";
import type { Detector } from "../core/detector.ts";

const reasons: Record<Mode["limit"], string> = {
  best: "The fastest form: this browser can do all of it.",
  relaxed: "This browser has no relaxed SIMD yet, so the form without it runs.",
  isolation:
    "One thread: the page is not cross-origin isolated, so memory can't be shared. Send the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp over HTTPS.",
  cores: "One thread: this device has one core.",
  threads: "One thread: this browser has no WebAssembly threads, or one thread was asked for.",
  worker:
    "The engine runs on the page's own thread, because its files come from another origin or a worker was refused.",
};

const fallbacks: Record<Detector["fallback"], string> = {
  "": "",
  start: "One thread: the threads did not start in time.",
  lost: "One thread: another one stopped answering.",
};

export function modeOf(detector: Detector, worker: boolean): Mode {
  const limit = limitOf(detector, worker);
  const { variant, threads, fallback } = detector;
  const reason = (limit === "threads" && fallbacks[fallback]) || reasons[limit];
  return { features: [...variant.features], threads, worker, limit, reason };
}

function limitOf({ capabilities: can, threads }: Detector, worker: boolean): Mode["limit"] {
  if (!worker) return "worker";
  if (can.cores < 2) return "cores";
  if (can.threads && !can.isolated) return "isolation";
  if (threads < 2) return "threads";
  return can.relaxed ? "best" : "relaxed";
}
