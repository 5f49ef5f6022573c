// Downloads with progress and with errors that say what is wrong.

import { SpotterError } from "./errors.ts";

/** Asks for a file; HTML in place of a binary and plain failures become typed errors. */
export async function request(from: string | Request, signal: AbortSignal): Promise<Response> {
  const url = typeof from === "string" ? from : from.url;
  let response: Response;
  try {
    response = await fetch(from, { signal });
  } catch (cause) {
    if (signal.aborted) throw new SpotterError("aborted");
    throw new SpotterError("network", `${url}: ${cause instanceof Error ? cause.message : cause}`);
  }
  return accepted(response, url);
}

/** The response, if it holds a file. */
export function accepted(response: Response, url = response.url): Response {
  if (response.status === 404) throw new SpotterError("not-found", url);
  if (!response.ok) throw new SpotterError("network", `${url}: ${response.status}`);
  if ((response.headers.get("content-type") ?? "").startsWith("text/html")) throw new SpotterError("html-instead", url);
  return response;
}

/** Calls `take` with each chunk of the body and its offset; returns the number of bytes. */
export async function stream(
  response: Response,
  take: (chunk: Uint8Array, offset: number) => void,
  signal: AbortSignal,
): Promise<number> {
  const reader = response.body?.getReader();
  if (!reader) throw new SpotterError("network", "no body");
  let offset = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw signal.aborted ? new SpotterError("aborted") : new SpotterError("network", String(cause));
    });
    if (done) return offset;
    take(value, offset);
    offset += value.length;
  }
}

/** The whole body, with progress. */
export async function bytesOf(response: Response, progress: (done: number) => void, signal: AbortSignal) {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const total = await stream(
    response,
    (chunk, offset) => {
      chunks.push(new Uint8Array(chunk));
      progress(offset + chunk.length);
    },
    signal,
  );
  const all = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
