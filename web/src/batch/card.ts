// The batch's card: what was chosen, how far it has come, what was found, and the download.

import { megabytes, number, onLanguage, t } from "../i18n/i18n.ts";
import { $, make } from "../ui/dom.ts";
import type { Collection } from "./files.ts";
import { Thumbs } from "./thumbs.ts";
import { Unread } from "./unread.ts";

export interface CardActions {
  start(): void;
  cancel(): void;
  close(): void;
  show(file: File): void;
}

/** How far a run has come. */
export interface Progress {
  done: number;
  all: number;
  /** Pictures a second. */
  rate: number;
  /** Objects found. */
  objects: number;
}

export type Stage = "listing" | "empty" | "ready" | "running" | "packing" | "done";

/** Least time between two announcements, in milliseconds: nobody else could speak else. */
const quietMs = 10_000;

export class Card {
  readonly thumbs: Thumbs;
  readonly unread = new Unread();
  private readonly title = make("h2", { id: "batch-title" });
  private readonly lead = make("p", { class: "help", id: "batch-lead" });
  private readonly annotated = option("batch-annotate");
  private readonly masked = option("batch-masks");
  private readonly options = make("div", { class: "switches" });
  private readonly bar = make("progress", { id: "batch-bar" });
  private readonly figures = make("p", { class: "batch-figures", id: "batch-figures" });
  private readonly note = make("p", { class: "batch-note", id: "batch-note" });
  private readonly start = button("batch-start", "button primary");
  private readonly cancel = button("batch-cancel", "button");
  private readonly closing = button("batch-close", "button small");
  private readonly download = make("a", { class: "button primary", id: "batch-download" });
  private readonly live = make("p", { class: "sr", role: "status", "aria-live": "polite" });
  private readonly element: HTMLElement;
  private words: () => void = () => {};
  private spoken = -quietMs;

  constructor(actions: CardActions) {
    this.thumbs = new Thumbs((file) => actions.show(file));
    this.start.addEventListener("click", () => actions.start());
    this.cancel.addEventListener("click", () => actions.cancel());
    this.closing.addEventListener("click", () => actions.close());
    this.options.append(this.annotated.label, this.masked.label);
    this.element = make(
      "section",
      { class: "card batch", id: "batch", tabindex: "-1", "aria-labelledby": "batch-title" },
      make("div", { class: "card-head" }, this.title, this.closing),
      this.lead,
      this.options,
      this.bar,
      this.figures,
      this.note,
      make("div", { class: "batch-actions" }, this.start, this.cancel, this.download),
      this.unread.element,
      this.thumbs.element,
      this.live,
    );
    this.annotated.input.checked = true;
    onLanguage(() => this.translate());
  }

  get wants(): { copies: boolean; masks: boolean } {
    return { copies: this.annotated.input.checked, masks: this.masked.input.checked && !this.masked.label.hidden };
  }

  /** Shows the card under the picture, empty. */
  open(): void {
    $("seen").before(this.element);
    $("stage").closest(".viewer")?.classList.add("tall");
    this.thumbs.clear();
    this.unread.clear();
    this.say("");
    this.element.scrollIntoView({ block: "start" });
    this.element.focus({ preventScroll: true });
  }

  close(): void {
    this.element.remove();
    $("stage").closest(".viewer")?.classList.remove("tall");
    this.thumbs.clear();
    this.unread.clear();
  }

  listing(count: number): void {
    this.stage("listing", () => {
      this.title.textContent = t("batch.title");
      this.lead.textContent = t("batch.listing", { count: number(count) });
    });
  }

  /** Says what there is to do; masks are offered where the model has them. */
  ready({ name, items, others }: Collection, masks: boolean | null): void {
    this.masked.label.hidden = masks === null;
    if (masks !== null) this.masked.input.checked = masks;
    this.stage(items.length ? "ready" : "empty", () => {
      this.title.textContent = name ? t("batch.title.folder", { name }) : t("batch.title");
      const counts = { count: number(items.length), others: number(others) };
      if (items.length === 0) this.lead.textContent = t("batch.nothing");
      else this.lead.textContent = others ? t("batch.found.others", counts) : t("batch.found", counts);
    });
    this.announce(this.lead.textContent ?? "");
    if (items.length) this.start.focus({ preventScroll: true });
  }

