// The other side on the stage: the same picture with what the other detector finds in it.

import type { Result } from "../core/detector.ts";
import { $, make } from "../ui/dom.ts";
import { type Look, View } from "../view/view.ts";

export class Side {
  private readonly status = make("p", { class: "compare-status", id: "compare-status" });
  private readonly canvas = make("canvas", { role: "img", hidden: "" });
  private readonly element = make(
    "div",
    { class: "compare-b", id: "compare-b" },
    this.canvas,
    make("span", { class: "compare-mark", "aria-hidden": "true" }, "B"),
    this.status,
  );
  private readonly mark = make("span", { class: "compare-mark", "aria-hidden": "true" }, "A");
  private view: View | null = null;

  constructor(private readonly look: () => Look) {}

  open(): void {
    $("picture").append(this.mark);
    $("picture").after(this.element);
    $("stage").classList.add("comparing");
    this.view = new View(this.element, this.canvas, this.look);
  }

  close(): void {
    this.view?.dispose();
    this.view = null;
    this.element.remove();
    this.mark.remove();
    $("stage").classList.remove("comparing");
  }

  /** Shows a result; of one without a picture, the boxes are for the picture that is shown. */
  show(result: Result, mirror: boolean): void {
    if (this.view) this.view.mirror = mirror;
    if (result.picture) this.view?.show(result.picture, result);
    else this.view?.update(result);
  }

  /** Draws what is shown anew: other labels, or the other way round. */
  redraw(mirror: boolean): void {
    if (this.view) this.view.mirror = mirror;
    this.view?.redraw();
  }

  /** Takes the picture away. */
  clear(): void {
    this.view?.clear();
    this.name("");
  }

  /** Says in words what the picture shows. */
  name(text: string): void {
    if (this.canvas.getAttribute("aria-label") !== text) this.canvas.setAttribute("aria-label", text);
  }

  /** Says what is going on or wrong; "" for nothing. */
  say(text: string): void {
    if (this.status.textContent !== text) this.status.textContent = text;
    this.status.hidden = !text;
  }
}
