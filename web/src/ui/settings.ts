// The sliders and switches, and their values.

import { onLanguage, percent } from "../i18n/i18n.ts";
import { $, fillRange } from "./dom.ts";

export const settings = {
  confidence: 0.25,
  iou: 0.45,
  boxes: true,
  labels: true,
  masks: true,
  /** Follow objects from frame to frame. */
  follow: false,
};

/**
 * Binds the controls. `ask` is called when other results are wanted, `paint` when
 * the same ones are to be drawn otherwise.
 */
export function bindSettings(ask: () => void, paint: () => void): void {
  slider("confidence", ask);
  slider("iou", ask);
  toggle("show-boxes", "boxes", paint);
  toggle("show-labels", "labels", paint);
  toggle("show-masks", "masks", ask);
  toggle("follow", "follow", ask);
}

function slider(id: "confidence" | "iou", changed: () => void): void {
  const input = $<HTMLInputElement>(id);
  const show = () => {
    const value = Number(input.value);
    settings[id] = value;
    $(`${id}-value`).textContent = percent(value);
    input.setAttribute("aria-valuetext", percent(value));
    fillRange(input);
  };
  input.addEventListener("input", () => {
    show();
    changed();
  });
  onLanguage(show);
}

function toggle(id: string, name: "boxes" | "labels" | "masks" | "follow", changed: () => void): void {
  const input = $<HTMLInputElement>(id);
  settings[name] = input.checked; // browsers restore forms
  input.addEventListener("change", () => {
    settings[name] = input.checked;
    changed();
  });
}
