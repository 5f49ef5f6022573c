// Checked by tsc, in no bundle: what the module exports is what npm/spotter.d.ts declares.

import type * as Declared from "../../npm/spotter.d.ts";
import type { ErrorCode } from "../core/errors.ts";
import * as actual from "./index.ts";

export const declared: typeof Declared = actual;
export type SameCodes = [
  ErrorCode extends Declared.ErrorCode ? true : never,
  Declared.ErrorCode extends ErrorCode ? true : never,
];
export const same: SameCodes = [true, true];
