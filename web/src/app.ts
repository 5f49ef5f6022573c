// The page: joins the parts and loads the model.

import { bindBatch } from "./batch/start.ts";
import { Bring } from "./bring/bring.ts";
import { modelIn } from "./bring/files.ts";
import type { Size } from "./bring/sizes.ts";
import { bindCompare } from "./compare/start.ts";
import { another } from "./core/camera.ts";
import { type Model, pick, readCatalog } from "./core/catalog.ts";
import { type Detection, Detector } from "./core/detector.ts";
import { asError, SpotterError } from "./core/errors.ts";
import { request } from "./core/fetch.ts";
import type { DetectOptions, Look } from "./core/messages.ts";
import { capabilities } from "./core/probe.ts";
import { bindField, watchDetector } from "./field/field.ts";
import * as i18n from "./i18n/i18n.ts";
import { Keep } from "./keep/keep.ts";
import { keepAwake } from "./offline/awake.ts";
import { bindInstall, keepOffline } from "./offline/card.ts";
import { bindIncoming } from "./offline/incoming.ts";
import { namesFor } from "./offline/names.ts";
import { isolate } from "./offline/register.ts";
import { ClassFilter } from "./ui/classes.ts";
import { $, fillRange, make } from "./ui/dom.ts";
import { Following } from "./ui/following.ts";
import { bindMenus } from "./ui/menus.ts";
import { showSeen } from "./ui/seen.ts";
import { bindSettings, settings } from "./ui/settings.ts";
import { bindSources, markSample } from "./ui/sources.ts";
import { Stats, showFacts } from "./ui/stats.ts";
import { hideLoading, hideNotice, showNotice, showProgress, showWait, showWork } from "./ui/status.ts";
import { Session } from "./view/session.ts";
import { Share } from "./view/share.ts";
import { View } from "./view/view.ts";

/** Masks of live frames are computed on a grid of at most this long a side; those of pictures at full size. */
const liveMaskSide = 480;

/** Codes of errors that the same attempt would only meet again. */
const incurable = /^(bad-.*|mismatch|unsupported|engine|closed)$/;

const never = new AbortController().signal;
const address = new URLSearchParams(location.search);
const view = new View($("picture"), $<HTMLCanvasElement>("canvas"), () => ({ ...settings, name: labelOf }));
const stats = new Stats();
const classes = new ClassFilter(() => session.refresh());
const following = new Following();
const session = new Session($<HTMLVideoElement>("video"), view, {
  options: (live) => following.options(wantedOf(live), live && settings.follow),
  refine: (result, live, time) => (live ? following.refine(result, time) : result),
  source: sourceChanged,
  shown(shown) {
    showSeen(shown?.result ?? null);
    keep.shown(shown);
    if (!shown) {
      following.reset();
      compare.clear();
      return stats.reset();
    }
    follow({ width: shown.result.width, height: shown.result.height });
    if (shown.fresh) stats.add(shown.result, shown.draw, shown.live);
    $("stage").dispatchEvent(new CustomEvent("detections", { detail: shown.result, bubbles: true }));
  },
  failed: (error) => showNotice(error, error.code.startsWith("camera-") ? () => attempt(startCamera) : null),
});
const bring = new Bring({
  load: loadShipped,
  adopt,
  picture: () => (session.kind === "none" ? null : looked),
  attempt,
  working: (text, part = null) => (text === null ? hideLoading() : showWork(text, part)),
});
const batch = bindBatch({
  engine: () => detector,
  model: modelNow,
  options: () => wantedOf(false),
  look: () => settings,
  name: labelOf,
  show: (file) => attempt(() => openFiles([file])),
  attempt,
});
const keep = new Keep({
  canvas: $<HTMLCanvasElement>("canvas"),
  view,
  session,
  model: modelNow,
});
const compare = bindCompare({
  engine: () => detector,
  running: () => bring.current,
  models: () => bring.offered,
  settings: () => wantedOf(false),
  look: () => ({ ...settings, name: labelOf }),
  mirror: () => view.mirror,
  live: () => session.live,
  renew: async () => {
    if (detector) await session.replace(compare.wrap(new Share(detector)));
  },
  refresh: () => session.refresh(),
  attempt,
});
let detector: Detector | null = null;
/** Whether the address names the form of the model that runs. */
let forced = false;
/** Size of the last picture. */
let looked: Size | null = null;
let wanted: ReturnType<typeof another> = { facing: "environment", device: "" };

