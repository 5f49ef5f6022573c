// What tracks are counted by: their classes, lines that they cross, zones that they visit.

import type { Counts } from "../../npm/spotter.d.ts";
import type { Guide } from "../core/guides.ts";
import { countByClass, LineCounter, type Point, ZoneCounter } from "./count.ts";
import type { Followed } from "./follow.ts";

/** Lines and zones in parts of the picture's width and height. */
export interface Places {
  lines: Point[][];
  zones: Point[][];
}

/** Reads "0.5,0 0.5,1; ...": points of x,y from 0 to 1, places separated by semicolons. */
export function readPlaces(text: string | null, least: number): Point[][] {
  return (text ?? "")
    .split(";")
    .map((place) =>
      place
        .trim()
        .split(/\s+/)
        .map((point) => point.split(",").map(Number))
        .filter((p): p is Point => p.length === 2 && p.every(Number.isFinite)),
    )
    .filter((points) => points.length >= least);
}

export class Counters {
  private readonly lines: LineCounter[];
  private readonly zones: ZoneCounter[];
  private inside: Followed[][] = [];
  private tracks: readonly Followed[] = [];
  private readonly labels = new Map<number, string>();

  /** Sizes are the picture's. */
  constructor(
    places: Places,
    readonly width: number,
    readonly height: number,
  ) {
    const scaled = (points: Point[]) => points.map(([x, y]): Point => [x * width, y * height]);
    this.lines = places.lines.map((line) => {
      const [a, b] = scaled(line) as [Point, Point];
      return new LineCounter({ a, b });
    });
    this.zones = places.zones.map((zone) => new ZoneCounter(scaled(zone)));
  }

  update(tracks: readonly Followed[]): void {
    for (const { classId, label } of tracks) this.labels.set(classId, label);
    this.tracks = tracks;
    for (const line of this.lines) line.update(tracks);
    this.inside = this.zones.map((zone) => zone.update(tracks) as Followed[]);
  }

  get counts(): Counts {
    return {
      classes: this.named(countByClass(this.tracks)),
      lines: this.lines.map((line) => this.named(line.crossings)),
      zones: this.zones.map((zone, i) => ({
        inside: this.named(countByClass(this.inside[i] ?? [])),
        visitors: this.named(new Map([...zone.visitors].map(([id, seen]) => [id, seen.size]))),
      })),
    };
  }

  /** The lines and zones with their counts, to be drawn. */
  get guides(): Guide[] {
    const lines = this.lines.map(({ line, crossings }) => {
      const sum = (way: "left" | "right") => [...crossings.values()].reduce((total, c) => total + c[way], 0);
      return { points: [line.a, line.b], text: `${sum("left")} | ${sum("right")}` };
    });
    const zones = this.zones.map((zone, i) => ({ points: zone.polygon, text: String(this.inside[i]?.length ?? 0) }));
    return [...lines, ...zones];
  }

  private named<T>(counts: Map<number, T>): Record<string, T> {
    return Object.fromEntries([...counts].map(([id, count]) => [this.labels.get(id) ?? String(id), count]));
  }
}
