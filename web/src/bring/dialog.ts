// What the dialogs of models have in common.

import { $ } from "../ui/dom.ts";

/** A dialog of the page; buttons with data-close end it without a value. */
export function dialog(id: string): HTMLDialogElement {
  const element = $<HTMLDialogElement>(id);
  for (const button of element.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => element.close(""));
  }
  element.addEventListener("click", (event) => {
    if (event.target === element) element.close(""); // the backdrop
  });
  return element;
}
