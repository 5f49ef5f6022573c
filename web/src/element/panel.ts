// What the element shows besides the picture: progress, errors, buttons, and words for
// screen readers.

import type { Progress } from "../../npm/spotter.d.ts";
import type { Result } from "../core/detector.ts";
import type { SpotterError } from "../core/errors.ts";
import type { SourceKind } from "../view/session.ts";
import { type Button, build, type Parts } from "./parts.ts";
import { word } from "./words.ts";

export interface State {
  kind: SourceKind;
  /** Value of src. */
  source: string;
  wanted: boolean;
  paused: boolean;
  controls: boolean;
  cameras: number;
}

/** A live region that speaks with every frame would never let anyone else speak. */
const quietMs = 3000;

export class Panel {
  readonly parts: Parts;
  private failed = false;
  private spoken = { text: "", at: -quietMs };

  constructor(
    private readonly host: HTMLElement,
    root: ShadowRoot,
    press: (button: Button) => void,
  ) {
    this.parts = build(root, press);
    this.parts.canvas.setAttribute("aria-label", word(host, "view"));
  }

  /** Shows the buttons that make sense now. */
  show({ kind, source, wanted, paused, controls, cameras }: State): void {
    const { button, idle } = this.parts;
    const { host } = this;
    const live = kind !== "none" && kind !== "picture";
    idle.hidden = wanted || this.failed || kind !== "none";
    button.begin.hidden = !(controls || source === "screen");
    button.begin.textContent = word(host, beginning(source));
    button.retry.textContent = word(host, "retry");
    button.stop.textContent = word(host, "stop");
    button.pause.textContent = word(host, paused ? "resume" : "pause");
    button.flip.textContent = word(host, "flip");
    button.snapshot.textContent = word(host, "snapshot");
    button.pause.hidden = !live;
    button.flip.hidden = kind !== "camera" || cameras < 2;
    this.parts.controls.hidden = !controls || kind === "none" || this.failed;
  }

  /** null while it is not known how much will come. */
  progress(progress: Progress | null): void {
    const { loading, loadingText, bar } = this.parts;
    loading.hidden = this.failed;
    if (progress?.part) {
      bar.value = progress.part;
      loadingText.textContent = word(this.host, "progress", { percent: Math.round(progress.part * 100) });
    } else {
      bar.removeAttribute("value");
      loadingText.textContent = word(this.host, "loading");
    }
  }

  loaded(): void {
    this.parts.loading.hidden = true;
  }

  fail(error: SpotterError): void {
    this.failed = true;
    this.parts.loading.hidden = true;
    this.parts.error.hidden = false;
    this.parts.error.dataset.code = error.code;
    this.parts.message.textContent = error.sentence;
    this.parts.hint.textContent = error.hint;
  }

  clearError(): void {
    this.failed = false;
    this.parts.error.hidden = true;
  }

  /** Fits the stage to the picture and says what is in it. */
  found(result: Result): void {
    this.parts.stage.style.aspectRatio = `${result.width} / ${result.height}`;
    const groups = new Map<string, number>();
    for (const { label } of result.detections) groups.set(label, (groups.get(label) ?? 0) + 1);
    const list = [...groups].map(([label, count]) => (count > 1 ? `${label} × ${count}` : label)).join(", ");
    const text = list
      ? word(this.host, "found", { count: result.detections.length, list })
      : word(this.host, "nothing");
    const now = performance.now();
    if (text === this.spoken.text || now - this.spoken.at < quietMs) return;
    this.spoken = { text, at: now };
    this.parts.canvas.setAttribute("aria-label", text);
    this.parts.live.textContent = text;
  }

  /** Offers a picture as a download. */
  save(picture: Blob): void {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(picture);
    link.download = "spotter.png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}

function beginning(source: string): "camera" | "screen" | "start" {
  if (source === "screen") return "screen";
  return source === "camera" || source === "" ? "camera" : "start";
}
