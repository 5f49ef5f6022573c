// Controls that are made by scripts.

import { onLanguage, percent } from "../i18n/i18n.ts";
import { fillRange, make } from "../ui/dom.ts";

/** A slider with its value beside it, as those of the page; `label` is filled in by who makes it. */
export function slider(id: string, low: number, high: number, changed: () => void) {
  const label = make("label", { for: id });
  const output = make("output", { for: id });
  const range = { min: String(low), max: String(high), step: "0.05" };
  const input = make("input", { type: "range", id, ...range });
  const show = () => {
    output.textContent = percent(Number(input.value));
    input.setAttribute("aria-valuetext", percent(Number(input.value)));
    fillRange(input);
  };
  input.addEventListener("input", () => {
    show();
    changed();
  });
  onLanguage(show);
  const set = (value: number) => {
    input.value = String(value);
    show();
  };
  return { label, input, set, element: make("div", { class: "field" }, label, output, input) };
}

/** A select with a label before it. */
export function select(id: string, changed: () => void) {
  const label = make("label", { for: id });
  const input = make("select", { class: "select", id });
  input.addEventListener("change", changed);
  return { label, input, element: make("div", { class: "row" }, label, input) };
}
