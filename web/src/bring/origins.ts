// Where networks' files are to be had.

import type { Model } from "../core/catalog.ts";
import { SpotterError } from "../core/errors.ts";
import { request } from "../core/fetch.ts";
import type { Pair } from "./pair.ts";
import { type Stored, store } from "./store.ts";
import type { Origin } from "./workshop.ts";

const never = new AbortController().signal;

/** Where the network of a model that the site offers can be had; null where it can't. */
export function originOf({ id, name, licence, note, source }: Model): Origin | null {
  if (!source) return null;
  let file: Promise<Blob> | null = null;
  return {
    id: source.url,
    name: source.name,
    file: () => {
      file ??= request(source.url, never).then((response) => response.blob());
      file.catch(() => {
        file = null;
      });
      return file;
    },
    options: {
      title: name || id,
      ...(licence ? { licence } : {}),
      ...(note ? { note } : {}),
      feed: source.feed,
    },
  };
}

/** A compiled pair that was brought before. */
export async function keptPair({ id, name }: Stored): Promise<Pair> {
  return { name, module: await store.module(id), weights: await store.file(id) };
}

/** A model that was brought before. */
export async function keptOrigin({ id, name }: Stored): Promise<Origin> {
  const file = await store.file(id);
  if (!file) throw new SpotterError("not-found", name);
  return { id, name, file: async () => file, options: {} };
}
