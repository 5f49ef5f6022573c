// Files of models that stay on the device: fetched once, read from there ever after.

import { request } from "./fetch.ts";

/** Files on their way into a cache. */
const arriving = new Map<string, Promise<void>>();

/**
 * Asks for a file like `request`, but takes it from the cache of that name where it is
 * in there, and else puts it there as it arrives. Without a name, or without storage,
 * it is the plain request.
 */
export async function requestKept(url: string, name: string | undefined, signal: AbortSignal): Promise<Response> {
  const cache = await opened(name);
  const kept = await cache?.match(url, { ignoreVary: true });
  if (kept) return kept;
  const response = await request(url, signal);
  if (cache) {
    const put = cache.put(url, response.clone()).catch(() => {}); // broken off, or no room: next time anew
    arriving.set(url, put);
  }
  return response;
}

/** Drops files that turned out to be no good, so that the next try downloads them. */
export async function forget(name: string | undefined, ...urls: unknown[]): Promise<void> {
  const cache = await opened(name);
  for (const url of urls) {
    if (typeof url !== "string") continue;
    await arriving.get(url);
    await cache?.delete(url);
  }
}

async function opened(name: string | undefined): Promise<Cache | null> {
  if (!name || !("caches" in globalThis)) return null;
  return caches.open(name).catch(() => null); // storage may be blocked
}
