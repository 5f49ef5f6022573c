// The picture that is shown, with what is drawn over it, as a file.

import { SpotterError } from "../core/errors.ts";
import type { View } from "../view/view.ts";

/** A PNG at the source's size; null in the moments in which the engine has the picture. */
export async function pictureOf(view: View): Promise<Blob | null> {
  const canvas = view.snapshot();
  if (!canvas) return null;
  const data = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!data) throw new SpotterError("memory", `a picture of ${canvas.width}x${canvas.height}`);
  return data;
}

/** Whether this browser puts pictures on the clipboard. */
export const copies = "clipboard" in navigator && typeof ClipboardItem === "function";

/** The promise goes in as it is: Safari wants the call within the click. */
export async function copyPicture(data: Promise<Blob>): Promise<void> {
  await navigator.clipboard.write([new ClipboardItem({ "image/png": data })]);
}

/** Whether this device has other apps to hand such a file to. */
export function shares(type: string): boolean {
  if (typeof navigator.canShare !== "function") return false;
  return navigator.canShare({ files: [new File([], `x.${type.replace(/.*\//, "")}`, { type })] });
}

/** Hands a file to another app, which the person chooses; false where they chose none. */
export async function share(file: File): Promise<boolean> {
  try {
    await navigator.share({ files: [file] });
    return true;
  } catch (cause) {
    if (cause instanceof Error && cause.name === "AbortError") return false;
    throw cause;
  }
}
