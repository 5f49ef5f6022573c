// The model picker: what the site offers, what was brought before, and the way to bring more.

import type { Model } from "../core/catalog.ts";
import { type Key, megabytes, number, onLanguage, t } from "../i18n/i18n.ts";
import { $, make } from "../ui/dom.ts";
import { dialog } from "./dialog.ts";
import { onOthersChange, type Stored, store } from "./store.ts";

export interface Choices {
  shipped(): readonly Model[];
  /** Id of what runs. */
  current(): string;
  chooseShipped(model: Model): void;
  chooseStored(model: Stored): void;
  bring(files: File[]): void;
}

export class Picker {
  private readonly element = dialog("picker");
  private readonly list = $<HTMLUListElement>("picker-list");

  constructor(private readonly choices: Choices) {
    const input = $<HTMLInputElement>("picker-input");
    $("picker-file").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const files = [...(input.files ?? [])];
      input.value = "";
      this.element.close();
      if (files.length) this.choices.bring(files);
    });
    $("picker-clear").addEventListener("click", async () => {
      await store.clear();
      await this.fill();
    });
    onLanguage(() => this.element.open && this.fill());
    onOthersChange(() => this.element.open && this.fill());
  }

  open(): void {
    void this.fill();
    this.element.showModal();
  }

  private async fill(): Promise<void> {
    const [stored, bytes] = [await store.models(), await store.size()];
    this.list.replaceChildren(
      ...this.choices.shipped().map((m) => this.shipped(m)),
      ...stored.map((m) => this.stored(m)),
    );
    $("picker-storage").textContent = t("picker.storage", { bytes: megabytes(bytes) });
    $<HTMLButtonElement>("picker-clear").disabled = bytes === 0;
  }

  private shipped(model: Model): HTMLLIElement {
    const facts = [
      t(`task.${model.task}` as Key),
      `${model.width} × ${model.height}`,
      t("picker.params", { params: short(model.params) }),
      megabytes(model.weights.bytes),
      ...(model.licence ? [model.licence] : []),
    ];
    return this.entry(model.id, model.name, facts, model.note ?? "", () => this.choices.chooseShipped(model));
  }

  private stored(model: Stored): HTMLLIElement {
    const facts = [
      t(`task.${model.task}` as Key),
      t("picker.params", { params: short(model.params) }),
      megabytes(model.bytes),
    ];
    const item = this.entry(model.id, model.name, facts, t("picker.yours"), () => this.choices.chooseStored(model));
    const forget = make("button", { type: "button", class: "button small" }, t("picker.forget"));
    forget.setAttribute("aria-label", t("picker.forget.name", { name: model.name }));
    forget.addEventListener("click", async () => {
      await store.forget(model.id);
      await this.fill();
    });
    item.append(forget);
    return item;
  }

  private entry(id: string, name: string, facts: string[], note: string, choose: () => void): HTMLLIElement {
    const button = make(
      "button",
      {
        type: "button",
        class: "picker-model",
        "data-model": id,
        "aria-pressed": String(id === this.choices.current()),
      },
      make("b", {}, name),
      make("span", {}, facts.join(" · ")),
      ...(note ? [make("span", {}, note)] : []),
    );
    button.addEventListener("click", () => {
      this.element.close();
      choose();
    });
    return make("li", {}, button);
  }
}

export function short(count: number): string {
  return number(count, { notation: "compact", maximumFractionDigits: 2 });
}
