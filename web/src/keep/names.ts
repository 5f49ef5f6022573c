// Names of the files that people save.

/** The source's name without its ending; with the time where many could have the same. */
export function nameFor(source: string, live: boolean, ending: string, now = new Date()): string {
  const stem = source.replace(/\.[^.]+$/, "").replace(/[^\p{L}\p{N} ._-]/gu, "_") || "spotter";
  const two = (n: number) => String(n).padStart(2, "0");
  const day = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map(two).join("-");
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(".");
  return `${stem}${live ? ` ${day} ${time}` : "-spotter"}${ending}`;
}
