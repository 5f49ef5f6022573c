// What the stage says beside the picture: how far the model has come, and what
// went wrong with what to do about it.

import type { ErrorCode, SpotterError } from "../core/errors.ts";
import { en } from "../i18n/en.ts";
import { type Key, language, megabytes, onLanguage, percent, t } from "../i18n/i18n.ts";
import { $ } from "./dom.ts";

const stage = $("stage");
const loading = $("loading");
const loadingText = $("loading-text");
const bar = $<HTMLProgressElement>("loading-bar");
const notice = $("notice");
const detail = $("notice-detail");
const action = $<HTMLButtonElement>("notice-action");
const closing = $<HTMLButtonElement>("notice-close");

/** Errors whose detail is a sentence for people, about a file of their own. */
const tellsDetail: ErrorCode[] = ["bad-network", "compiler"];

/** Errors that only fresh files or another browser cure. */
const fatal: ErrorCode[] = ["bad-module", "bad-weights", "mismatch", "engine", "closed"];

let words: () => void = () => {};
let retry: (() => void) | null = null;

onLanguage(() => words());
closing.addEventListener("click", hideNotice);
action.addEventListener("click", () => {
  const again = retry;
  hideNotice();
  if (again) again();
  else location.reload();
});

export function showProgress(loaded: number, total: number): void {
  const part = total > 0 ? Math.min(1, loaded / total) : 0;
  bar.value = part;
  loadingText.textContent =
    part < 1
      ? t("load.progress", { loaded: megabytes(loaded), total: megabytes(total), percent: percent(part) })
      : t("load.preparing");
}

/** Shows a piece of work; `part` of it is done, null where that can't be said. */
export function showWork(text: string, part: number | null): void {
  loading.hidden = false;
  if (part === null) bar.removeAttribute("value");
  else bar.value = part;
  loadingText.textContent = text;
}

/** Shows a wait without measure, e.g. for the camera's permission. */
export function showWait(key: Key): void {
  loading.hidden = false;
  bar.removeAttribute("value");
  loadingText.textContent = t(key);
}

export function hideLoading(): void {
  loading.hidden = true;
}

/** Says what is wrong, with a way on: `again` to retry, else loading the page anew where that helps. */
export function showNotice(error: SpotterError, again: (() => void) | null = null): void {
  const title = `title.${error.code}`;
  words = () => {
    $("notice-title").textContent = t(title in en ? (title as Key) : "title.other");
    $("notice-text").textContent = t(`error.${error.code}`);
    detail.hidden = !tellsDetail.includes(error.code) || !error.detail;
    detail.textContent = error.said[language()];
    action.textContent = t(again ? "notice.retry" : "notice.reload");
  };
  words();
  retry = again;
  action.hidden = !again && !fatal.includes(error.code);
  closing.hidden = error.code === "unsupported" || fatal.includes(error.code);
  notice.hidden = false;
  notice.dataset.code = error.code;
  if (error.detail) console.warn(error.message);
}

export function hideNotice(): void {
  const held = notice.contains(document.activeElement);
  notice.hidden = true;
  words = () => {};
  retry = null;
  if (held) stage.focus();
}
