// The class filter: a searchable list of check boxes.

import { colourOf } from "../core/palette.ts";
import { className, onLanguage, t } from "../i18n/i18n.ts";
import { $, dot, make } from "./dom.ts";

interface Row {
  name: string;
  item: HTMLLIElement;
  box: HTMLInputElement;
  text: HTMLSpanElement;
}

export class ClassFilter {
  private rows: Row[] = [];
  private readonly list = $<HTMLUListElement>("classes");
  private readonly search = $<HTMLInputElement>("classes-search");

  /** `changed` is called when the set of classes has changed. */
  constructor(private readonly changed: () => void) {
    this.search.addEventListener("input", () => this.filter());
    this.list.addEventListener("change", () => this.report());
    $("classes-all").addEventListener("click", () => this.setShown(true));
    $("classes-none").addEventListener("click", () => this.setShown(false));
    onLanguage(() => this.translate());
  }

  /** Lists the classes of a model, all on. */
  fill(names: readonly string[]): void {
    this.rows = names.map((name, id) => {
      const box = make("input", { type: "checkbox" });
      box.checked = true;
      const text = make("span");
      const item = make("li", {}, make("label", {}, box, text, dot(colourOf(id))));
      return { name, item, box, text };
    });
    this.list.replaceChildren(...this.rows.map((r) => r.item));
    this.translate();
  }

  /** Ids that are on; null when all are. */
  selected(): number[] | null {
    if (this.rows.every((r) => r.box.checked)) return null;
    return this.rows.flatMap((r, id) => (r.box.checked ? [id] : []));
  }

  /** Switches all classes that the search leaves in the list. */
  private setShown(on: boolean): void {
    for (const row of this.rows) if (!row.item.hidden) row.box.checked = on;
    this.report();
  }

  private report(): void {
    this.count();
    this.changed();
  }

  private count(): void {
    const on = this.rows.filter((r) => r.box.checked).length;
    $("classes-count").textContent = this.rows.length ? t("classes.count", { on, all: this.rows.length }) : "";
  }

  private translate(): void {
    for (const row of this.rows) row.text.textContent = className(row.name);
    this.filter();
    this.count();
  }

  private filter(): void {
    const wanted = this.search.value.trim().toLowerCase();
    for (const { item, name } of this.rows) {
      item.hidden = !name.toLowerCase().includes(wanted) && !className(name).includes(wanted);
    }
    $("classes-nothing").hidden = this.rows.length === 0 || this.rows.some((r) => !r.item.hidden);
  }
}
