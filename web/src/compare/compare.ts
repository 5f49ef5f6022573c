// Two models, or one with two settings, on the same pictures. A is the page's own; B is a
// second detector that lives as long as the comparison.

import type { Running } from "../bring/bring.ts";
import { keptOrigin, keptPair, originOf } from "../bring/origins.ts";
import type { Pair as CompiledPair } from "../bring/pair.ts";
import type { Size } from "../bring/sizes.ts";
import { type Stored, store } from "../bring/store.ts";
import type { Detector, Result } from "../core/detector.ts";
import { asError, isRestart } from "../core/errors.ts";
import type { DetectOptions, Picture } from "../core/messages.ts";
import { closePicture } from "../core/pixels.ts";
import { type Key, megabytes, number, onLanguage, t } from "../i18n/i18n.ts";
import { $ } from "../ui/dom.ts";
import type { Finder } from "../view/session.ts";
import { Share } from "../view/share.ts";
import { Card, sameModel } from "./card.ts";
import { pairUp } from "./differ.ts";
import { type Made, Maker, type Recipe } from "./maker.ts";
import { Pair, type Second } from "./pair.ts";
import { Side } from "./side.ts";
import type { Page } from "./start.ts";

/** What B found in a picture that A's result is not on the stage for yet. */
interface Waiting {
  /** A's result, by what stays with it whatever the page adds. */
  of: Result["timings"];
  result: Result;
}

export class Compare {
  private readonly card: Card;
  private readonly side: Side;
  private readonly maker: Maker;
  private open = false;
  private stored: Stored[] = [];
  private made: Made | null = null;
  private share: Share | null = null;
  /** B's look at a picture: its detector is not closed before that is over. */
  private looking: Promise<void> = Promise.resolve();
  /** Results until A's of the same picture is shown: that may be while the next is in work. */
  private waiting: Waiting[] = [];
  /** Counts changes of B: an older one gives way to a newer. */
  private turn = 0;
  private words: () => string = () => "";

  constructor(
    private readonly page: Page,
    private readonly button: HTMLElement,
  ) {
    this.side = new Side(() => page.look());
    this.maker = new Maker(({ stage, loaded, total }) => {
      const sizes = { loaded: megabytes(loaded), total: megabytes(total) };
      this.say(() => t("compare.stage", { stage: t(`stage.${stage}` as Key, sizes) }));
    });
    this.card = new Card({
      exchange: () => page.attempt(() => this.remake(null)),
      resize: (long) => page.attempt(() => this.remake({ width: long, height: long })),
      refresh: () => page.refresh(),
      close: () => page.attempt(() => this.toggle()),
      own: () => ({ detector: page.engine(), ...page.settings() }),
    });
    onLanguage(() => {
      this.side.say(this.words());
      this.redraw();
    });
    $("stage").addEventListener("detections", (event) => this.shown((event as CustomEvent<Result>).detail));
  }

  async toggle(): Promise<void> {
    this.open = !this.open;
    this.button.setAttribute("aria-pressed", String(this.open));
    if (this.open) await this.begin();
    else await this.end();
  }

  /** What the page looks through while the comparison is open: A first, then B. */
  wrap(finder: Finder): Finder {
    if (!this.open) return finder;
    if (!this.made || this.card.model.input.value === sameModel) this.page.attempt(() => this.remake(null));
    const second: Second = {
      ready: () => this.share !== null,
      remembers: () => this.share?.remembers ?? false,
      look: (picture, wanted, first) => {
        this.looking = this.look(picture, this.options(wanted), first);
        return this.looking;
      },
    };
    return new Pair(finder, second);
  }

  /** Draws B's picture anew, as the page does with A's. */
  redraw(): void {
    this.side.redraw(this.page.mirror());
  }

  /** What was looked at is gone. */
  clear(): void {
    this.release(this.waiting.splice(0));
    this.card.show(null);
    this.side.clear();
  }

  private async begin(): Promise<void> {
    const { confidence, iou } = this.page.settings();
    this.card.confidence.set(confidence);
    this.card.iou.set(iou);
    this.side.open();
    this.card.open();
    this.stored = await store.models();
    if (!this.open) return;
    this.card.offer(this.page.models(), this.stored);
    await this.page.renew();
  }

  private async end(): Promise<void> {
    this.turn++;
    this.drop();
    this.maker.close();
    this.side.close();
    this.card.close();
    this.button.focus();
    await this.page.renew();
  }

