// The button that puts two models side by side. All else arrives with the first press.

import type { Running } from "../bring/bring.ts";
import type { Model } from "../core/catalog.ts";
import type { Detector } from "../core/detector.ts";
import { asError } from "../core/errors.ts";
import type { DetectOptions } from "../core/messages.ts";
import { $ } from "../ui/dom.ts";
import type { Finder } from "../view/session.ts";
import type { Look } from "../view/view.ts";
import type { Compare } from "./compare.ts";

/** The page around it; what it shows and runs by itself is side A. */
export interface Page {
  /** What runs; null as long as nothing does. */
  engine(): Detector | null;
  /** The same with where it came from. */
  running(): Running | null;
  /** The models of the site. */
  models(): readonly Model[];
  settings(): DetectOptions;
  look(): Look;
  mirror(): boolean;
  /** Whether frames follow each other. */
  live(): boolean;
  /** Lets the page look through `wrap` from now on, at what is shown as well. */
  renew(): Promise<void>;
  /** Looks at what is shown again. */
  refresh(): void;
  /** Runs a piece of work, and says it where it fails. */
  attempt(work: () => Promise<void>): void;
}

/** What the page tells a comparison. */
export interface Told {
  /** What the page looks through passes here, for the other side to see the same. */
  wrap(finder: Finder): Finder;
  /** What is shown is drawn otherwise now. */
  redraw(): void;
  /** What was looked at is gone. */
  clear(): void;
}

/** Binds the button. */
export function bindCompare(page: Page): Told {
  let compare: Compare | null = null;
  const button = $("compare");
  button.addEventListener("click", () =>
    page.attempt(async () => {
      const { Compare: Made } = await import("./compare.ts").catch((cause: unknown) => {
        throw asError(cause, "network");
      });
      compare ??= new Made(page, button);
      await compare.toggle();
    }),
  );
  return {
    wrap: (finder) => compare?.wrap(finder) ?? finder,
    redraw: () => compare?.redraw(),
    clear: () => compare?.clear(),
  };
}
