// The pictures looked at last, small, with the number of things in each.

import { number, onLanguage, t } from "../i18n/i18n.ts";
import { make } from "../ui/dom.ts";
import { thumbnail } from "./painter.ts";
import type { Done } from "./run.ts";

/** More than these nobody looks at, and each takes memory. */
const most = 36;

/** Pixels of a side: 72 in the page, twice that on fine screens. */
const side = 144;

interface Thumb {
  name: string;
  count: number;
  button: HTMLButtonElement;
}

export class Thumbs {
  readonly element = make("ul", { class: "batch-thumbs", id: "batch-thumbs" });
  private thumbs: Thumb[] = [];

  /** `show` opens a picture that was chosen. */
  constructor(private readonly show: (file: File) => void) {
    onLanguage(() => {
      this.element.setAttribute("aria-label", t("batch.thumbs"));
      for (const thumb of this.thumbs) label(thumb);
    });
    this.clear();
  }

  add({ item, file, picture, result }: Done): void {
    const count = result.detections.length;
    const badge = make("b", { class: "batch-count", "aria-hidden": "true" }, number(count));
    const button = make("button", { type: "button", class: "batch-thumb" }, thumbnail(picture, side), badge);
    button.addEventListener("click", () => this.show(file));
    const thumb = { name: item.path, count, button };
    label(thumb);
    this.thumbs.unshift(thumb);
    this.element.hidden = false;
    this.element.prepend(make("li", {}, button));
    if (this.thumbs.length <= most) return;
    this.drop();
  }

  clear(): void {
    this.thumbs = [];
    this.element.hidden = true;
    this.element.replaceChildren();
  }

  /** Lets the oldest go, unless somebody is about to press it: then the one before. */
  private drop(): void {
    let last = this.thumbs.length - 1;
    if (this.thumbs[last]?.button === document.activeElement) last--;
    this.thumbs[last]?.button.parentElement?.remove();
    this.thumbs.splice(last, 1);
  }
}

function label({ name, count, button }: Thumb): void {
  const text = t("batch.thumb", { name, count: number(count) });
  button.setAttribute("aria-label", text);
  button.title = name;
}
