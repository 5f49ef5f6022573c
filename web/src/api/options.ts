// Options as callers give them, checked, in the form that the engine takes.

import type { DetectOptions } from "../../npm/spotter.d.ts";
import { SpotterError } from "../core/errors.ts";
import type { DetectOptions as EngineOptions } from "../core/messages.ts";

export function engineOptions(given: DetectOptions, classes: readonly string[]): EngineOptions {
  const side = number("maskSize", given.maskSize ?? Infinity, 1, Infinity);
  return {
    confidence: number("conf", given.conf ?? 0.25, 0, 1),
    iou: number("iou", given.iou ?? 0.45, 0, 1),
    max: number("maxDetections", given.maxDetections ?? 300, 1, Infinity),
    classes: given.classes ? classIds(given.classes, classes) : null,
    masks: maskKind(given.masks) ? side : 0,
  };
}

function maskKind(kind: DetectOptions["masks"]): boolean {
  if (!kind) return false;
  if (!["bitmap", "polygon", "rle"].includes(kind)) throw wrong("masks", kind, '"bitmap", "polygon" or "rle"');
  return true;
}

/** Ids of classes that are given by id or by name. */
export function classIds(wanted: readonly (number | string)[], classes: readonly string[]): number[] {
  return wanted.map((c) => {
    const id = typeof c === "number" ? c : classes.findIndex((name) => name.toLowerCase() === c.toLowerCase());
    if (!Number.isInteger(id) || id < 0 || id >= classes.length) {
      throw wrong("classes", c, `a name of ${classes.slice(0, 3).join(", ")}... or an id below ${classes.length}`);
    }
    return id;
  });
}

function number(name: string, value: number, least: number, most: number): number {
  if (!(value >= least && value <= most)) throw wrong(name, value, `a number from ${least} to ${most}`);
  return value;
}

function wrong(name: string, value: unknown, instead: string): SpotterError {
  return new SpotterError("bad-option", `${name} is ${JSON.stringify(value)}, not ${instead}`);
}
