// Latest wins: one item in work, the newest waits, older ones are dropped; never a queue.

export class Latest<T> {
  private busy = false;
  private next: { item: T } | null = null;
  /** Items dropped so far because a newer one came. */
  dropped = 0;

  /**
   * `work` handles one item and takes ownership of it; what it gives back is called when the next item is in work.
   * `drop` frees one that is not worked on.
   */
  constructor(
    private readonly work: (item: T) => Promise<(() => void) | null>,
    private readonly drop: (item: T) => void,
  ) {}

  /** Whether an item waits behind the one in work. */
  get waiting(): boolean {
    return this.next !== null;
  }

  offer(item: T): void {
    if (!this.busy) {
      void this.run(item);
      return;
    }
    if (this.next) {
      this.drop(this.next.item);
      this.dropped++;
    }
    this.next = { item };
  }

  /** Drops the item that waits; the one in work goes on. */
  clear(): void {
    if (this.next) this.drop(this.next.item);
    this.next = null;
  }

  private async run(first: T): Promise<void> {
    this.busy = true;
    let work: Promise<(() => void) | null> | null = this.work(first);
    while (work) {
      const finish: (() => void) | null = await work;
      const next = this.next;
      this.next = null;
      work = next && this.work(next.item);
      this.busy = work !== null;
      finish?.();
    }
  }
}
