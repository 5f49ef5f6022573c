// What only one side finds, and what both find: three lists.

import type { Detection } from "../core/detector.ts";
import { colourOf } from "../core/palette.ts";
import { className, number, percent, t } from "../i18n/i18n.ts";
import { dot, make } from "../ui/dom.ts";
import type { Pairs } from "./differ.ts";

/** Tags of a list; more nobody reads while frames come. */
const most = 12;

const kinds = ["onlyA", "both", "onlyB"] as const;
type Kind = (typeof kinds)[number];

export class Differences {
  readonly element = make("div", { class: "compare-lists" });
  private readonly lists = { onlyA: listOf("onlyA"), both: listOf("both"), onlyB: listOf("onlyB") };

  constructor() {
    for (const kind of kinds) this.element.append(make("div", {}, this.lists[kind].title, this.lists[kind].list));
  }

  show(pairs: Pairs | null): void {
    this.fill("onlyA", (pairs?.onlyA ?? []).map(tagOf));
    this.fill("onlyB", (pairs?.onlyB ?? []).map(tagOf));
    this.fill(
      "both",
      (pairs?.both ?? []).map(([a, b]) => tag(a, `${percent(a.score)} | ${percent(b.score)}`)),
    );
  }

  private fill(kind: Kind, tags: HTMLLIElement[]): void {
    const { title, list } = this.lists[kind];
    title.textContent = t(`compare.${kind}`, { count: number(tags.length) });
    const more = tags.length - most;
    list.replaceChildren(...tags.slice(0, most));
    if (more > 0) list.append(make("li", { class: "quiet" }, t("compare.more", { count: number(more) })));
  }
}

function listOf(kind: Kind) {
  const title = make("h3", { id: `compare-${kind}-title` });
  return { title, list: make("ul", { class: "seen", id: `compare-${kind}`, "aria-labelledby": title.id }) };
}

function tagOf(found: Detection): HTMLLIElement {
  return tag(found, percent(found.score));
}

function tag({ classId, label }: Detection, scores: string): HTMLLIElement {
  return make("li", {}, dot(colourOf(classId)), `${className(label)} ${scores}`);
}
