// The files that could not be read, each with the reason.

import { number, onLanguage, t } from "../i18n/i18n.ts";
import { make } from "../ui/dom.ts";
import type { Reason } from "./pictures.ts";

/** Rows that the page shows; the download lists all. */
const most = 100;

export interface Row {
  path: string;
  reason: Reason;
}

export class Unread {
  readonly element: HTMLDetailsElement;
  readonly rows: Row[] = [];
  private readonly summary = make("summary", { id: "batch-unread-title" });
  private readonly list = make("ul", {
    id: "batch-unread-list",
    tabindex: "0", // it scrolls
    "aria-labelledby": "batch-unread-title",
  });
  private readonly more = make("p", { class: "help" });

  constructor() {
    this.element = make("details", { class: "batch-unread", id: "batch-unread" }, this.summary, this.list, this.more);
    this.element.open = true;
    onLanguage(() => this.fill());
  }

  add(row: Row): void {
    this.rows.push(row);
    if (this.rows.length <= most) this.list.append(entry(row));
    this.count();
  }

  clear(): void {
    this.rows.length = 0;
    this.fill();
  }

  /** All rows as text, one a line; "" where there are none. */
  text(): string {
    return this.rows.map(({ path, reason }) => `${path}\t${t(`batch.reason.${reason}`)}\n`).join("");
  }

  private fill(): void {
    this.list.replaceChildren(...this.rows.slice(0, most).map(entry));
    this.count();
  }

  private count(): void {
    const { length } = this.rows;
    this.element.hidden = length === 0;
    this.summary.textContent = t("batch.unread", { count: number(length) });
    this.more.hidden = length <= most;
    this.more.textContent = t("batch.unread.more", { count: number(length - most) });
  }
}

function entry({ path, reason }: Row): HTMLLIElement {
  return make("li", {}, make("b", {}, path), " ", t(`batch.reason.${reason}`));
}
