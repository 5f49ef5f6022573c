// Names that the page and the service worker agree on. Several sites may share an
// origin, so each name holds the path of its site.

export interface Names {
  /** How the names of the page's caches start; the build's version follows. */
  page: string;
  /** The cache of models that the site ships. */
  models: string;
  /** The cache that shared pictures wait in. */
  shared: string;
}

/** The names for the site at that address, e.g. the page's base or the worker's scope. */
export function namesFor(base: string): Names {
  const at = new URL("./", base).pathname;
  return { page: `spotter ${at} page `, models: `spotter ${at} models`, shared: `spotter ${at} shared` };
}

/** Relative address that shared pictures are posted to; page/manifest.webmanifest names it too. */
export const sharePath = "share";

/** Parameter of the page's address that says that shared pictures wait. */
export const sharedParameter = "shared";

/** ?isolation=off: the page does without cross-origin isolation, and so with one thread. */
export const isolationParameter = "isolation";

/** What the page tells a waiting worker. */
export const activateMessage = "activate";
