// Reads pictures, and says of one that can't be read why.

import { asError } from "../core/errors.ts";

/** Why a picture can't be had; keys of the page's words ("batch.reason.<reason>"). */
export type Reason = "empty" | "gone" | "other" | "kind" | "broken" | "memory";

export class Unreadable extends Error {
  constructor(readonly reason: Reason) {
    super(reason);
  }
}

/** The picture in a file, upright. */
export async function read(file: () => Promise<File>): Promise<{ file: File; picture: ImageBitmap }> {
  const given = await file().catch(() => {
    throw new Unreadable("gone");
  });
  if (given.size === 0) throw new Unreadable("empty");
  try {
    return { file: given, picture: await createImageBitmap(given) };
  } catch {
    throw new Unreadable(await reasonOf(given));
  }
}

/** A picture's own fault, where the engine has one to find; null where the engine itself is ill. */
export function faultOf(cause: unknown): Reason | null {
  const { code } = asError(cause, "engine");
  if (code === "memory") return "memory";
  return code === "bad-source" || code === "bad-picture" ? "broken" : null;
}

/** Looks at the first bytes of what the browser could make no picture of. */
async function reasonOf(file: File): Promise<Reason> {
  const head = await file
    .slice(0, 12)
    .arrayBuffer()
    .catch(() => null);
  if (!head) return "gone";
  const text = String.fromCharCode(...new Uint8Array(head));
  if (/^(\xff\xd8\xff|\x89PNG|GIF8|BM|RIFF....WEBP)/s.test(text)) return "broken";
  if (/^(....ftyp|II\*|MM.\*|\xff\n|....JXL )/s.test(text)) return "kind";
  return "other";
}