  /** Gives B's detector back. */
  private drop(): void {
    const detector = this.made?.detector;
    this.share = null;
    this.made = null;
    this.clear();
    void this.looking.then(() => detector?.close());
  }

  /** Makes B anew: the model that is chosen, in that size or in its own. */
  private async remake(size: Size | null): Promise<void> {
    const mine = ++this.turn;
    const like = this.page.engine();
    if (!like) return;
    this.drop();
    this.say(() => t("compare.loading"));
    try {
      const made = await this.maker.make(await this.recipe(like, size), like);
      if (mine !== this.turn) return made.detector.close();
      this.adopt(made);
    } catch (cause) {
      if (mine === this.turn) this.failed(cause);
    }
  }

  private adopt(made: Made): void {
    this.made = made;
    this.share = new Share(made.detector);
    const { width, height, head } = made.detector.manifest;
    this.card.offerSizes({ width, height }, Math.max(32, ...head.strides), made.resizable);
    this.say(() => "");
    this.page.refresh();
  }

  /** What B is to be made of. */
  private async recipe(like: Detector, size: Size | null): Promise<Recipe> {
    const chosen = this.card.model.input.value;
    const shipped = this.page.models().find((m) => m.id === chosen);
    const plain = { shipped: null, origin: null, options: {}, size, pair: null };
    if (shipped) return { ...plain, shipped, origin: originOf(shipped) };
    const stored = this.stored.find((m) => m.id === chosen);
    if (stored?.compiled) return { ...plain, pair: await keptPair(stored) };
    if (stored) return { ...plain, origin: await keptOrigin(stored), options: stored.options };
    const running = this.page.running();
    if (!running) return plain;
    if (!running.shipped && !running.origin) return { ...plain, pair: pairOf(running) };
    const { width, height } = like.manifest;
    const own = running.shipped ? { width, height } : null; // it may run in another size than it was shipped in
    return { ...plain, shipped: running.shipped, origin: running.origin, options: running.options, size: size ?? own };
  }

  /** B looks for what A looks for, by its own settings, in its own numbers of classes. */
  private options(first: DetectOptions): DetectOptions {
    const [a, b] = [this.page.engine()?.manifest, this.made?.detector.manifest];
    const wanted = first.classes && new Set(first.classes.map((id) => a?.classes[id] ?? String(id)));
    const ids = Array.from({ length: b?.classes.length || b?.head.classes || 0 }, (_, id) => id);
    return {
      ...first,
      confidence: Number(this.card.confidence.input.value),
      iou: Number(this.card.iou.input.value),
      max: b?.task === "classify" ? 5 : 300,
      classes: wanted && ids.filter((id) => wanted.has(b?.classes[id] ?? String(id))),
    };
  }

  private async look(picture: Picture | null, wanted: DetectOptions, first: Result): Promise<void> {
    const { share } = this;
    if (!share) return closePicture(picture);
    try {
      const result = await (picture ? share.detect(picture, wanted) : share.again(wanted));
      if (share === this.share) this.waiting.push({ of: first.timings, result });
      else closePicture(result.picture); // another B has taken over
    } catch (cause) {
      if (isRestart(cause)) this.page.refresh();
      else if (share === this.share) this.failed(cause);
    }
  }

  /** A's result is on the stage: B's follows. */
  private shown(a: Result): void {
    const at = this.waiting.findIndex(({ of }) => of === a.timings);
    const now = this.waiting.splice(0, at + 1);
    const b = now.pop()?.result;
    this.release(now); // of pictures that were never shown
    if (!b) return;
    this.say(() => "");
    this.side.show(b, this.page.mirror());
    this.side.name(t("compare.picture", { count: number(b.detections.length) }));
    this.card.show({ a, b, pairs: pairUp(a.detections, b.detections) }, this.page.live());
  }

  private release(results: Waiting[]): void {
    for (const { result } of results) closePicture(result.picture);
  }

  private failed(cause: unknown): void {
    const error = asError(cause, "engine");
    console.warn(error.message);
    this.say(() => `${t(`error.${error.code}`)} ${error.detail}`.trim());
  }

  private say(words: () => string): void {
    this.words = words;
    this.side.say(words());
  }
}

/** What came compiled, once more. */
function pairOf({ compiled, detector }: Running): CompiledPair {
  const blob = (data: Uint8Array<ArrayBuffer> | undefined) => (data ? new Blob([data]) : null);
  return { name: detector.model.name, module: blob(compiled?.module), weights: blob(compiled?.weights) };
}
