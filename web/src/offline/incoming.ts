// Pictures that come from outside of the page: shared by another app, or opened with
// the installed page from the device's files.

import { namesFor, sharedParameter } from "./names.ts";

interface LaunchQueue {
  setConsumer(take: (params: { files?: FileSystemFileHandle[] }) => void): void;
}

/** Opens what was shared or is opened with the page. */
export function bindIncoming(open: (file: File) => void): void {
  const queue = (globalThis as { launchQueue?: LaunchQueue }).launchQueue;
  queue?.setConsumer(async ({ files }) => {
    const file = await files?.[0]?.getFile();
    if (file) open(file);
  });
  void shared().then((file) => file && open(file));
}

/** Takes the first picture that waits in the cache, and empties it. */
async function shared(): Promise<File | null> {
  const address = new URL(location.href);
  if (!address.searchParams.has(sharedParameter) || !("caches" in globalThis)) return null;
  address.searchParams.delete(sharedParameter);
  history.replaceState(null, "", address);
  const { shared } = namesFor(document.baseURI);
  const cache = await caches.open(shared);
  const [first] = await cache.keys();
  const file = first && (await (await cache.match(first))?.blob());
  await caches.delete(shared);
  return file ? new File([file], "shared", { type: file.type }) : null;
}
