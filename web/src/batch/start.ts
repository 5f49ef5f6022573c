// The ways to bring many pictures in. All else arrives when somebody does.

import type { Detection, Detector } from "../core/detector.ts";
import { asError } from "../core/errors.ts";
import type { DetectOptions } from "../core/messages.ts";
import { $ } from "../ui/dom.ts";
import type { Batch } from "./batch.ts";
import type { Given } from "./files.ts";

/** The page around it. */
export interface Page {
  /** What runs; null as long as nothing does. */
  engine(): Detector | null;
  /** What files of results say of it. */
  model(): { name: string; classes: string[] } | null;
  /** What to look for in pictures. */
  options(): DetectOptions;
  /** What to draw. */
  look(): { boxes: boolean; labels: boolean };
  /** Text of a label. */
  name(detection: Detection): string;
  /** Opens one of the pictures. */
  show(file: File): void;
  /** Runs a piece of work, and says it where it fails. */
  attempt(work: () => Promise<void>): void;
}

type Chooser = (options: { id: string; mode: "read" }) => Promise<FileSystemDirectoryHandle>;

/** Binds the button for folders; the result takes what comes otherwise. */
export function bindBatch(page: Page): (given: Given) => void {
  let batch: Promise<Batch> | null = null;
  const take = (given: Given) =>
    page.attempt(async () => {
      batch ??= import("./batch.ts").then((module) => new module.Batch(page));
      const ready = await batch.catch((cause: unknown) => {
        batch = null; // the next try asks the network again
        throw asError(cause, "network");
      });
      await ready.take(given);
    });
  const input = $<HTMLInputElement>("folder-input");
  $("folder").addEventListener("click", async () => {
    const folder = await chosen(input);
    if (folder) take(folder);
  });
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = "";
    if (files.length) take(files);
  });
  return take;
}

/** Asks for a folder: browsers without the newer way say "upload", though nothing leaves the device. */
async function chosen(input: HTMLInputElement): Promise<FileSystemDirectoryHandle | null> {
  const { showDirectoryPicker } = globalThis as { showDirectoryPicker?: Chooser };
  if (showDirectoryPicker) {
    try {
      return await showDirectoryPicker({ id: "spotter-pictures", mode: "read" });
    } catch (cause) {
      if (cause instanceof Error && cause.name === "AbortError") return null; // the person thought better of it
    }
  }
  input.click();
  return null;
}
