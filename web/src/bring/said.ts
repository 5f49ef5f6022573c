// What the compiler says, in the page's languages: it hands over sentences taken apart
// (models/say), and their formats are looked up here. What has no translation stays English.

import type { Said } from "../core/errors.ts";
import { zhCompiler } from "../i18n/zh-compiler.ts";

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
  const words = zhCompiler[format || text];
  if (words === undefined) return text;
  return words.replace(/\{(\d+)\}/g, (_, place) => {
    const arg = args[Number(place) - 1];
    return arg ? inChinese(arg) : "";
  });
}
