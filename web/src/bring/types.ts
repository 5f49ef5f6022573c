// What the compiler's worker takes and gives: the mirror of wasm/browser/session.

import type { Feature, Task } from "../core/abi.ts";
import type { ErrorCode, Said } from "../core/errors.ts";

/** A person's answers, and what a site knows of a model that it offers; all may be left out. */
export interface Options {
  /** The network's YAML text. */
  yaml?: string;
  /** Or the name of a YAML that comes with Spotter. */
  builtin?: string;
  scale?: string;
  residual?: "true" | "false";
  classes?: string[];
  task?: Task;
  head?: string;
  width?: number;
  height?: number;
  title?: string;
  licence?: string;
  note?: string;
  feed?: Feed;
}

export interface Feed {
  fit: string;
  bgr: boolean;
  pad: number;
  scale: number;
  mean: number[];
  std: number[];
}

/** Something that the file does not say. Unless needed, the model runs by the guess. */
export interface Question {
  kind: "yaml" | "head" | "classes" | "residual";
  needed: boolean;
  reason: Said;
  guess: string;
  scale: string;
  count: number;
}

export interface Row {
  name: string;
  module: string;
  args: string;
  shape: number[];
  params: number;
  macs: number;
}

/** What a file holds. When a question is needed, little but the questions is filled in. */
export interface Description {
  name: string;
  format: string;
  task: Task;
  head: string;
  took: Said;
  heads: string[];
  classes: string[];
  count: number;
  width: number;
  height: number;
  stride: number;
  fixed: string;
  layers: Row[];
  params: number;
  macs: number;
  residual: boolean;
  savable: boolean;
  questions: Question[];
  notes: Said[];
  meta: Record<string, string>;
  builtins: string[];
}

/** The variant to compile. */
export interface Form {
  relaxed: boolean;
  threads: boolean;
  /** Of the weights file; f16 where that loses nothing, where left out. */
  precision?: "f16" | "f32";
}

export function formOf(features: readonly Feature[]): Form {
  return { relaxed: features.includes("relaxed"), threads: features.includes("threads") };
}

export interface Compiled {
  module: Uint8Array<ArrayBuffer>;
  weights: Uint8Array<ArrayBuffer>;
}

/** What the worker can be asked, and what it answers with. */
export interface Calls {
  start: { args: [wasm: string]; result: null };
  open: { args: [name: string, file: Uint8Array<ArrayBuffer>, options: Options]; result: Description };
  reopen: { args: [options: Options]; result: Description };
  compile: { args: [form: Form]; result: Compiled };
  safetensors: { args: []; result: { file: Uint8Array<ArrayBuffer> } };
}

export type Call = keyof Calls;

export interface ToCompiler {
  id: number;
  call: Call;
  args: unknown[];
}

export type FromCompiler =
  | { kind: "progress"; loaded: number }
  | { kind: "stage"; name: string }
  | { kind: "done"; id: number; result: unknown }
  | { kind: "failed"; id: number; code: ErrorCode; detail: string | Said };
