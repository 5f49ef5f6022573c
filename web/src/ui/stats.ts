// The engine's card: frame rate, milliseconds of each phase, which form of the
// model runs and why.

import type { Detector, Result } from "../core/detector.ts";
import { type Key, megabytes, number, onLanguage, t } from "../i18n/i18n.ts";
import { $, dot, make } from "./dom.ts";

const phases = ["pixels", "feed", "infer", "detect", "masks", "draw"] as const;
type Phase = (typeof phases)[number];

const colours: Record<Phase, string> = {
  pixels: "#56b4e9",
  feed: "#0072b2",
  infer: "#009e73",
  detect: "#e69f00",
  masks: "#cc79a7",
  draw: "#8a939b",
};
const refreshMs = 300;
/** Weight of the newest frame in the running means. */
const weight = 0.15;

export class Stats {
  private means: Record<Phase, number> | null = null;
  private times: number[] = [];
  private refreshed = 0;
  private readonly values = new Map<Phase, { text: HTMLElement; part: HTMLElement }>();

  constructor() {
    const [list, bar] = [$("phases"), $("phase-bar")];
    for (const phase of phases) {
      const label = make("span", { "data-i18n": `engine.${phase}` }, t(`engine.${phase}`));
      const text = make("dd", { id: `phase-${phase}` }, "–");
      list.append(make("div", {}, make("dt", {}, dot(colours[phase]), label), text));
      const part = make("i");
      part.style.setProperty("--dot", colours[phase]);
      bar.append(part);
      this.values.set(phase, { text, part });
    }
    onLanguage(() => this.refresh());
  }

  /** Forgets the figures of the source before. */
  reset(): void {
    this.means = null;
    this.times = [];
    this.refresh();
  }

  /** Takes a frame's figures; `live` frames count for the frame rate. */
  add(result: Result, draw: number, live: boolean): void {
    const { timings } = result;
    if (live && this.means) {
      for (const p of phases) this.means[p] += weight * ((p === "draw" ? draw : timings[p]) - this.means[p]);
    } else this.means = { ...timings, draw };
    const time = performance.now();
    if (live) this.times.push(time);
    while (time - (this.times[0] ?? time) >= 2000) this.times.shift();
    if (!live || time - this.refreshed > refreshMs) this.refresh();
  }

  private refresh(): void {
    this.refreshed = performance.now();
    const fps = this.rate();
    const total = this.means ? phases.reduce((sum, p) => sum + (this.means?.[p] ?? 0), 0) : null;
    for (const [phase, { text, part }] of this.values) {
      const ms = this.means?.[phase];
      text.textContent = ms === undefined ? "–" : milliseconds(ms);
      part.style.setProperty("--share", String(ms && total ? ms / total : 0));
    }
    $("fps").textContent = $("hud-fps").textContent = fps ? number(fps, { maximumFractionDigits: 1 }) : "–";
    $("total").textContent = total === null ? "–" : number(total, { maximumFractionDigits: 1 });
  }

  private rate(): number {
    const [first, last] = [this.times[0], this.times[this.times.length - 1]];
    return first !== undefined && last !== undefined && last > first
      ? ((this.times.length - 1) * 1000) / (last - first)
      : 0;
  }
}

function milliseconds(ms: number): string {
  return `${number(ms, { maximumFractionDigits: ms < 10 ? 1 : 0, minimumFractionDigits: ms < 10 ? 1 : 0 })} ms`;
}

/** Fills in what runs; again after each change of language or threads. */
export function showFacts(detector: Detector, forced: boolean): void {
  const { model, manifest } = detector;
  const variant = variantName(detector);
  const facts: [Key, string][] = [
    ["engine.variant", variant],
    ["engine.why", t(forced ? "why.forced" : reason(detector))],
    ["engine.model", model.name],
    ["engine.input", t("engine.input.value", { width: manifest.width, height: manifest.height })],
    ["engine.size", t("engine.sizes", { params: short(manifest.params), bytes: megabytes(model.weights.bytes) })],
  ];
  if (model.licence) facts.push(["engine.licence", model.licence]);
  if (model.note) facts.push(["engine.note", model.note]);
  $("facts").replaceChildren(
    ...facts.map(([key, value]) => make("div", {}, make("dt", {}, t(key)), make("dd", {}, value))),
  );
  $("hud-variant").textContent = variant;
  $("stage").dataset.variant = detector.variant.features.join("+");
}

function short(count: number): string {
  return number(count, { notation: "compact", maximumFractionDigits: 2 });
}

function variantName({ variant, threads }: Detector): string {
  const simd = t(variant.features.includes("relaxed") ? "variant.relaxed" : "variant.simd");
  return `${simd}, ${threads > 1 ? t("variant.threads", { count: threads }) : t("variant.single")}`;
}

function reason({ variant, capabilities, threads, fallback }: Detector): Key {
  if (!variant.features.includes("threads")) {
    if (capabilities.cores < 2) return "why.cores";
    return capabilities.isolated ? "why.threads" : "why.isolated";
  }
  if (fallback) return fallback === "lost" ? "why.lost" : "why.fallback";
  if (threads === 1) return "why.chosen";
  return variant.features.includes("relaxed") ? "why.best" : "why.relaxed";
}
