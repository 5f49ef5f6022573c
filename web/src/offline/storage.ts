// What is kept on the device: how much it is, and that browsers shall not clear it away.

import { namesFor } from "./names.ts";

/**
 * Asks the browser not to clear the site's storage when room is short. To be called
 * when somebody has shown that they will be back: by installing the page or by
 * bringing a model. Some browsers ask the person then.
 */
export async function persist(): Promise<boolean> {
  if (!navigator.storage?.persist) return false;
  return (await navigator.storage.persisted()) || (await navigator.storage.persist());
}

/** Bytes that the site keeps on this device; null where the browser doesn't tell. */
export async function bytesKept(): Promise<number | null> {
  const estimate = await navigator.storage?.estimate?.().catch(() => null);
  return estimate?.usage ?? null;
}

/** Whether the file of a model is kept on this device. */
export async function modelKept(url: string): Promise<boolean> {
  if (!("caches" in globalThis)) return false;
  const cache = await caches.open(namesFor(document.baseURI).models);
  return (await cache.match(url, { ignoreVary: true })) !== undefined;
}