function labelOf(detection: Detection): string {
  const id = detection.id ? ` #${detection.id}` : "";
  return `${i18n.className(detection.label)}${id} ${i18n.percent(detection.score)}`;
}

function wantedOf(live: boolean): DetectOptions {
  return {
    confidence: settings.confidence,
    iou: settings.iou,
    max: detector?.manifest.task === "classify" ? 5 : 300,
    classes: classes.selected(),
    masks: settings.masks ? (live ? liveMaskSide : Infinity) : 0,
  };
}

function redraw(): void {
  view.redraw();
  compare.redraw();
}

/** Runs what a person asked for, and says it when it fails; `again` is offered as the way on. */
function attempt(work: () => Promise<void>): void {
  hideNotice();
  work().catch((cause: unknown) => {
    const error = asError(cause, "engine");
    if (error.code !== "aborted") showNotice(error, incurable.test(error.code) ? null : () => attempt(work));
  });
}

async function loadModel(): Promise<void> {
  showWait("load.short");
  let weights = "";
  try {
    await isolate();
    if (!capabilities().simd) throw new SpotterError("unsupported");
    const catalog = await readCatalog(document.body.dataset.catalog ?? "models.json", never);
    bring.offer(catalog);
    const model = pick(catalog, address.get("model") ?? undefined);
    weights = model.weights.url;
    await bring.start(model);
  } finally {
    hideLoading();
    void keepOffline(weights, () => session.kind === "none");
  }
}

async function loadShipped(model: Model): Promise<Detector> {
  showWait("load.short");
  try {
    const variant = model.variants.find((v) => v.features.join("+") === address.get("variant"));
    forced = variant !== undefined;
    return await Detector.load(model, {
      onprogress: showProgress,
      cache: namesFor(document.baseURI).models,
      ...(variant ? { variant } : {}),
      ...(address.has("threads") ? { threads: Number(address.get("threads")) } : {}),
    });
  } finally {
    hideLoading();
  }
}

/** Lets another detector take over. */
async function adopt(ready: Detector): Promise<void> {
  const before = detector;
  detector = ready;
  classes.fill(classNames(ready));
  const show = () => {
    bindThreads(ready);
    showFacts(ready, forced);
  };
  watchDetector(ready, show);
  show();
  await session.replace(compare.wrap(new Share(ready)));
  before?.close();
  $("stage").dataset.ready = String(Math.round(performance.now()));
}

/** The names of a model's classes: their numbers where it has none. */
/** What files of results say of the model. */
function modelNow(): { name: string; classes: string[] } | null {
  return detector && { name: detector.manifest.name, classes: classNames(detector) };
}

function classNames({ manifest }: Detector): string[] {
  const { classes: names, head } = manifest;
  return names.length ? names : Array.from({ length: head.classes }, (_, id) => String(id));
}

/** A picture of another shape may want another shape of the network's input. */
function follow(size: Size): void {
  if (looked?.width === size.width && looked.height === size.height) return;
  looked = size;
  if (bring.follows) attempt(() => bring.fit());
}

function bindThreads(ready: Detector): void {
  const most = Math.min(ready.manifest.memory.maxThreads, ready.capabilities.cores);
  const select = $<HTMLSelectElement>("threads");
  $("threads-row").hidden = most < 2 || !ready.variant.features.includes("threads");
  select.replaceChildren(...Array.from({ length: most }, (_, i) => make("option", {}, String(i + 1))));
  select.value = String(ready.threads);
  select.onchange = async () => {
    await ready.setThreads(Number(select.value));
    select.value = String(ready.threads);
    showFacts(ready, false);
  };
}

