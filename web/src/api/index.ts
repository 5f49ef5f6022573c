// The public module, spotter.js: the detector and the element.

import { define } from "../element/view.ts";

export { build as version } from "../core/build.ts";
export { SpotterError } from "../core/errors.ts";
export { SpotterView } from "../element/view.ts";
export { configure } from "./base.ts";
export { Detector } from "./detector.ts";

define();
