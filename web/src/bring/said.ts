// What the compiler says, in the page's languages: it hands over sentences taken apart
// (models/say), and their formats are looked up here. What has no translation stays English.

import type { Said } from "../core/errors.ts";
import { zhForeign } from "../i18n/zh-foreign.ts";
import { zhSaid } from "../i18n/zh-said.ts";

/** A sentence taken apart; without format it is a name, a number, or another library's words. */
export interface Node {
  text: string;
  format: string;
  args: Node[];
}

export function told(node: Node): Said {
  return { en: node.text, zh: inChinese(node) };
}

function inChinese({ text, format, args }: Node): string {
  const words = zhSaid[format];
  return words === undefined ? foreign(text) : filled(words, args.map(inChinese));
}

/** What a library says, which may quote another. */
function foreign(text: string): string {
  for (const [pattern, words] of zhForeign) {
    const found = pattern.exec(text);
    if (found) return filled(words, found.slice(1).map(foreign));
  }
  return text;
}

function filled(words: string, parts: readonly string[]): string {
  return words.replace(/\{(\d+)\}/g, (_, place) => parts[Number(place) - 1] ?? "");
}
