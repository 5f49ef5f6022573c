// What the browser keeps of models that people brought: their files, and what was
// compiled of them, under the hash of their content. Without storage (a page that is no
// secure context has none) everything is forgotten with the page, and works all the same.

import type { Task } from "../core/abi.ts";
import type { Compiled, Description, Options } from "./types.ts";

/** The name of the cache; "spotter-models" is no prefix of any other that the page keeps. */
const cacheName = "spotter-models-1";

/** A model that somebody brought. */
export interface Stored {
  /** SHA-256 of the file. */
  id: string;
  /** The file's name. */
  name: string;
  bytes: number;
  /** The answers that it was last opened with. */
  options: Options;
  task: Task;
  params: number;
  /** When it was last opened, in milliseconds since 1970. */
  used: number;
  /** It came compiled: its file is the weights, and the module is kept beside them. */
  compiled?: boolean;
}

export interface Kept extends Compiled {
  description: Description;
}

/** SHA-256 in hex; "" where the browser gives none. */
export async function hashOf(data: BufferSource): Promise<string> {
  if (!globalThis.crypto?.subtle) return "";
  return hex(await crypto.subtle.digest("SHA-256", data));
}

/** A short name for any value that JSON can hold. */
export function keyOf(value: unknown): Promise<string> {
  return hashOf(new TextEncoder().encode(JSON.stringify(value)));
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
}

/** All storage of models; every method fails quietly, as a full disk must not stop a model. */
export const store = {
  async models(): Promise<Stored[]> {
    const found: Stored[] = [];
    await quietly(async (cache) => {
      for (const request of await cache.keys()) {
        if (pathOf(request.url).startsWith("model/")) found.push(await (await cache.match(request))?.json());
      }
    });
    return found.sort((a, b) => b.used - a.used);
  },

  /** Keeps a file, or only notes that it was used again; says whether there was room for it. */
  async keep(model: Stored, file: Blob, module?: Blob): Promise<boolean> {
    if (!model.id) return true;
    const put = async (cache: Cache) => {
      if (module) await cache.put(at("program", model.id), answer(module));
      if (!(await cache.match(at("file", model.id)))) await cache.put(at("file", model.id), answer(file));
      await cache.put(at("model", model.id), answer(JSON.stringify(model)));
    };
    let room = true;
    await quietly(
      async (cache) => {
        await put(cache).catch(async (cause: unknown) => {
          if (!isFull(cause)) throw cause;
          await forgetCompiled(cache);
          await put(cache);
        });
      },
      () => {
        room = false;
      },
    );
    tellOthers();
    return room;
  },

  async file(id: string): Promise<Blob | null> {
    return quietly(async (cache) => (await cache.match(at("file", id)))?.blob());
  },

  /** The module of a model that came compiled. */
  async module(id: string): Promise<Blob | null> {
    return quietly(async (cache) => (await cache.match(at("program", id)))?.blob());
  },

  /** Forgets a model's file; what was compiled of it goes with everything else. */
  async forget(id: string): Promise<void> {
    await quietly(async (cache) => {
      await cache.delete(at("model", id));
      await cache.delete(at("file", id));
      await cache.delete(at("program", id));
    });
    tellOthers();
  },

  async compiled(key: string): Promise<Kept | null> {
    if (!key) return null;
    return quietly(async (cache) => {
      const about = (await (await cache.match(at("about", key)))?.json()) as About | undefined;
      const module = await cache.match(at("module", key));
      const weights = about && (await cache.match(at("weights", about.weights)));
      if (!about || !module || !weights) return null;
      return { description: about.description, module: await bytes(module), weights: await bytes(weights) };
    });
  },

  async keepCompiled(key: string, { module, weights, description }: Kept): Promise<void> {
    if (!key) return;
    const sum = await hashOf(weights);
    await quietly(async (cache) => {
      await cache.put(at("weights", sum), answer(weights));
      await cache.put(at("module", key), answer(module));
      await cache.put(at("about", key), answer(JSON.stringify({ description, weights: sum } satisfies About)));
    });
  },

  /** Bytes of everything that is kept. */
  async size(): Promise<number> {
    let sum = 0;
    await quietly(async (cache) => {
      for (const request of await cache.keys()) {
        sum += Number((await cache.match(request))?.headers.get("content-length") ?? 0);
      }
    });
    return sum;
  },

  async clear(): Promise<void> {
    await globalThis.caches?.delete(cacheName).catch(() => false);
    tellOthers();
  },
};

/** Other tabs of the page, which show the same storage. */
const others = "BroadcastChannel" in globalThis ? new BroadcastChannel(cacheName) : null;

function tellOthers(): void {
  others?.postMessage("changed");
}

/** Calls back when another tab has changed what is kept. */
export function onOthersChange(listener: () => void): void {
  others?.addEventListener("message", listener);
}

function isFull(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "QuotaExceededError";
}

/** Makes room: what was compiled can be compiled again. */
async function forgetCompiled(cache: Cache): Promise<void> {
  for (const request of await cache.keys()) {
    if (/^(module|weights|about)\//.test(pathOf(request.url))) await cache.delete(request);
  }
}

/** What stands beside a compiled module. */
interface About {
  description: Description;
  weights: string;
}

async function quietly<T>(work: (cache: Cache) => Promise<T | null | undefined>, full = () => {}): Promise<T | null> {
  if (!globalThis.caches) return null;
  try {
    return (await work(await caches.open(cacheName))) ?? null;
  } catch (cause) {
    if (isFull(cause)) full();
    console.info("the browser's storage:", cause);
    return null;
  }
}

/** Caches go by address: these lead nowhere. */
function at(kind: "model" | "file" | "program" | "module" | "weights" | "about", id: string): string {
  return `/.spotter/${kind}/${id}`;
}

function pathOf(url: string): string {
  return new URL(url).pathname.replace(/^\/\.spotter\//, "");
}

function answer(body: Blob | string | Uint8Array<ArrayBuffer>): Response {
  const blob = new Blob([body]);
  return new Response(blob, { headers: { "content-length": String(blob.size) } });
}

async function bytes(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await response.arrayBuffer());
}