  running(progress: Progress): void {
    this.fill(progress);
    this.stage("running", () => {
      this.figures.textContent = figuresOf(progress);
    });
    if (performance.now() - this.spoken > quietMs) this.announce(this.figures.textContent ?? "");
  }

  /** Says that the run has ended and how; the download follows. */
  packing(progress: Progress, outcome: () => string): void {
    this.fill(progress);
    this.stage("packing", () => {
      this.figures.textContent = [outcome(), t("batch.objects", { count: number(progress.objects) })].join(" ");
      this.say(t("batch.packing"));
    });
    this.announce(outcome());
  }

  done(progress: Progress, outcome: () => string, file: { name: string; url: string; bytes: number }, note: string) {
    const held = this.element.contains(document.activeElement);
    this.download.href = file.url;
    this.download.download = file.name;
    this.stage("done", () => {
      this.figures.textContent = [outcome(), t("batch.objects", { count: number(progress.objects) })].join(" ");
      this.download.textContent = t("batch.download", { bytes: megabytes(file.bytes) });
      this.say(note);
    });
    if (held) this.download.focus({ preventScroll: true });
  }

  /** A sentence above the buttons; "" for none. */
  say(text: string): void {
    this.note.hidden = !text;
    this.note.textContent = text;
    if (text) this.announce(text);
  }

  private fill({ done, all }: Progress): void {
    this.bar.max = all;
    this.bar.value = done;
  }

  private announce(text: string): void {
    this.spoken = performance.now();
    if (this.live.textContent !== text) this.live.textContent = text;
  }

  private stage(stage: Stage, words: () => void): void {
    const held = this.element.contains(document.activeElement);
    this.element.dataset.stage = stage;
    this.options.hidden = stage !== "ready";
    this.start.hidden = stage !== "ready";
    this.cancel.hidden = stage !== "running";
    this.closing.hidden = stage === "running" || stage === "packing";
    this.bar.hidden = this.figures.hidden = ["listing", "empty", "ready"].includes(stage);
    this.download.hidden = stage !== "done";
    this.words = words;
    words();
    if (held && !this.element.contains(document.activeElement)) this.element.focus({ preventScroll: true });
  }

  private translate(): void {
    this.annotated.text.textContent = t("batch.annotate");
    this.masked.text.textContent = t("batch.masks");
    this.start.textContent = t("batch.start");
    this.cancel.textContent = t("batch.cancel");
    this.closing.textContent = t("batch.close");
    this.bar.setAttribute("aria-label", t("batch.bar"));
    this.words();
  }
}

function figuresOf({ done, all, rate, objects }: Progress): string {
  const parts = [t("batch.progress", { done: number(done), all: number(all) })];
  if (rate > 0) {
    parts.push(t("batch.rate", { rate: number(rate, { maximumSignificantDigits: 2 }) }));
    parts.push(t("batch.left", { time: timeOf((all - done) / rate) }));
  }
  parts.push(t("batch.objects", { count: number(objects) }));
  return parts.join(" · ");
}

function timeOf(seconds: number): string {
  if (seconds < 90) return t("batch.seconds", { count: number(Math.ceil(seconds)) });
  if (seconds < 5400) return t("batch.minutes", { count: number(Math.round(seconds / 60)) });
  return t("batch.hours", { count: number(seconds / 3600, { maximumFractionDigits: 1 }) });
}

function button(id: string, kind: string): HTMLButtonElement {
  return make("button", { type: "button", class: kind, id });
}

function option(id: string) {
  const input = make("input", { type: "checkbox", role: "switch", id });
  const text = make("span");
  return { input, text, label: make("label", { class: "switch" }, input, text) };
}
