// The button that records a clip of what the canvas shows, and what it says.

import { megabytes, onLanguage, t } from "../i18n/i18n.ts";
import { $, download } from "../ui/dom.ts";
import { nameFor } from "./names.ts";
import { share, shares } from "./picture.ts";
import { type Clip, type End, type Limits, Recording, recordable } from "./recorder.ts";
import { say } from "./say.ts";

/** Browsers keep a clip in memory or on the disk until it is saved: this much is safe on phones. */
const limits: Limits = { seconds: 600, bytes: 400e6 };

/** What the clips are of. */
export interface Stage {
  canvas: HTMLCanvasElement;
  /** Draws anew, and keeps the canvas at its size from then on, as clips have one size; or lets it follow the window again. */
  hold(held: boolean): void;
  source(): string;
}

export class ClipButton {
  private recording: Recording | null = null;
  /** The clip before, for those whose browser did not take it the first time. */
  private last: File | null = null;
  private readonly button = $("keep-record");
  private readonly time = $("keep-time");

  constructor(private readonly stage: Stage) {
    this.button.addEventListener("click", () => (this.recording ? this.stop("asked") : this.start()));
    $("clip-again").addEventListener("click", () => this.last && download(this.last.name, this.last));
    $("clip-share").addEventListener(
      "click",
      () => this.last && void share(this.last).catch(() => say("keep.refused")),
    );
    onLanguage(() => this.show());
  }

  stop(end: End): void {
    this.recording?.stop(end);
  }

  private async start(): Promise<void> {
    const types = recordable();
    if (!types.length) return say("record.unsupported");
    const name = this.stage.source();
    const begun = new Date();
    let clip: Clip | null = null;
    for (const type of types) {
      clip = await this.record(type);
      if (clip.end !== "failed" || clip.data.size) break; // else the browser promised more than it can do
    }
    this.recording = null;
    removeEventListener("beforeunload", ask);
    this.stage.hold(false);
    this.show();
    if (clip?.detail) console.warn(`recording: ${clip.detail}`);
    if (clip?.data.size) this.save(clip, nameFor(name, true, `.${clip.ending}`, begun));
    else say("record.nothing");
  }

  private async record(type: string): Promise<Clip> {
    try {
      const tell = (seconds: number) => {
        this.time.textContent = minutes(seconds);
      };
      this.recording = new Recording(this.stage.canvas, type, limits, tell);
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      return { data: new Blob(), ending: "webm", seconds: 0, end: "failed", detail };
    }
    addEventListener("beforeunload", ask);
    this.stage.hold(true); // what is drawn is a first frame, also of a video that stands still
    say("record.running");
    this.show();
    return this.recording.done;
  }

  private save({ data, seconds, end }: Clip, name: string): void {
    this.last = new File([data], name, { type: data.type });
    download(name, this.last);
    say(`record.${end}`, () => ({
      name,
      time: minutes(seconds),
      bytes: megabytes(data.size),
      limit: end === "size" ? megabytes(limits.bytes) : String(limits.seconds / 60),
    }));
    this.show();
  }

  private show(): void {
    const running = this.recording !== null;
    this.button.classList.toggle("on", running);
    $("keep-record-word").textContent = t(running ? "record.stop" : "record.start");
    this.time.hidden = !running;
    this.time.textContent = minutes(this.recording?.seconds ?? 0);
    $("clip").hidden = running || !this.last;
    $("clip-share").hidden = !this.last || !shares(this.last.type);
  }
}

/** Lets the browser ask before a clip is lost with its page. */
function ask(event: Event): void {
  event.preventDefault();
}

function minutes(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
