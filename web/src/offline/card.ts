// What the page says and offers about use without a network: whether it is kept, how
// much that takes, installing, new versions, and taking all of it away again.

import { megabytes, onLanguage, t } from "../i18n/i18n.ts";
import { $ } from "../ui/dom.ts";
import { possible, register, unregister } from "./register.ts";
import { bytesKept, modelKept, persist } from "./storage.ts";

interface InstallPrompt extends Event {
  prompt(): Promise<{ outcome: "accepted" | "dismissed" }>;
}

type State = "no" | "page" | "all";

let state: State = "no";
let bytes: number | null = null;
let installing: InstallPrompt | null = null;

/** Shows the install button when the browser offers to install. */
export function bindInstall(): void {
  const button = $("install");
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    installing = event as InstallPrompt;
    button.hidden = false;
  });
  addEventListener("appinstalled", () => {
    button.hidden = true;
    void persist();
  });
  button.addEventListener("click", async () => {
    const offer = installing;
    installing = null; // each serves once
    button.hidden = true;
    await offer?.prompt();
  });
  const others = "BroadcastChannel" in globalThis ? new BroadcastChannel("spotter offline") : null;
  const gone = () => {
    state = "no";
    bytes = 0;
    show();
  };
  others?.addEventListener("message", gone);
  $("forget").addEventListener("click", async () => {
    await unregister();
    gone();
    others?.postMessage("gone");
  });
  onLanguage(show);
}

/** Keeps the page for use without a network; `weights` is the address of the model's file. */
export async function keepOffline(weights: string, idle: () => boolean): Promise<void> {
  if (!possible()) return;
  const look = async () => {
    for (let tries = 0; state !== "all" && tries < 10; tries++) {
      if (tries > 0) await new Promise((resolve) => setTimeout(resolve, 500)); // the model may still be on its way to the disk
      state = (await modelKept(weights)) ? "all" : "page";
      bytes = await bytesKept();
      show();
    }
  };
  try {
    await register({ idle, offer, kept: () => void look() });
  } catch (cause) {
    console.warn(`no use without a network: ${cause}`);
  }
}

function show(): void {
  $("offline").hidden = state === "no";
  $("offline-state").textContent = t(state === "all" ? "offline.all" : "offline.page");
  $("offline-size").textContent = bytes === null ? "" : t("offline.size", { bytes: megabytes(bytes) });
}

function offer(take: () => void): void {
  const bar = $("update");
  bar.hidden = false;
  $("update-take").onclick = take;
  $("update-later").onclick = () => {
    bar.hidden = true;
  };
}
