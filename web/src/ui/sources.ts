// The ways to bring something in: buttons, samples, drop and paste.

import { type Key, onLanguage, t } from "../i18n/i18n.ts";
import { $ } from "./dom.ts";

const samples = () => document.querySelectorAll<HTMLButtonElement>("[data-sample]");

/**
 * Calls `open` with the files that come in together, `sample` with address and name of a
 * sample picture, and `folders` with what is dropped where a folder is in it.
 */
export function bindSources(
  open: (files: File[]) => void,
  sample: (url: string, name: string) => void,
  folders: (entries: FileSystemEntry[]) => void,
): void {
  const input = $<HTMLInputElement>("file-input");
  $("file").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = "";
    if (files.length) open(files);
  });
  bindDrop(open, folders);
  document.addEventListener("paste", (event) => {
    const file = mediaIn(event.clipboardData);
    if (file) open([file]);
  });
  for (const button of samples()) {
    button.addEventListener("click", () => sample(button.dataset.sample ?? "", button.dataset.name ?? ""));
  }
  onLanguage(() => {
    for (const button of samples()) {
      button.setAttribute("aria-label", t("source.sample", { name: t(`source.${button.dataset.name}` as Key) }));
    }
  });
}

/** Marks the sample that is shown; none for "". */
export function markSample(url: string): void {
  for (const button of samples()) button.setAttribute("aria-pressed", String(button.dataset.sample === url));
}

function bindDrop(open: (files: File[]) => void, folders: (entries: FileSystemEntry[]) => void): void {
  const marked = document.documentElement.classList;
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    marked.add("drag");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) marked.remove("drag");
  });
  document.addEventListener("drop", (event) => {
    marked.remove("drag");
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    const entries = [...(event.dataTransfer?.items ?? [])].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
    if (entries.some((entry) => entry.isDirectory)) folders(entries);
    else open(files);
  });
}

function mediaIn(data: DataTransfer | null): File | undefined {
  return [...(data?.files ?? [])].find((f) => /^(image|video)\//.test(f.type));
}
