// Says a sentence over the picture: for a moment, or as long as it is true.

import { type Key, onLanguage, t } from "../i18n/i18n.ts";
import { $ } from "../ui/dom.ts";

/** How long a sentence about what has happened stays, in milliseconds. */
const momentMs = 10_000;

const place = $("said");
let moment: Key | null = null;
let lasting: Key | null = null;
let timer = 0;

onLanguage(show);

/** Says what has happened. */
export function say(key: Key): void {
  moment = key;
  clearTimeout(timer);
  timer = window.setTimeout(() => {
    moment = null;
    show();
  }, momentMs);
  show();
}

/** Says what is the matter; null when it no longer is. */
export function sayWhile(key: Key | null): void {
  if (key === lasting) return;
  lasting = key;
  show();
}

function show(): void {
  const key = lasting ?? moment;
  place.textContent = key ? t(key) : "";
}
