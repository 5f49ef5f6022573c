// The service worker: keeps the page for use without a network, and isolates it
// where the host sends no headers. The build fills in what the site consists of, so
// each build has a worker of its own, and browsers see that there is a new one.
//
// A build's files are kept together in one cache, checked against the build's
// digests: a page never gets parts of two builds. A new worker waits until the page
// tells it to take over (see register.ts); then the caches of earlier builds go.
// Models are kept by the engine (core/kept.ts), and only tidied here.

import { activateMessage, isolationParameter, namesFor, sharedParameter, sharePath } from "./names.ts";
import type { FetchEvent, ServiceWorkerScope } from "./scope.ts";

/** A file of the build; addresses are relative to the scope. */
interface Entry {
  url: string;
  type: string;
  /** Start of the content's SHA-256, in hex; "" for the page itself, whose host may add to it. */
  digest: string;
}

interface Build {
  version: string;
  /** Kept when the worker is installed. */
  files: Entry[];
  /** Kept when they are first asked for. */
  later: Entry[];
  /** Addresses of the models' files. */
  models: string[];
  /** Name of the page's script, which the page must hold. */
  script: string;
  /** Names and values of the headers that the page should come with. */
  headers: [string, string][];
}

declare const BUILD: Build;

const scope = globalThis as unknown as ServiceWorkerScope;
const base = scope.registration.scope;
const names = namesFor(base);
const current = names.page + BUILD.version;
const pageURL = address("index.html");
const first = new Map(BUILD.files.map((entry) => [address(entry.url), entry]));
const later = new Map(BUILD.later.map((entry) => [address(entry.url), entry]));

function address(relative: string): string {
  return new URL(relative, base).href;
}

scope.addEventListener("install", (event) => event.waitUntil(install()));
scope.addEventListener("activate", (event) => event.waitUntil(activate()));
scope.addEventListener("message", (event) => {
  if (event.data === activateMessage) event.waitUntil(scope.skipWaiting());
});
scope.addEventListener("fetch", (event) => {
  const answer = answerTo(event);
  if (answer) event.respondWith(answer);
});

async function install(): Promise<void> {
  const cache = await caches.open(current);
  try {
    await Promise.all([...first].map(([url, entry]) => keep(cache, url, entry)));
  } catch (cause) {
    await caches.delete(current); // half a build is of no use
    throw cause;
  }
  for (const url of later.keys()) {
    const known = await caches.match(url, { ignoreVary: true });
    if (known) await cache.put(url, known);
  }
}

async function activate(): Promise<void> {
  await tidy();
  await scope.clients.claim();
}

/** Drops what earlier builds kept, unless another tab may still show one of them and need its files. */
async function tidy(): Promise<void> {
  if ((await scope.clients.matchAll({ includeUncontrolled: true, type: "window" })).length > 1) return;
  for (const name of await caches.keys()) {
    if (name.startsWith(names.page) && name !== current) await caches.delete(name);
  }
  const models = await caches.open(names.models);
  const wanted = new Set(BUILD.models.map(address));
  for (const request of await models.keys()) {
    if (!wanted.has(request.url)) await models.delete(request);
  }
}

/** Puts a file into the cache; one that an earlier build kept is taken from there. */
async function keep(cache: Cache, url: string, entry: Entry): Promise<void> {
  const known =
    entry.digest && url.includes(entry.digest.slice(0, 10)) && (await caches.match(url, { ignoreVary: true }));
  await cache.put(url, known || (await fetched(url, entry)));
}

/** Downloads a file of this build. */
async function fetched(url: string, entry: Entry): Promise<Response> {
  const hashed = entry.digest !== "" && url.includes(entry.digest.slice(0, 10));
  const response = await fetch(url, { cache: hashed ? "default" : "no-cache" });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const bytes = await response.arrayBuffer();
  const right = entry.digest
    ? (await digest(bytes)) === entry.digest
    : new TextDecoder().decode(bytes).includes(BUILD.script);
  if (!right) throw new Error(`${url} is of another build`);
  return new Response(bytes, { headers: { "Content-Type": entry.type } });
}

async function digest(bytes: ArrayBuffer): Promise<string> {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(sum.subarray(0, 16), (b) => b.toString(16).padStart(2, "0")).join("");
}

/** What the worker answers; null leaves the request to the network. */
function answerTo(event: FetchEvent): Promise<Response> | null {
  const { request } = event;
  const url = new URL(request.url);
  const bare = url.origin + url.pathname;
  if (request.method === "POST" && bare === address(sharePath)) return share(request);
  if (request.method !== "GET" || request.headers.has("range")) return null;
  if (request.mode === "navigate") {
    if (bare !== base && bare !== pageURL) return null;
    event.waitUntil(tidy());
    return page(url);
  }
  const entry = first.get(bare) ?? later.get(bare);
  if (entry) return file(bare, entry);
  return bare.startsWith(address("assets/")) ? earlier(request) : null;
}

/** A file of an earlier build, for a tab that still shows it: the host may no longer have it. */
async function earlier(request: Request): Promise<Response> {
  const kept = await caches.match(request, { ignoreVary: true });
  return kept ? secured(kept, true) : fetch(request);
}

async function page(url: URL): Promise<Response> {
  const kept = await (await caches.open(current)).match(pageURL, { ignoreVary: true });
  const isolate = url.searchParams.get(isolationParameter) !== "off";
  return secured(kept ?? (await fetch(pageURL)), isolate);
}

async function file(url: string, entry: Entry): Promise<Response> {
  const cache = await caches.open(current);
  const kept = await cache.match(url, { ignoreVary: true });
  if (kept) return secured(kept, true);
  const response = await fetched(url, entry);
  await cache.put(url, response.clone()).catch(() => {}); // no room: it works while there is a network
  return secured(response, true);
}

/** The response with the headers that the page should come with. */
function secured(response: Response, isolate: boolean): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of BUILD.headers) {
    if (isolate || !name.startsWith("Cross-Origin-")) headers.set(name, value);
    else headers.delete(name);
  }
  return new Response(response.body, { status: response.status, headers });
}

/** Takes pictures that another app shares, and opens the page on them. */
async function share(request: Request): Promise<Response> {
  const form = await request.formData();
  const cache = await caches.open(names.shared);
  for (const [i, file] of form.getAll("files").entries()) {
    if (!(file instanceof File)) continue;
    const headers = { "Content-Type": file.type || "application/octet-stream" };
    await cache.put(address(`${sharePath}/${i}`), new Response(file, { headers }));
  }
  return Response.redirect(`${base}?${sharedParameter}=1`, 303);
}
