// The public module, spotter.js: the detector and the element.

export { build as version } from "../core/build.ts";
export { SpotterError } from "../core/errors.ts";
export { configure } from "./base.ts";
export { Detector } from "./detector.ts";
