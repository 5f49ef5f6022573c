// Attributes of the element and the properties that mirror them.

/** How an attribute's text becomes a property's value. */
type Kind = "text" | "number" | "flag" | "default-on" | "list";

export const attributes = {
  src: "text",
  model: "text",
  conf: "number",
  iou: "number",
  max: "number",
  classes: "list",
  masks: "default-on",
  labels: "default-on",
  boxes: "default-on",
  names: "text",
  tracking: "flag",
  lines: "text",
  zones: "text",
  controls: "flag",
  facing: "text",
  fps: "number",
  width: "number",
  threads: "number",
  paused: "flag",
  base: "text",
} as const satisfies Record<string, Kind>;

export type Attribute = keyof typeof attributes;

export const attributeNames = Object.keys(attributes) as Attribute[];

/** Values that switch a flag off: markup generators write booleans out. */
const off = /^(off|false|none|0)$/i;

export function readFlag(element: Element, name: Attribute): boolean {
  const text = element.getAttribute(name);
  return text === null ? attributes[name] === "default-on" : !off.test(text);
}

/** null where the attribute is missing or no number. */
export function readNumber(element: Element, name: Attribute): number | null {
  const text = element.getAttribute(name);
  const value = text === null || text.trim() === "" ? Number.NaN : Number(text);
  return Number.isNaN(value) ? null : value;
}

export function readList(element: Element, name: Attribute): string[] | null {
  const list = element
    .getAttribute(name)
    ?.split(",")
    .map((part) => part.trim());
  return list?.filter(Boolean) ?? null;
}

function read(element: Element, name: Attribute): unknown {
  switch (attributes[name] as Kind) {
    case "number":
      return readNumber(element, name);
    case "list":
      return readList(element, name);
    case "text":
      return element.getAttribute(name);
  }
  return readFlag(element, name);
}

function write(element: Element, name: Attribute, value: unknown): void {
  const kind: Kind = attributes[name];
  if (value === null || value === undefined) element.removeAttribute(name);
  else if (kind === "flag") element.toggleAttribute(name, Boolean(value));
  else if (kind === "default-on") {
    if (value) element.removeAttribute(name);
    else element.setAttribute(name, "off");
  } else element.setAttribute(name, Array.isArray(value) ? value.join(",") : String(value));
}

/** Gives a class a property for each attribute, but for those that it has already. */
export function reflect(prototype: Element): void {
  for (const name of attributeNames) {
    if (Object.hasOwn(prototype, name)) continue;
    Object.defineProperty(prototype, name, {
      configurable: true,
      enumerable: true,
      get(this: Element) {
        return read(this, name);
      },
      set(this: Element, value: unknown) {
        write(this, name, value);
      },
    });
  }
}
