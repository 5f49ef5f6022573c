// The words about two models side by side, in English.

export const enCompare = {
  "compare.open": "Compare",
  "compare.title": "Two side by side",
  "compare.lead":
    "A is what the page runs, with the settings of the page. B looks at the very same pictures. Each has the whole processor while it works.",
  "compare.close": "Close",
  "compare.same": "The same as A",
  "compare.own": "{size} · confidence {confidence} · overlap {iou}",
  "compare.figures": "{ms} ms a picture · {count} found",
  "compare.onlyA": "Only A: {count}",
  "compare.both": "Both (A | B): {count}",
  "compare.onlyB": "Only B: {count}",
  "compare.more": "and {count} more",
  "compare.spoken": "{both} found by both, {a} by A only, {b} by B only",
  "compare.picture": "The same picture with what B found in it: {count}",
  "compare.loading": "Loading B…",
  "compare.stage": "Preparing B: {stage}",
} as const;
