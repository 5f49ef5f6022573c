// COCO's numbers of categories.

import { cocoNames } from "../i18n/classes.ts";

export interface Category {
  id: number;
  name: string;
}

/** Numbers from 1 to 90 that COCO gave to categories without annotations. */
const unused = [12, 26, 29, 30, 45, 66, 68, 69, 71, 83];

const cocoIds = Array.from({ length: 90 }, (_, i) => i + 1).filter((id) => !unused.includes(id));

/** The categories of a model's classes: COCO's own numbers where all are COCO's, else the class's id and one. */
export function categoriesOf(classes: readonly string[]): Category[] {
  const known = classes.map((name) => cocoIds[cocoNames.indexOf(name)]);
  const coco = classes.length > 0 && !known.includes(undefined);
  return classes.map((name, i) => ({ id: (coco && known[i]) || i + 1, name }));
}
