// Results of pictures as text: JSON, CSV, and COCO's two forms. docs/results.md describes them.

import { areaOf } from "../api/masks.ts";
import { categoriesOf } from "./categories.ts";
import { type Entry, type Found, round } from "./entry.ts";

export type Format = "json" | "csv" | "coco" | "coco-dataset";

/** The media type and the ending of a file of each format. */
export const kinds: Record<Format, { type: string; ending: string }> = {
  json: { type: "application/json", ending: ".json" },
  csv: { type: "text/csv", ending: ".csv" },
  coco: { type: "application/json", ending: ".coco.json" },
  "coco-dataset": { type: "application/json", ending: ".instances.json" },
};

/** The text of a file; `classes` are the model's, in the order of their ids. */
export function write(format: Format, entries: readonly Entry[], classes: readonly string[]): string {
  if (format === "csv") return toCSV(entries);
  if (format === "coco") return toCOCO(entries, classes);
  if (format === "coco-dataset") return toCOCODataset(entries, classes);
  return toJSON(entries);
}

export function toJSON(entries: readonly Entry[]): string {
  return text(entries);
}

const columns = "file,width,height,model,time,seconds,id,class_id,class,score,x1,y1,x2,y2,mask_area,mask";

/** A line for each detection (RFC 4180); a picture in which nothing was found has none. */
export function toCSV(entries: readonly Entry[]): string {
  const lines = [columns];
  for (const { file, width, height, model, time, seconds, detections } of entries) {
    for (const { id, class_id, class: name, score, box, mask } of detections) {
      const picture = [file, width, height, model, time, seconds];
      const shape = mask ? [areaOf(mask), JSON.stringify(mask)] : [undefined, undefined];
      lines.push([...picture, id, class_id, name, score, ...box, ...shape].map(cell).join(","));
    }
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** COCO's results: what pycocotools' loadRes takes. */
export function toCOCO(entries: readonly Entry[], classes: readonly string[]): string {
  return text(annotations(entries, classes));
}

/** COCO's data set with the detections for annotations: what pycocotools' COCO and tools for labelling open. */
export function toCOCODataset(entries: readonly Entry[], classes: readonly string[]): string {
  const ids = imageIds(entries);
  return text({
    info: { description: "Detections by Spotter, not checked by anyone" },
    images: entries.map(({ file, width, height }, i) => ({ id: ids[i], file_name: file, width, height })),
    categories: categoriesOf(classes),
    annotations: annotations(entries, classes).map((found, i) => {
      const { image_id, category_id, bbox, score, segmentation } = found;
      const area = segmentation ? areaOf(segmentation) : round(bbox[2] * bbox[3], 1e3);
      const shape = segmentation ? { segmentation } : {};
      return { id: i + 1, image_id, category_id, bbox, area, iscrowd: 0, score, ...shape };
    }),
  });
}

function annotations(entries: readonly Entry[], classes: readonly string[]) {
  const ids = imageIds(entries);
  const categories = categoriesOf(classes);
  return entries.flatMap(({ detections }, i) =>
    detections.map(({ class_id, box, score, mask }) => ({
      image_id: ids[i] ?? 0,
      category_id: categories[class_id]?.id ?? class_id + 1,
      bbox: [box[0], box[1], round(box[2] - box[0], 1e3), round(box[3] - box[1], 1e3)] as Found["box"],
      score,
      ...(mask ? { segmentation: mask } : {}),
    })),
  );
}

/** The numbers that COCO's pictures are named by, where all are; else 1, 2, ... */
function imageIds(entries: readonly Entry[]): number[] {
  const numbers = entries.map(({ file }) => Number(/(?:^|[/\\])(\d{1,15})\.\w+$/.exec(file)?.[1] ?? Number.NaN));
  const named = new Set(numbers).size === entries.length && !numbers.some(Number.isNaN);
  return named ? numbers : entries.map((_, i) => i + 1);
}

/** Text that spreadsheets would run as a formula is marked as text, as names come with models and files. */
function cell(value: string | number | undefined): string {
  if (typeof value !== "string") return value === undefined ? "" : String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function text(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}
