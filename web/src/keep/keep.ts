// The toolbar under the picture: lets people keep what they see, as a picture, as a clip,
// or as text that other programs read.

import { asError } from "../core/errors.ts";
import { entryOf } from "../results/entry.ts";
import { $, download } from "../ui/dom.ts";
import type { Session, Shown } from "../view/session.ts";
import type { View } from "../view/view.ts";
import { ClipButton } from "./clip.ts";
import { nameFor } from "./names.ts";
import { copies, copyPicture, pictureOf, share, shares } from "./picture.ts";
import { bindResults, type Findings } from "./results.ts";
import { say } from "./say.ts";

/** What the page shows. */
export interface Page {
  canvas: HTMLCanvasElement;
  view: View;
  session: Session;
  /** The model that runs. */
  model(): Model | null;
}

interface Model {
  name: string;
  /** Names of its classes, in the order of their ids. */
  classes: readonly string[];
}

/** A result with what it does not say itself. */
interface Current {
  shown: Shown;
  time: Date;
  model: Model | null;
  /** Place in the video. */
  seconds?: number;
}

export class Keep {
  private current: Current | null = null;
  private readonly clip: ClipButton;

  constructor(private readonly page: Page) {
    const { canvas, view } = page;
    const hold = (held: boolean) => {
      view.held = held;
      view.redraw();
    };
    this.clip = new ClipButton({ canvas, hold, source: () => this.source });
    bindResults(() => this.findings());
    $("keep-picture").addEventListener("click", () => this.picture(async (file) => download(file.name, file)));
    $("keep-copy").addEventListener("click", () => this.copy());
    $("keep-copy").hidden = !copies;
    $("keep-share").addEventListener("click", () => this.picture(share, false));
    $("keep-share").hidden = !shares("image/png");
  }

  /** Takes what is shown now; null when the source has ended. */
  shown(shown: Shown | null): void {
    const before = this.current?.shown.result;
    if (!shown || (before && (before.width !== shown.result.width || before.height !== shown.result.height))) {
      this.clip.stop("source"); // a clip has one size
    }
    this.current = shown && { shown, time: new Date(), model: this.page.model(), ...this.placeOf(shown) };
    $("keep").hidden = !shown;
    $("keep-record").hidden = !shown?.live;
  }

  private placeOf({ result, fresh }: Shown): { seconds?: number } {
    const { kind, video } = this.page.session;
    if (kind !== "video") return {};
    if (!fresh && this.current?.seconds !== undefined) return { seconds: this.current.seconds };
    const stamp = result.picture && "timestamp" in result.picture ? result.picture.timestamp / 1e6 : null;
    return { seconds: stamp ?? video.currentTime };
  }

  private get source(): string {
    const { kind, name } = this.page.session;
    return name || kind;
  }

  private findings(): Findings | null {
    const { shown, time, model, seconds } = this.current ?? {};
    if (!shown || !time || !model) return null;
    const entry = entryOf(shown.result, { file: this.source, model: model.name, time, seconds });
    return { entry, classes: model.classes, live: shown.live };
  }

  /** Makes a file of the picture and does something with it, and says so where `keeps`. */
  private async picture(use: (file: File) => Promise<unknown>, keeps = true): Promise<void> {
    try {
      const data = await pictureOf(this.page.view);
      if (!data) return say("keep.busy");
      const name = nameFor(this.source, this.current?.shown.live ?? false, ".png");
      await use(new File([data], name, { type: data.type }));
      if (keeps) say("keep.saved", () => ({ name }));
    } catch (cause) {
      const error = asError(cause, "engine");
      say(error.code === "memory" ? "error.memory" : "keep.refused");
    }
  }

  private async copy(): Promise<void> {
    const data = pictureOf(this.page.view).then((blob) => blob ?? Promise.reject(new Error("no picture")));
    try {
      await copyPicture(data);
      say("keep.copied");
    } catch {
      say("keep.refused");
    }
  }
}
