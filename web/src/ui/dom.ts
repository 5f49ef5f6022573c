// Small helpers over the document.

/** The element of that id, which the page must have. */
export function $<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`BUG: the page has no #${id}`);
  return element as T;
}

/** A new element with attributes and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A dot in a class's colour (set through the object model, as the page's policy allows no style attributes). */
export function dot(colour: string): HTMLElement {
  const element = make("span", { class: "dot" });
  element.style.setProperty("--dot", colour);
  return element;
}

/** The part of a range that lies left of its thumb, for its colour. */
export function fillRange(range: HTMLInputElement): void {
  const [low, high] = [Number(range.min), Number(range.max)];
  range.style.setProperty("--fill", `${((Number(range.value) - low) / (high - low)) * 100}%`);
}

/** Saves bytes as a file of the person's. */
export function download(name: string, data: BlobPart): void {
  const blob = data instanceof Blob ? data : new Blob([data], { type: "application/octet-stream" });
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
