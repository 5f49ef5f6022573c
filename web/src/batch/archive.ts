// The one file to download: a zip that is written while the pictures come, outside of the
// page's own memory.

/*! fflate, copyright (c) 2026 Arjun Barrett, MIT licence: https://github.com/101arrowz/fflate/blob/master/LICENSE */
import { Zip, ZipDeflate, ZipPassThrough } from "fflate";

/** Bytes that are gathered before they become a blob, which browsers move to the disk. */
const full = 4 << 20;

/** What a zip of the plain form can hold; a little is left for the results at its end. */
const mostBytes = 0xffffffff - (512 << 20);
const mostFiles = 0xffff - 16;

export class Archive {
  private blobs: Blob[] = [];
  private chunks: Uint8Array<ArrayBuffer>[] = [];
  private gathered = 0;
  private bytes = 0;
  private files = 0;
  /** Names in use: file systems that take A for a must not lose one. */
  private readonly taken = new Set<string>();
  private readonly zip = new Zip((error, chunk) => {
    if (error) throw error;
    this.take(chunk);
  });

  /** Whether there is room for a picture of so many bytes. */
  holds(bytes: number): boolean {
    return this.bytes + bytes < mostBytes && this.files < mostFiles;
  }

  /** Adds a file of a form that is compressed already. */
  store(path: string, data: Uint8Array): void {
    this.add(new ZipPassThrough(this.free(path)), data);
  }

  /** Adds text, compressed. */
  pack(path: string, text: string): void {
    this.add(new ZipDeflate(this.free(path)), new TextEncoder().encode(text));
  }

  /** Ends the zip; nothing can be added behind. */
  finish(): Blob {
    this.zip.end();
    this.flush();
    return new Blob(this.blobs, { type: "application/zip" });
  }

  private add(file: ZipPassThrough | ZipDeflate, data: Uint8Array): void {
    this.files++;
    this.zip.add(file);
    file.push(data, true);
  }

  /** The path, or one beside it where that is taken. */
  private free(path: string): string {
    const safe = path
      .replaceAll("\\", "_")
      .split("/")
      .filter((part) => part && part !== "." && part !== "..")
      .join("/");
    const dot = safe.lastIndexOf(".");
    let name = safe;
    for (let i = 2; this.taken.has(name.toLowerCase()); i++) name = `${safe.slice(0, dot)} (${i})${safe.slice(dot)}`;
    this.taken.add(name.toLowerCase());
    return name;
  }

  private take(chunk: Uint8Array): void {
    this.chunks.push(chunk as Uint8Array<ArrayBuffer>);
    this.bytes += chunk.length;
    this.gathered += chunk.length;
    if (this.gathered >= full) this.flush();
  }

  private flush(): void {
    if (this.chunks.length) this.blobs.push(new Blob(this.chunks));
    this.chunks = [];
    this.gathered = 0;
  }
}
