// The menu that copies or saves what was found, as JSON, CSV or COCO.

import { number } from "../i18n/i18n.ts";
import type { Entry } from "../results/entry.ts";
import { type Format, kinds, write } from "../results/formats.ts";
import { $, download } from "../ui/dom.ts";
import { nameFor } from "./names.ts";
import { say } from "./say.ts";

/** What was found in the picture that is shown. */
export interface Findings {
  entry: Entry;
  /** Names of the model's classes, in the order of their ids. */
  classes: readonly string[];
  live: boolean;
}

/** Binds the menu; `findings` is asked for at the press of a button. */
export function bindResults(findings: () => Findings | null): void {
  const select = $<HTMLSelectElement>("keep-format");
  $("results-copy").hidden = !("clipboard" in navigator);
  $("results-copy").addEventListener("click", async () => {
    const found = findings();
    if (!found) return say("keep.busy");
    const format = select.value as Format;
    const values = () => ({ format: labelOf(select), count: number(found.entry.detections.length) });
    try {
      await navigator.clipboard.writeText(write(format, [found.entry], found.classes));
      say("results.copied", values);
    } catch {
      say("keep.refused");
    }
  });
  $("results-save").addEventListener("click", () => {
    const found = findings();
    if (!found) return say("keep.busy");
    const { type, ending } = kinds[select.value as Format];
    const name = nameFor(found.entry.file, found.live, ending);
    download(name, new Blob([write(select.value as Format, [found.entry], found.classes)], { type }));
    say("keep.saved", () => ({ name }));
  });
}

function labelOf(select: HTMLSelectElement): string {
  return select.selectedOptions[0]?.text ?? "";
}
