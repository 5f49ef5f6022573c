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
  canvas.setAttribute("aria-label", current ? describe(groups, nameOf) : t("stage.label"));
  // Scores change with every frame and orders with them: only what is there is said aloud.
  const steady = [...groups].sort(([a], [b]) => (a?.classId ?? 0) - (b?.classId ?? 0));
  speak(current ? describe(steady, countOf) : "");
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

function describe(groups: Detection[][], name: (group: Detection[]) => string): string {
  if (groups.length === 0) return t("stage.empty");
  const count = groups.reduce((sum, g) => sum + g.length, 0);
  return t("stage.found", { count, list: groups.map(name).join(", ") });
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

/** The class with its score, or with its count where there are several. */
function nameOf(group: Detection[]): string {
  const best = group[0];
  if (!best || group.length > 1) return countOf(group);
  return t("seen.item", { name: className(best.label), score: percent(best.score) });
}

function countOf(group: Detection[]): string {
  const name = className(group[0]?.label ?? "");
  return group.length > 1 ? t("seen.items", { name, count: group.length }) : name;
}

function tag(group: Detection[]): HTMLLIElement {
  return make("li", {}, dot(colourOf(group[0]?.classId ?? 0)), nameOf(group));
}

function quiet(): HTMLLIElement {
  return make("li", { class: "quiet" }, t(current ? "seen.none" : "seen.waiting"));
}
