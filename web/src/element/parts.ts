// The element's shadow tree.

import { css } from "./css.ts";

export interface Parts {
  stage: HTMLElement;
  canvas: HTMLCanvasElement;
  video: HTMLVideoElement;
  idle: HTMLElement;
  loading: HTMLElement;
  loadingText: HTMLElement;
  bar: HTMLProgressElement;
  error: HTMLElement;
  message: HTMLElement;
  hint: HTMLElement;
  controls: HTMLElement;
  live: HTMLElement;
  button: Record<Button, HTMLButtonElement>;
}

export type Button = "begin" | "retry" | "stop" | "pause" | "flip" | "snapshot";

type Child = Node | string;

function make<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string>, ...children: Child[]) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The part and the slot of a name, with what is shown unless the page puts something else there. */
function cover(name: string, ...children: Child[]): HTMLElement {
  const slot = make("slot", { name }, ...children);
  const element = make("div", { class: `cover ${name}`, part: name }, slot);
  element.hidden = true;
  return element;
}

/** Fills the shadow root; `press` is told of buttons. */
export function build(root: ShadowRoot, press: (button: Button) => void): Parts {
  const button = (name: Button) => {
    const element = make("button", { type: "button", part: `button ${name}` });
    element.addEventListener("click", () => press(name));
    return element;
  };
  const [loadingText, bar] = [make("p", { class: "message" }), make("progress", { max: "1", part: "bar" })];
  const [message, hint] = [
    make("p", { class: "message", part: "message" }),
    make("p", { class: "hint", part: "hint" }),
  ];
  const buttons = {
    begin: button("begin"),
    retry: button("retry"),
    stop: button("stop"),
    pause: button("pause"),
    flip: button("flip"),
    snapshot: button("snapshot"),
  };
  const canvas = make("canvas", { part: "canvas", role: "img" });
  canvas.hidden = true;
  const video = make("video", { "aria-hidden": "true", tabindex: "-1", crossorigin: "anonymous" });
  video.muted = true;
  video.loop = true;
  video.playsInline = true;
  const idle = cover("idle", buttons.begin);
  const loading = cover("loading", loadingText, bar);
  const error = cover("error", message, hint, buttons.retry);
  error.setAttribute("role", "alert");
  const { pause, flip, snapshot, stop } = buttons;
  const controls = make("div", { class: "controls", part: "controls", role: "group" }, pause, flip, snapshot, stop);
  const live = make("p", { class: "quiet", role: "status", "aria-live": "polite" });
  const overlay = make("div", { class: "overlay", part: "overlay" }, make("slot", {}));
  const stage = make("div", { class: "stage", part: "stage" }, canvas, video, overlay, idle, loading, error, controls);
  adopt(root);
  root.append(stage, live);
  return {
    stage,
    canvas,
    video,
    idle,
    loading,
    loadingText,
    bar,
    error,
    message,
    hint,
    controls,
    live,
    button: buttons,
  };
}

let sheet: CSSStyleSheet | null = null;

/** A constructed sheet passes every policy; browsers without get an element. */
function adopt(root: ShadowRoot): void {
  if (!("adoptedStyleSheets" in root)) {
    (root as ShadowRoot).append(make("style", {}, css));
    return;
  }
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }
  root.adoptedStyleSheets = [sheet];
}
