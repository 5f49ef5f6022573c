// Identities over frames: ByteTrack (arXiv 2110.06864, algorithm 1). Detections of high score are matched first to
// where the tracks should be by now; those of low score then keep tracks alive that nothing better explains.

import { assign } from "./assign.ts";
import { type Box, BoxFilter } from "./kalman.ts";

export interface TrackOptions {
  /** Detections from this score on are matched first. */
  high: number;
  /** A detection from this score on that nothing explains begins a track. */
  fresh: number;
  /** Seconds after which an unseen track ends. */
  patience: number;
  /** Points kept of a track's path. */
  trail: number;
}

export const trackDefaults: TrackOptions = { high: 0.5, fresh: 0.6, patience: 1, trail: 64 };

export interface Seen {
  classId: number;
  score: number;
  /** x1 y1 x2 y2 in pixels of the picture. */
  box: Box;
}

export interface Track {
  /** Never used again. */
  id: number;
  classId: number;
  /** Of the last detection. */
  score: number;
  /** Filtered; x1 y1 x2 y2 in pixels of the picture. */
  box: Box;
  /** Centres, oldest first. */
  trail: [number, number][];
  /** Index of the detection of this frame that it took; -1 while it is lost. */
  detection: number;
}

/** Largest distance (1 - IoU, for the first match weighted by score) of a pair, by stage. */
const FIRST = 0.8;
const SECOND = 0.5;
const UNCONFIRMED = 0.7;

interface Entry {
  track: Track;
  filter: BoxFilter;
  confirmed: boolean;
  lastSeen: number; // seconds
}

export function iou(a: Box, b: Box): number {
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (w <= 0 || h <= 0) return 0;
  const both = w * h;
  return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both);
}

export class Tracker {
  private readonly options: TrackOptions;
  private entries: Entry[] = [];
  private nextId = 1;
  private last: number | null = null;

  constructor(options: Partial<TrackOptions> = {}) {
    this.options = { ...trackDefaults, ...options };
  }

  /** Takes a frame's detections (low scores too) at a time in seconds; gives the tracks seen in it. */
  update(seen: readonly Seen[], time: number): Track[] {
    const first = this.last === null;
    const steps = this.last === null ? 1 : Math.min(Math.max((time - this.last) * 30, 0.1), 15);
    this.last = time;
    for (const e of this.entries) {
      if (e.track.detection < 0) e.filter.coast();
      e.filter.predict(steps);
      e.track.box = e.filter.box;
      e.track.detection = -1;
    }
    const all = seen.map((_, i) => i);
    const high = all.filter((i) => (seen[i] as Seen).score >= this.options.high);
    const low = all.filter((i) => (seen[i] as Seen).score < this.options.high);
    const known = this.entries.filter((e) => e.confirmed);
    const left = this.match(known, seen, high, FIRST, true, time);
    // Only tracks seen lately are worth a doubtful detection.
    const recent = left.entries.filter((e) => time - e.lastSeen <= (1.5 * steps) / 30);
    this.match(recent, seen, low, SECOND, false, time);
    const young = this.match(
      this.entries.filter((e) => !e.confirmed),
      seen,
      left.detections,
      UNCONFIRMED,
      true,
      time,
    );
    const gone = new Set(young.entries);
    this.entries = this.entries.filter((e) => !gone.has(e) && time - e.lastSeen <= this.options.patience);
    for (const i of young.detections) this.begin(seen[i] as Seen, i, first, time);
    return this.entries.filter((e) => e.confirmed && e.track.detection >= 0).map((e) => e.track);
  }

  /** Changes options; tracks stay. */
  set(options: Partial<TrackOptions>): void {
    Object.assign(this.options, options);
  }

  /** Forgets all tracks; ids go on. */
  reset(): void {
    this.entries = [];
    this.last = null;
  }

  private match(entries: Entry[], seen: readonly Seen[], from: number[], limit: number, fuse: boolean, time: number) {
    const cost = entries.map((e) =>
      from.map((i) => {
        const s = seen[i] as Seen;
        if (s.classId !== e.track.classId) return Number.POSITIVE_INFINITY;
        return 1 - iou(e.track.box, s.box) * (fuse ? s.score : 1);
      }),
    );
    const pairs = assign(cost, from.length, limit);
    const taken = new Set(pairs);
    entries.forEach((e, k) => {
      const j = pairs[k] as number;
      if (j >= 0) this.see(e, seen[from[j] as number] as Seen, from[j] as number, time);
    });
    return {
      entries: entries.filter((_, k) => pairs[k] === -1),
      detections: from.filter((_, j) => !taken.has(j)),
    };
  }

  private see(e: Entry, s: Seen, index: number, time: number): void {
    e.filter.correct(s.box);
    e.confirmed = true;
    e.lastSeen = time;
    const box = e.filter.box;
    Object.assign(e.track, { box, score: s.score, detection: index });
    e.track.trail.push([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]);
    if (e.track.trail.length > this.options.trail) e.track.trail.shift();
  }

  /** A new track counts from its second frame on, unless the sequence begins with it. */
  private begin(s: Seen, index: number, confirmed: boolean, time: number): void {
    if (s.score < this.options.fresh) return;
    const filter = new BoxFilter(s.box);
    const [x1, y1, x2, y2] = s.box;
    this.entries.push({
      filter,
      confirmed,
      lastSeen: time,
      track: {
        id: this.nextId++,
        classId: s.classId,
        score: s.score,
        box: [x1, y1, x2, y2],
        trail: [[(x1 + x2) / 2, (y1 + y2) / 2]],
        detection: index,
      },
    });
  }
}
