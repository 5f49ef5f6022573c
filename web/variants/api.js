import { Detector } from "../spotter.js";

const detector = await Detector.load();
const { detections } = await detector.detect(document.querySelector("img"), { masks: "polygon" });
for (const { label, score, box, mask } of detections) {
  const item = document.createElement("li");
  item.textContent = `${label} ${score.toFixed(2)} at ${box.map(Math.round)}, outline of ${mask[0].length / 2} points`;
  document.querySelector("ol").append(item);
}
detector.close();
