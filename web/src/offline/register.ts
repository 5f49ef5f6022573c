// The page's side of the service worker: registers it, lets a new one take over at a
// moment that disturbs nobody, and reloads the page at most once for it.

import { activateMessage, isolationParameter, namesFor } from "./names.ts";

/** Milliseconds that the page waits for the worker to isolate it before it goes on without. */
const isolationPatience = 15_000;

/** Milliseconds after which a page that is looked at again asks for a new version. */
const updateEvery = 30 * 60_000;

/** Automatic reloads are at least this far apart, in milliseconds, whatever a host does. */
const reloadEvery = 60_000;

const reloadedKey = "spotter.reloaded";
const isolatedKey = "spotter.isolating";

/** Whom the registration tells. */
export interface Page {
  /** Whether a reload would disturb nobody. */
  idle(): boolean;
  /** A new version is here; `take` loads it. */
  offer(take: () => void): void;
  /** The worker has kept the page. */
  kept(): void;
}

/** Whether this page may have a service worker: it is secure, and not framed by another. */
export function possible(): boolean {
  return globalThis.isSecureContext && "serviceWorker" in navigator && window.top === window;
}

let registering: Promise<ServiceWorkerRegistration> | null = null;

function registered(): Promise<ServiceWorkerRegistration> {
  registering ??= navigator.serviceWorker.register(new URL("sw.js", document.baseURI), { updateViaCache: "none" });
  return registering;
}

/**
 * Isolates the page by the service worker where the host did not: then the page is
 * loaded anew, once, and the promise stays open. Else it resolves, in any case in time.
 */
export async function isolate(): Promise<void> {
  const off = new URLSearchParams(location.search).get(isolationParameter) === "off";
  if (globalThis.crossOriginIsolated) note(isolatedKey, "");
  if (globalThis.crossOriginIsolated || off || !possible() || noted(isolatedKey) !== "") return;
  const patience = new Promise<false>((resolve) => setTimeout(() => resolve(false), isolationPatience));
  const active = registered()
    .then(() => navigator.serviceWorker.ready)
    .then(() => controlled())
    .catch(() => false);
  if (!(await Promise.race([active, patience])) || !note(isolatedKey, "1")) return;
  location.reload();
  await new Promise(() => {});
}

/** Resolves when a worker answers for this page. */
async function controlled(): Promise<boolean> {
  const { serviceWorker } = navigator;
  if (!serviceWorker.controller) {
    await new Promise((resolve) => serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
  }
  return true;
}

/** Registers the worker and looks for new versions while the page is open. */
export async function register(page: Page): Promise<void> {
  if (!possible()) return;
  const { serviceWorker } = navigator;
  let taking = false;
  let mine = serviceWorker.controller; // null on the first visit, whose page is of this very build
  const quietly = () => page.idle() && Date.now() - Number(noted(reloadedKey)) > reloadEvery;
  serviceWorker.addEventListener("controllerchange", () => {
    const before = mine;
    mine = serviceWorker.controller;
    if (!before) return page.kept();
    if (taking || (quietly() && note(reloadedKey, String(Date.now())))) location.reload();
    else page.offer(() => location.reload());
  });
  const ready = (worker: ServiceWorker) => {
    const take = () => {
      taking = true;
      worker.postMessage(activateMessage);
    };
    if (quietly() && note(reloadedKey, String(Date.now()))) take();
    else page.offer(take);
  };
  const registration = await registered();
  watch(registration, ready);
  if (registration.active) page.kept();
  askForUpdates(registration);
}

function watch(registration: ServiceWorkerRegistration, ready: (worker: ServiceWorker) => void): void {
  const follow = (worker: ServiceWorker | null) => {
    worker?.addEventListener("statechange", () => {
      if (worker.state === "installed" && registration.active) ready(worker);
    });
  };
  if (registration.waiting && registration.active) ready(registration.waiting);
  follow(registration.installing);
  registration.addEventListener("updatefound", () => follow(registration.installing));
}

function askForUpdates(registration: ServiceWorkerRegistration): void {
  let asked = Date.now();
  const ask = () => {
    if (document.visibilityState !== "visible" || Date.now() - asked < updateEvery) return;
    asked = Date.now();
    registration.update().catch(() => {}); // no network, no news
  };
  document.addEventListener("visibilitychange", ask);
  addEventListener("online", ask);
}

/** Takes worker and kept files of this site away; what people brought stays. */
export async function unregister(): Promise<void> {
  const names = namesFor(document.baseURI);
  for (const name of await caches.keys()) {
    if (name.startsWith(names.page) || name === names.models || name === names.shared) await caches.delete(name);
  }
  const registration = await navigator.serviceWorker.getRegistration(document.baseURI);
  await registration?.unregister();
}

function noted(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/** Says whether the note was taken: without one the page could reload for ever. */
function note(key: string, value: string): boolean {
  try {
    sessionStorage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}
