// The card of two side by side: what B is, what each takes and finds, and where they differ.

import { type Size, sides } from "../bring/sizes.ts";
import type { Stored } from "../bring/store.ts";
import type { Model } from "../core/catalog.ts";
import type { Detector, Result } from "../core/detector.ts";
import { number, onLanguage, percent, t } from "../i18n/i18n.ts";
import { $, make } from "../ui/dom.ts";
import { select, slider } from "./control.ts";
import type { Pairs } from "./differ.ts";
import { Differences } from "./differences.ts";

export interface CardActions {
  /** Another model was chosen. */
  exchange(): void;
  /** Another long side of the input was chosen. */
  resize(long: number): void;
  /** Other settings: what is shown is to be looked at again. */
  refresh(): void;
  close(): void;
  /** What A is at the moment. */
  own(): About;
}

/** What a side is and does, as the card says it. */
export interface About {
  detector: Detector | null;
  confidence: number;
  iou: number;
}

/** What both sides found in one picture. */
export interface Both {
  a: Result;
  b: Result;
  pairs: Pairs;
}

/** Weight of the newest frame in the running means. */
const weight = 0.15;

/** Least times between two changes of the figures, and between two announcements, in milliseconds. */
const refreshMs = 300;
const quietMs = 5000;

/** The choice of the page's own model; ids of others never look so. */
export const sameModel = "=";

export class Card {
  readonly model = select("compare-model", () => this.actions.exchange());
  readonly size = select("compare-size", () => this.actions.resize(Number(this.size.input.value)));
  readonly confidence = slider("compare-confidence", 0.05, 0.95, () => this.actions.refresh());
  readonly iou = slider("compare-iou", 0.1, 0.9, () => this.actions.refresh());
  private readonly title = make("h2", { id: "compare-title" });
  private readonly lead = make("p", { class: "help" });
  private readonly closing = make("button", { type: "button", class: "button small", id: "compare-close" });
  private readonly own = { name: make("p", { class: "model-name" }), about: make("p", { class: "help" }) };
  private readonly figures = {
    a: make("p", { class: "compare-figures", id: "compare-a-figures" }),
    b: make("p", { class: "compare-figures", id: "compare-b-figures" }),
  };
  private readonly differences = new Differences();
  private readonly live = make("p", { class: "sr", role: "status", "aria-live": "polite" });
  private readonly element: HTMLElement;
  private both: Both | null = null;
  private means = { a: 0, b: 0 };
  private refreshed = 0;
  private timer = 0;
  private spoken = -quietMs;

  constructor(private readonly actions: CardActions) {
    this.closing.addEventListener("click", () => actions.close());
    const sideA = make("div", { class: "compare-side" }, this.own.name, this.own.about, this.figures.a);
    const sideB = make("div", { class: "compare-side" });
    sideB.append(this.model.element, this.size.element, this.confidence.element, this.iou.element, this.figures.b);
    for (const [side, name] of [[sideA, "A"] as const, [sideB, "B"] as const]) {
      side.prepend(make("h3", { class: "compare-name" }, name));
    }
    this.element = make(
      "section",
      { class: "card compare", id: "compare-card", tabindex: "-1", "aria-labelledby": "compare-title" },
      make("div", { class: "card-head" }, this.title, this.closing),
      this.lead,
      make("div", { class: "compare-sides" }, sideA, sideB),
      this.differences.element,
      this.live,
    );
    onLanguage(() => this.translate());
  }

  open(): void {
    $("seen").before(this.element);
    $("stage").closest(".viewer")?.classList.add("tall");
    this.show(null);
    this.element.focus({ preventScroll: true });
  }

  close(): void {
    this.element.remove();
    if (!document.querySelector(".viewer > .batch")) $("stage").closest(".viewer")?.classList.remove("tall");
    this.show(null);
  }

  /** Lists what B may be; what was chosen stays where it is still there. */
  offer(shipped: readonly Model[], stored: readonly Stored[]): void {
    const { input } = this.model;
    const chosen = input.value || sameModel;
    const option = (value: string, text: string) => make("option", { value }, text);
    input.replaceChildren(
      option(sameModel, t("compare.same")),
      ...shipped.map((m) => option(m.id, m.name)),
      ...stored.map((m) => option(m.id, `${m.name} · ${t("picker.yours")}`)),
    );
    input.value = [...input.options].some((o) => o.value === chosen) ? chosen : sameModel;
  }

  /** Lists the sizes of B's input; none but its own where it can't be resized. */
  offerSizes(current: Size, stride: number, resizable: boolean): void {
    const long = Math.max(current.width, current.height);
    const list = resizable ? [...new Set([...sides(stride), long])].sort((x, y) => x - y) : [long];
    const name = (side: number) =>
      side === long && current.width !== current.height ? `${current.width} × ${current.height}` : String(side);
    this.size.input.replaceChildren(...list.map((side) => make("option", { value: String(side) }, name(side))));
    this.size.input.value = String(long);
    this.size.input.disabled = list.length < 2;
  }

  /** Takes the newest results; null while there are none. */
  show(both: Both | null, live = false): void {
    const first = !this.both || !both;
    this.both = both;
    if (both) {
      for (const side of ["a", "b"] as const) {
        const now = timeOf(both[side]);
        if (now === 0) continue; // the same picture again: only boxes were decoded
        const before = this.means[side];
        this.means[side] = live && before ? before + weight * (now - before) : now;
      }
    } else this.means = { a: 0, b: 0 };
    const wait = this.refreshed + refreshMs - performance.now();
    if (first || wait <= 0 || !live) this.refresh();
    else this.timer ||= window.setTimeout(() => this.refresh(), wait);
  }

  private refresh(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    this.refreshed = performance.now();
    const { both } = this;
    for (const side of ["a", "b"] as const) {
      const ms = number(this.means[side], { maximumFractionDigits: 1 });
      const count = number(both?.[side].detections.length ?? 0);
      this.figures[side].textContent = both ? t("compare.figures", { ms, count }) : t("seen.waiting");
    }
    this.differences.show(both?.pairs ?? null);
    this.describe();
    if (both && performance.now() - this.spoken >= quietMs) this.announce(both.pairs);
  }

  private announce({ onlyA, onlyB, both }: Pairs): void {
    const text = t("compare.spoken", { a: onlyA.length, b: onlyB.length, both: both.length });
    if (this.live.textContent === text) return;
    this.spoken = performance.now();
    this.live.textContent = text;
  }

  private describe(): void {
    const { detector, confidence, iou } = this.actions.own();
    this.own.name.textContent = detector?.model.name ?? "–";
    const { width, height } = detector?.manifest ?? { width: 0, height: 0 };
    const settings = { confidence: percent(confidence), iou: percent(iou) };
    this.own.about.textContent = detector ? t("compare.own", { size: `${width} × ${height}`, ...settings }) : "";
  }

  private translate(): void {
    this.title.textContent = t("compare.title");
    this.lead.textContent = t("compare.lead");
    this.closing.textContent = t("compare.close");
    this.model.label.textContent = t("model.title");
    this.size.label.textContent = t("model.size");
    this.confidence.label.textContent = t("settings.confidence");
    this.iou.label.textContent = t("settings.iou");
    for (const option of this.model.input.options) {
      if (option.value === sameModel) option.textContent = t("compare.same");
    }
    this.refresh();
  }
}

/** Milliseconds of a frame without drawing; 0 where the network did not run. */
function timeOf({ timings }: Result): number {
  return timings.infer === 0 ? 0 : Object.values(timings).reduce((sum, ms) => sum + ms, 0);
}
