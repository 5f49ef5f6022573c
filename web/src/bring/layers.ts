// The model view: the layers that a network became, what each costs, and what it computes.

import type { Layer } from "../core/abi.ts";
import type { Detector } from "../core/detector.ts";
import { language, number, onLanguage, t } from "../i18n/i18n.ts";
import { $, make } from "../ui/dom.ts";
import { dialog } from "./dialog.ts";
import { drawMap } from "./maps.ts";
import type { Description } from "./types.ts";

/** Runs of the network in a profile; the least time of each layer counts. */
const runs = 5;

export class LayersView {
  private readonly element = dialog("layers");
  private readonly button = $<HTMLButtonElement>("layers-profile");
  private readonly rows = $<HTMLTableSectionElement>("layers-rows");
  private readonly figure = $("layers-maps");
  private detector: Detector | null = null;
  private description: Description | null = null;
  private times: number[] = [];

  /** `failed` hears of what went wrong. */
  constructor(private readonly failed: (cause: unknown) => void) {
    this.button.addEventListener("click", () => this.measure().catch(this.failed));
    this.rows.addEventListener("click", (event) => this.choose((event.target as HTMLElement).closest("tr")));
    onLanguage(() => this.detector && this.fill());
  }

  open(detector: Detector, description: Description | null): void {
    if (detector !== this.detector) {
      this.times = [];
      this.figure.hidden = true;
    }
    this.detector = detector;
    this.description = description;
    this.fill();
    this.element.showModal();
  }

  private fill(): void {
    const { detector } = this;
    if (!detector) return;
    const { layers, params, macs, memory, width, height } = detector.manifest;
    const total = this.times.reduce((sum, ms) => sum + ms, 0);
    const run = layers.reduce((sum, l) => sum + l.macs, 0);
    $("layers-total").textContent = t(total ? "layers.total.timed" : "layers.total", {
      layers: layers.length,
      params: number(params),
      gflops: number((2 * macs) / 1e9, { maximumFractionDigits: 2 }),
      size: `${width} × ${height}`,
      memory: number(memory.arenaBytes / 1e6, { maximumFractionDigits: 1 }),
      ms: number(total, { maximumFractionDigits: 1 }),
      speed: number(total ? (2 * run) / total / 1e6 : 0, { maximumFractionDigits: 1 }),
    });
    const took = this.description?.took[language()];
    $("layers-took").textContent = took ? t("layers.took", { took }) : "";
    this.rows.replaceChildren(...layers.map((layer, i) => this.row(layer, i, Math.max(...this.times))));
  }

  private row(layer: Layer, i: number, slowest: number): HTMLTableRowElement {
    const ms = this.times[i];
    const figure = (value: number | undefined, digits = 0) =>
      make("td", { class: "number" }, value ? number(value, { maximumFractionDigits: digits }) : "");
    const show = make("button", { type: "button", class: "layer-name", title: layer.name }, layer.op);
    const time = figure(ms, 3);
    if (ms) time.style.setProperty("--share", String(ms / slowest));
    const row = make(
      "tr",
      { "data-layer": String(i) },
      make("td", { class: "number" }, String(i)),
      make("td", {}, show, make("small", {}, layer.name)),
      make("td", { class: "nowrap" }, [...layer.out].join(" × ")),
      time,
      figure(ms ? (2 * layer.macs) / ms / 1e6 : 0, 1),
      make("td", {}, make("code", {}, layer.kernel)),
      figure(layer.params),
      figure(layer.macs),
    );
    return row;
  }

  private async measure(): Promise<void> {
    const { detector } = this;
    if (!detector) return;
    this.button.disabled = true;
    try {
      this.times = (await detector.inspect({ what: "profile", runs })).times;
    } finally {
      this.button.disabled = false;
    }
    if (detector === this.detector) this.fill();
  }

  private choose(row: HTMLElement | null): void {
    const layer = Number(row?.dataset.layer ?? -1);
    if (layer < 0) return;
    for (const other of this.rows.children) other.setAttribute("aria-selected", String(other === row));
    this.show(layer).catch(this.failed);
  }

  private async show(layer: number): Promise<void> {
    const { detector } = this;
    const map = (await detector?.inspect({ what: "layer", layer }))?.maps[0];
    if (!map || detector !== this.detector) return;
    const canvas = $<HTMLCanvasElement>("layers-canvas");
    const { tiles, channels } = drawMap(canvas, map);
    const caption = t("layers.maps", {
      layer: `${layer} ${detector?.manifest.layers[layer]?.op ?? ""}`,
      tiles,
      channels,
      size: `${map.width} × ${map.height}`,
    });
    $("layers-caption").textContent = caption;
    canvas.setAttribute("aria-label", caption);
    this.figure.hidden = false;
  }
}
