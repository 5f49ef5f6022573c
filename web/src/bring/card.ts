// The model's card: what runs, at which size, what was guessed, how long making it took.

import type { Detector } from "../core/detector.ts";
import { type Key, language, number, onLanguage, t } from "../i18n/i18n.ts";
import { $, make } from "../ui/dom.ts";
import { short } from "./picker.ts";
import { type Size, sides } from "./sizes.ts";
import type { Description } from "./types.ts";
import type { Lap } from "./workshop.ts";

/** What runs, as the card shows it. */
export interface Shown {
  detector: Detector;
  description: Description | null;
  laps: readonly Lap[];
  /** Whether another size can be had, and multiples of what. */
  resizable: boolean;
  stride: number;
  /** Whether a .safetensors file can be made. */
  savable: boolean;
}

export interface CardActions {
  choose(): void;
  answer(): void;
  layers(): void;
  /** Another long side was chosen, or whether to take the picture's shape. */
  resize(long: number, match: boolean): void;
  save(what: "module" | "weights" | "safetensors"): void;
}

const size = $<HTMLSelectElement>("model-size");
const match = $<HTMLInputElement>("model-match");

export class Card {
  private shown: Shown | null = null;

  constructor(private readonly actions: CardActions) {
    $("model-choose").addEventListener("click", () => actions.choose());
    $("model-answer").addEventListener("click", () => actions.answer());
    $("model-layers").addEventListener("click", () => actions.layers());
    for (const control of [size, match]) control.addEventListener("change", () => this.resize());
    for (const what of ["module", "weights", "safetensors"] as const) {
      $(`save-${what}`).addEventListener("click", () => {
        $<HTMLDetailsElement>("model-save").open = false;
        actions.save(what);
      });
    }
    onLanguage(() => this.fill());
  }

  /** Whether the input is to have the picture's shape. */
  get matching(): boolean {
    return match.checked && !match.disabled;
  }

  show(shown: Shown): void {
    this.shown = shown;
    this.fill();
  }

  private resize(): void {
    this.actions.resize(Number(size.value), match.checked);
  }

  private fill(): void {
    if (!this.shown) return;
    const { detector, description, resizable, stride, savable } = this.shown;
    const { manifest, model } = detector;
    $("model-name").textContent = model.name;
    const facts = [
      t(`task.${manifest.task}` as Key),
      t("picker.params", { params: short(manifest.params) }),
      t("model.classes", { count: number(manifest.classes.length || manifest.head.classes) }),
    ];
    $("model-about").textContent = facts.join(" · ");
    text("model-took", description?.took.en ? t("model.took", { took: description.took[language()] }) : "");
    this.fillGuesses(description);
    $("model-sizes").hidden = !resizable;
    this.fillSizes(manifest, stride);
    $("save-safetensors").hidden = !savable;
    text("model-times", this.shown.laps.length ? this.times() : "");
  }

  private fillGuesses(description: Description | null): void {
    const kinds = (description?.questions ?? []).map((q) => t(`ask.short.${q.kind}` as Key));
    $("model-open").hidden = kinds.length === 0 && !description?.heads.length;
    const notes = description?.notes ?? [];
    $("model-guesses").textContent = [
      ...(kinds.length ? [t("model.guesses", { list: kinds.join(", ") })] : []),
      ...notes.map((note) => sentence(note[language()])),
    ].join(" ");
  }

  private fillSizes({ width, height }: Size, stride: number): void {
    const long = Math.max(width, height);
    const all = sides(stride);
    if (!all.includes(long)) all.push(long);
    all.sort((a, b) => a - b);
    const name = (side: number) => {
      if (side !== long) return String(side);
      return width === height ? String(long) : `${width} × ${height}`;
    };
    size.replaceChildren(...all.map((side) => make("option", { value: String(side) }, name(side))));
    size.value = String(long);
  }

  private times(): string {
    const laps = this.shown?.laps.filter((l) => l.ms >= 0.5) ?? [];
    const seconds = (ms: number) => number(ms / 1000, { maximumFractionDigits: 2 });
    const total = laps.reduce((sum, l) => sum + l.ms, 0);
    const list = laps.map((l) => `${t(`stage.short.${l.stage}` as Key)} ${seconds(l.ms)}`).join(", ");
    return t("model.times", { total: seconds(total), list });
  }
}

function text(id: string, words: string): void {
  $(id).textContent = words;
  $(id).hidden = !words;
}

function sentence(text: string): string {
  return t("model.note", { name: `${text.charAt(0).toUpperCase()}${text.slice(1)}` });
}
