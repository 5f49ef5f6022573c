// Says what is in the picture: as tags under the stage, in the canvas's own label,
// and now and then aloud for screen readers.

import type { Detection, Result } from "../core/detector.ts";
import { colourOf } from "../core/palette.ts";
import { className, onLanguage, percent, t } from "../i18n/i18n.ts";
import { $, dot, make } from "./dom.ts";

/** A live region that speaks with every frame would never let anyone else speak. */
const quietMs = 3000;
const refreshMs = 250;

const list = $<HTMLUListElement>("seen");
const live = $("live");
const canvas = $("canvas");

let current: Result | null = null;
let refreshed = 0;
let timer = 0;
let spoken = { text: "", at: -quietMs };

onLanguage(() => refresh());

/** Takes the newest result; null when there is no picture. */
export function showSeen(result: Result | null): void {
  const first = !current;
  current = result;
  const wait = refreshed + refreshMs - performance.now();
  if (wait <= 0 || first || !result) refresh();
  else if (!timer) timer = window.setTimeout(refresh, wait);
}

function refresh(): void {
  clearTimeout(timer);
  timer = 0;
  refreshed = performance.now();
  const groups = grouped(current?.detections ?? []);
  list.replaceChildren(...(groups.length ? groups.map(tag) : [quiet()]));
  const text = current ? describe(groups) : "";
  canvas.setAttribute("aria-label", text || t("stage.label"));
  speak(text);
}

function speak(text: string): void {
  const now = performance.now();
  if (text === spoken.text) return;
  const wait = spoken.at + quietMs - now;
  if (wait > 0 && text) {
    timer ||= window.setTimeout(refresh, wait);
    return;
  }
  spoken = { text, at: now };
  live.textContent = text;
}

function describe(groups: Detection[][]): string {
  if (groups.length === 0) return t("stage.empty");
  const count = groups.reduce((sum, g) => sum + g.length, 0);
  return t("stage.found", { count, list: groups.map(nameOf).join(", ") });
}

/** Detections by class, in the order of the best of each. */
function grouped(detections: Detection[]): Detection[][] {
  const groups = new Map<number, Detection[]>();
  for (const detection of detections) {
    const group = groups.get(detection.classId);
    if (group) group.push(detection);
    else groups.set(detection.classId, [detection]);
  }
  return [...groups.values()];
}

function nameOf(group: Detection[]): string {
  const best = group[0];
  if (!best) return "";
  const name = className(best.label);
  if (group.length > 1) return t("seen.items", { name, count: group.length });
  return t("seen.item", { name, score: percent(best.score) });
}

function tag(group: Detection[]): HTMLLIElement {
  return make("li", {}, dot(colourOf(group[0]?.classId ?? 0)), nameOf(group));
}

function quiet(): HTMLLIElement {
  return make("li", { class: "quiet" }, t(current ? "seen.none" : "seen.waiting"));
}
