// What was found in thousands of pictures, kept outside of the page's own memory: as
// lines of text in blobs, which browsers move to the disk when they get large.

import type { Entry } from "../results/entry.ts";

/** Characters that are gathered before they become a blob. */
const full = 1 << 16;

export class Records {
  private readonly blobs: Blob[] = [];
  private lines: string[] = [];
  private gathered = 0;

  add(entry: Entry): void {
    const line = `${JSON.stringify(entry)}\n`;
    this.lines.push(line);
    this.gathered += line.length;
    if (this.gathered >= full) this.flush();
  }

  /** All entries, in the order in which they came. */
  async read(): Promise<Entry[]> {
    this.flush();
    const entries: Entry[] = [];
    for (const blob of this.blobs) {
      for (const line of (await blob.text()).split("\n")) if (line) entries.push(JSON.parse(line));
    }
    return entries;
  }

  private flush(): void {
    if (this.lines.length) this.blobs.push(new Blob(this.lines));
    this.lines = [];
    this.gathered = 0;
  }
}