async function startCamera(): Promise<void> {
  markSample("");
  showWait("camera.opening");
  try {
    await session.openCamera({ ...wanted, height: Number($<HTMLSelectElement>("camera-size").value) });
  } finally {
    if (detector) hideLoading();
  }
}

/** Opens a model where one is among the files, else a picture or video, or many pictures in a batch. */
async function openFiles(files: File[]): Promise<void> {
  const dropped = await modelIn(files);
  if (dropped) return bring.take(dropped);
  if (files.filter((f) => f.type.startsWith("image/")).length > 1) return batch(files);
  const file = files.find((f) => /^(image|video)\//.test(f.type)) ?? files[0];
  if (!file) return;
  markSample("");
  await session.open(file);
}

async function openSample(url: string, name: string): Promise<void> {
  const response = await request(url, never);
  const blob = await response.blob();
  await session.open(new File([blob], `${name}.jpg`, { type: blob.type }));
  markSample(url);
}

function sourceChanged(): void {
  const { kind, camera } = session;
  const live = kind === "camera" || kind === "video";
  keepAwake(kind === "camera");
  $("stage").dataset.state = kind;
  $("idle").hidden = kind !== "none";
  $("hud").hidden = !live;
  $("stop").hidden = !live;
  $("camera").hidden = kind === "camera";
  $("camera-tools").hidden = kind !== "camera";
  $("video-tools").hidden = kind !== "video";
  $("flip").hidden = (camera?.devices.length ?? 0) < 2;
  $("mirror").setAttribute("aria-pressed", String(view.mirror));
}

function bindCameraTools(): void {
  $("camera").addEventListener("click", () => attempt(startCamera));
  $("camera-size").addEventListener("change", () => attempt(startCamera));
  $("flip").addEventListener("click", () => {
    if (session.camera) wanted = another(session.camera);
    attempt(startCamera);
  });
  $("mirror").addEventListener("click", () => {
    view.mirror = !view.mirror;
    $("mirror").setAttribute("aria-pressed", String(view.mirror));
    redraw();
  });
  $("stop").addEventListener("click", () => {
    session.stop();
    $("camera").focus();
  });
}

function bindVideoTools(): void {
  const { video } = session;
  const [play, seek] = [$("play"), $<HTMLInputElement>("seek")];
  const show = () => {
    play.textContent = i18n.t(video.paused ? "video.play" : "video.pause");
  };
  play.addEventListener("click", () => (video.paused ? video.play() : video.pause()));
  video.addEventListener("play", show);
  video.addEventListener("pause", show);
  video.addEventListener("timeupdate", () => {
    seek.value = String((video.currentTime / video.duration) * Number(seek.max) || 0);
    fillRange(seek);
  });
  video.addEventListener("durationchange", () => {
    seek.disabled = !Number.isFinite(video.duration);
  });
  seek.addEventListener("input", () => {
    video.currentTime = (Number(seek.value) / Number(seek.max)) * video.duration;
    fillRange(seek);
  });
  i18n.onLanguage(show);
}

function bindLanguages(): void {
  const buttons = document.querySelectorAll<HTMLButtonElement>("[data-language]");
  for (const button of buttons) {
    button.addEventListener("click", () => i18n.setLanguage(button.dataset.language as i18n.Language));
  }
  i18n.onLanguage(() => {
    for (const b of buttons) b.setAttribute("aria-pressed", String(b.dataset.language === i18n.language()));
    view.redraw();
  });
}

i18n.apply();
bindLanguages();
bindSettings(() => session.refresh(), redraw);
bindSources(
  (files) => attempt(() => openFiles(files)),
  (url, name) => attempt(() => openSample(url, name)),
  batch,
);
bindCameraTools();
bindVideoTools();
bindInstall();
bindMenus();
bindField(session);
bindIncoming((file) => attempt(() => openFiles([file])));
i18n.onLanguage(() => detector && showFacts(detector, forced));
// For consoles, and for tests of the page.
Object.assign(globalThis, {
  spotter: {
    resize: (width: number, height: number) => bring.resize({ width, height }),
    inspect: (look: Look) => detector?.inspect(look),
    manifest: () => detector?.manifest,
  },
});
attempt(loadModel);
