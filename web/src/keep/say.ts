// The line under the toolbar that says what became of keeping something.

import { type Key, onLanguage, t } from "../i18n/i18n.ts";
import { $ } from "../ui/dom.ts";

type Values = Record<string, string | number>;

let words: () => string = () => "";

onLanguage(show);

/** Says a sentence, in the language of the moment. */
export function say(key: Key, values: () => Values = () => ({})): void {
  words = () => t(key, values());
  show();
}

function show(): void {
  $("keep-said").textContent = words();
}
