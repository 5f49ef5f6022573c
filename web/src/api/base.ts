// Where the module's files lie: one folder for all of them.

import type { Settings } from "../../npm/spotter.d.ts";
import { type CompilerFiles, compilerFiles } from "../bring/compiler.ts";
import { Host } from "../core/host.ts";
import type { FromWorker, ToWorker } from "../core/messages.ts";
import { type Port, workerPort } from "../core/port.ts";

/** Whether this is the package's build, which has the compiler beside the script. */
declare const PACKAGED: boolean;

let common: string | URL | undefined;

export function configure(settings: Settings): void {
  common = settings.baseURL;
}

/** The folder's address, with a slash at its end. */
export function baseOf(given: string | URL | undefined): URL {
  const chosen = given ?? common;
  const here = import.meta.url;
  if (chosen === undefined) return new URL(".", here);
  const url = new URL(chosen, document.baseURI);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/** Whether the folder was named rather than found. */
function named(given: string | URL | undefined): boolean {
  return (given ?? common) !== undefined;
}

/**
 * Where an engine runs. Browsers start workers from the page's own origin only, so where the
 * files come from another one (a CDN) the engine runs in the page.
 */
export function hostOf(baseURL: string | URL | undefined, worker: boolean): { open: () => Port; blocking: boolean } {
  const url = new URL("spotter-worker.js", baseOf(baseURL));
  if (!worker || url.origin !== location.origin) return { open: () => new PagePort(), blocking: true };
  // In this form bundlers find the file and put it beside theirs.
  if (!named(baseURL))
    return { open: () => workerPort(new URL("./spotter-worker.js", import.meta.url)), blocking: false };
  return { open: () => workerPort(url), blocking: false };
}

/** Where the compiler is, for models that are brought in their own files. */
export function compilerOf(baseURL: string | URL | undefined): CompilerFiles {
  if (PACKAGED && !named(baseURL)) {
    return {
      worker: new URL("./spotter-compiler.js", import.meta.url), // bundlers find both in this form
      wasm: new URL("./spotter-compiler.wasm", import.meta.url),
    };
  }
  return compilerFiles(baseOf(baseURL));
}

/** An engine in the page, behind the same messages as one in a worker. */
class PagePort implements Port {
  onmessage: Port["onmessage"] = null;
  onerror: Port["onerror"] = null;
  private readonly host = new Host((data: FromWorker) => this.onmessage?.({ data }));

  postMessage(message: ToWorker): void {
    if (message.kind !== "serve") this.host.take(message);
  }

  terminate(): void {
    this.onmessage = null;
    this.host.end();
  }
}
