// The language of the page: the visitor's choice if there was one, else the browser's.

import { classInChinese } from "./classes.ts";
import { en, type Key, type Strings } from "./en.ts";
import { zh } from "./zh.ts";

export type Language = "en" | "zh";
export type { Key };

type Values = Record<string, string | number>;

const all: Record<Language, Strings> = { en, zh };
const tags: Record<Language, string> = { en: "en", zh: "zh-CN" };
const storageKey = "spotter.language";

let current: Language = first();
const listeners = new Set<() => void>();

export function language(): Language {
  return current;
}

/** Switches and remembers the language, and says so to all who listen. */
export function setLanguage(next: Language): void {
  current = next;
  try {
    localStorage.setItem(storageKey, next);
  } catch {
    // without storage the choice holds for this visit
  }
  apply();
}

/** Calls back now and after each switch. */
export function onLanguage(listener: () => void): void {
  listeners.add(listener);
  listener();
}

/** The text of a key, with {name} replaced by values. */
export function t(key: Key, values: Values = {}): string {
  return filled(current, key, values);
}

/** The text in each language, for what outlives a change of it. */
export function inBoth(key: Key, values: Values = {}): Record<Language, string> {
  return { en: filled("en", key, values), zh: filled("zh", key, values) };
}

function filled(language: Language, key: Key, values: Values): string {
  return all[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

export function className(name: string): string {
  return current === "zh" ? classInChinese(name) : name;
}

/** Formats by language and options: making one takes longer than drawing the label that it is for. */
const formats = new Map<string, Intl.NumberFormat>();

export function number(value: number, options: Intl.NumberFormatOptions = {}): string {
  const key = tags[current] + JSON.stringify(options);
  const format = formats.get(key) ?? new Intl.NumberFormat(tags[current], options);
  formats.set(key, format);
  return format.format(value);
}

export function percent(part: number): string {
  return number(part, { style: "percent", maximumFractionDigits: 0 });
}

export function megabytes(bytes: number): string {
  return `${number(bytes / 1e6, { minimumFractionDigits: 1, maximumFractionDigits: 1 })} MB`;
}

/** Puts the texts into the document: data-i18n names an element's text, data-i18n-ATTRIBUTE that attribute's. */
export function apply(): void {
  document.documentElement.lang = tags[current];
  document.title = t("page.title");
  for (const element of document.querySelectorAll<HTMLElement>("[data-i18n]")) {
    element.textContent = t(element.dataset.i18n as Key);
  }
  for (const attribute of ["aria-label", "placeholder", "title"]) {
    for (const element of document.querySelectorAll(`[data-i18n-${attribute}]`)) {
      element.setAttribute(attribute, t(element.getAttribute(`data-i18n-${attribute}`) as Key));
    }
  }
  for (const listener of listeners) listener();
}

function first(): Language {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(storageKey);
  } catch {
    // no storage, no choice
  }
  if (kept === "en" || kept === "zh") return kept;
  const wanted = navigator.languages?.length ? navigator.languages : [navigator.language];
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return "zh";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "en";
}
