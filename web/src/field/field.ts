// What befalls a page in use: its tab is hidden, its camera falls silent, the network and
// permissions come back, an engine is started anew.

import { permission } from "../core/camera.ts";
import type { Detector } from "../core/detector.ts";
import type { ErrorCode } from "../core/errors.ts";
import { $ } from "../ui/dom.ts";
import type { Session } from "../view/session.ts";
import { say, sayWhile } from "./say.ts";

/** Seconds without a frame after which the camera counts as silent. */
const silentAfter = 6;

export function bindField(session: Session): void {
  restWhileHidden(session);
  watchCamera(session);
  addEventListener("online", () => retry("network"));
  void permission().then((status) => {
    status?.addEventListener("change", () => status.state === "granted" && retry("camera-denied"));
  });
}

/** Says what the detector does by itself; `changed` shows how it runs now. */
export function watchDetector(detector: Detector, changed: () => void): void {
  detector.onchange = (what) => {
    say(what === "threads" ? "field.thread" : "field.restarted");
    changed();
  };
}

/** Nobody sees a hidden tab's frames. Browsers may stop its video by themselves, and never start it again. */
function restWhileHidden(session: Session): void {
  let resting = false;
  const settle = () => {
    const rest = document.hidden && (resting || session.live);
    if (rest === resting) return;
    resting = rest;
    void session.setPaused(rest);
  };
  for (const event of ["visibilitychange", "resume"]) document.addEventListener(event, settle);
  addEventListener("pageshow", settle);
}

/** Says so when the camera gives no frames. Seconds are counted, so that a device put to sleep does not count. */
function watchCamera(session: Session): void {
  let [silent, seen] = [0, 0];
  setInterval(() => {
    const watched = session.kind === "camera" && !document.hidden;
    silent = watched && session.due && session.taken === seen ? silent + 1 : 0;
    seen = session.taken;
    sayWhile(silent >= silentAfter ? "field.silent" : null);
    if (watched && session.video.paused) void session.setPaused(false); // nobody can pause a camera but the browser
  }, 1000);
}

/** Tries again what an error stopped, now that its cause is gone. */
function retry(code: ErrorCode): void {
  const notice = $("notice");
  if (!notice.hidden && notice.dataset.code === code) $("notice-action").click();
}
