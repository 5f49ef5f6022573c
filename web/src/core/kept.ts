// Files of models that stay on the device: fetched once, read from there ever after.

import { SpotterError } from "./errors.ts";
import { request } from "./fetch.ts";

/** Files on their way into a cache. */
const arriving = new Map<string, Promise<void>>();

/** Where a name holds a hash of the content, as names of models' files do. */
const hash = /-[0-9a-f]{10}(?=\.\w+$)/;

/** Whether what lies at an address never changes. */
export const isHashed = (url: string) => hash.test(url);

/**
 * Asks for a file like `request`, but takes it from the cache of that name where it is
 * in there, and else puts it there as it arrives. Without a name, or without storage,
 * it is the plain request.
 */
export async function requestKept(url: string, name: string | undefined, signal: AbortSignal): Promise<Response> {
  const cache = await opened(name);
  if (!cache) return request(url, signal);
  if (!navigator.locks) return (await fromOrInto(cache, url, signal)).response;
  // Whoever asks for a file on its way waits for it: workers and tabs download it once.
  return new Promise((resolve, reject) => {
    const turn = async () => {
      const { response, kept } = await fromOrInto(cache, url, signal);
      resolve(response);
      await kept;
    };
    navigator.locks.request(`spotter ${url}`, { signal }, turn).catch((cause: unknown) => {
      reject(signal.aborted ? new SpotterError("aborted") : cause);
    });
  });
}

async function fromOrInto(cache: Cache, url: string, signal: AbortSignal) {
  const found = await cache.match(url, { ignoreVary: true });
  if (found) return { response: found, kept: Promise.resolve() };
  const response = await request(url, signal);
  const kept = cache
    .put(url, response.clone())
    .then(() => dropOlder(cache, url))
    .catch(() => {}); // broken off, or no room: next time anew
  arriving.set(url, kept);
  return { response, kept };
}

/** Drops what a file of the same name held before. */
async function dropOlder(cache: Cache, url: string): Promise<void> {
  if (!isHashed(url)) return;
  const name = url.replace(hash, "");
  for (const request of await cache.keys()) {
    if (request.url !== url && request.url.replace(hash, "") === name) await cache.delete(request);
  }
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
