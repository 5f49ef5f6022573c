// Notices that an engine's worker is gone. Browsers tell a page nothing when they end a
// worker, or when it ends itself: what was sent to it is simply never answered.

/** Seconds between the questions whether a silent worker is still there. */
const askEvery = 5;

export interface Patient {
  /** Seconds without a word that are all right now; 0 where no word is due. */
  patience(): number;
  /** Asks for a word. */
  ask(): void;
  /** The worker is gone, or silent for too long. */
  lost(detail: string): void;
}

export class Pulse {
  private silent = 0;
  private timer: ReturnType<typeof setInterval> | null = null;
  private readonly ending = new AbortController();

  constructor(private readonly of: Patient) {}

  /** A word is due. */
  wait(): void {
    this.timer ??= setInterval(() => this.tick(), 1000);
  }

  heard(): void {
    this.silent = 0;
  }

  /** The worker holds this lock as long as it lives; who waits for it learns of the end at once. */
  async follow(lock: string): Promise<void> {
    await navigator.locks
      ?.request(lock, { signal: this.ending.signal }, () => {
        if (!this.ending.signal.aborted) this.of.lost("the worker has ended");
      })
      .catch(() => {}); // no more interest
  }

  stop(): void {
    this.ending.abort();
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /** Seconds are counted one by one, so that a page put to sleep does not blame the worker for it. */
  private tick(): void {
    const patience = this.of.patience();
    if (patience === 0) {
      if (this.timer !== null) clearInterval(this.timer);
      this.timer = null;
      this.silent = 0;
    } else if (++this.silent > patience) {
      this.of.lost(`the worker said nothing for ${this.silent} seconds`);
    } else if (this.silent % askEvery === 0) {
      this.of.ask();
    }
  }
}
