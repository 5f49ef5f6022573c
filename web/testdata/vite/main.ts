import { configure, Detector, type Result, SpotterError, type SpotterView } from "spotter-view";

const image = document.querySelector("img");
if (!image) throw new Error("no picture");

// The bundler has put the worker beside its own files; only the model is named.
const bundled = await Detector.load("/spotter/models.json");
const polygons: Result<"polygon"> = await bundled.detect(image, { masks: "polygon" });
const ring: number[] | undefined = polygons.detections[0]?.mask?.[0];
bundled.close();

// A training checkpoint, compiled by what the bundler has put there too.
const best = new File([await (await fetch("/best.pt")).blob()], "best.pt");
const compiled = await Detector.load(best);
const classes = compiled.model.classes.length;
compiled.close();

// Everything in one folder, which is what the element needs too.
configure({ baseURL: "/spotter/" });
const detector = await Detector.load();
const { detections } = await detector.detect(image, { classes: ["person"] });
const worker: boolean = bundled.mode.worker && detector.mode.worker;
detector.close();

const view: SpotterView = document.createElement("spotter-view");
view.src = "/picture.jpg";
view.masks = false;
document.body.append(view);
const seen = await new Promise<number>((resolve) => {
  view.addEventListener("detections", ({ detail }) => resolve(detail.detections.length));
});
const code = await Detector.load("/picture.jpg").catch((error: unknown) => error instanceof SpotterError && error.code);
Object.assign(document.body.dataset, {
  label: detections[0]?.label,
  points: String(ring?.length ?? 0),
  worker: String(worker),
  seen: String(seen),
  code: String(code),
  classes: String(classes),
});
