// Keeps the screen lit while the camera runs.

let wanted = false;
let lock: WakeLockSentinel | null = null;

/** Holds the screen awake, or lets it sleep again. */
export function keepAwake(on: boolean): void {
  wanted = on;
  void settle();
}

async function settle(): Promise<void> {
  if (!wanted) {
    const held = lock;
    lock = null;
    await held?.release();
  } else if (!lock && document.visibilityState === "visible" && "wakeLock" in navigator) {
    lock = await navigator.wakeLock.request("screen").catch(() => null); // low battery, or not allowed: the screen may sleep
    lock?.addEventListener("release", () => {
      lock = null; // the browser takes it when the page is hidden
    });
    if (!wanted) await settle();
  }
}

document.addEventListener("visibilitychange", () => void settle());
