// Compiles a checkpoint in the page, with the compiler that the site has for models that
// people bring.

import type { LoadOptions, Progress } from "../../npm/spotter.d.ts";
import { Compiler, compilerHere } from "../bring/compiler.ts";
import type { Compiled, Options } from "../bring/types.ts";
import { asError, SpotterError } from "../core/errors.ts";
import { capabilities, runs } from "../core/probe.ts";
import { compilerOf, hostOf } from "./base.ts";

/** Module and weights of a model file; `url` is its address or name. */
export async function compileHere(
  bytes: Uint8Array<ArrayBuffer>,
  url: string,
  options: LoadOptions,
  signal: AbortSignal,
  tell: (progress: Progress) => void,
): Promise<Compiled> {
  if (!compilerHere) throw new SpotterError("no-compiler", url);
  const compiler = new Compiler(compilerOf(options.baseURL));
  const abort = () => compiler.close(new SpotterError("aborted"));
  signal.addEventListener("abort", abort);
  compiler.onprogress = ({ stage, loaded, total }) => {
    if (stage === "download") tell({ loaded, total, part: total ? Math.min(1, loaded / total) : 0 });
  };
  try {
    const name =
      url
        .replace(/[?#].*/, "")
        .split("/")
        .at(-1) || "model";
    const description = await compiler.open(new Blob([bytes]), name, asked(options));
    const open = description.questions.filter((q) => q.needed);
    if (open.length > 0) throw new SpotterError("bad-model", open.map((q) => q.reason.en).join("; "));
    return await compiler.compile(formFor(options));
  } catch (cause) {
    // Browsers start workers from the page's own origin only.
    throw cause instanceof DOMException ? new SpotterError("no-compiler", cause.message) : asError(cause, "compiler");
  } finally {
    signal.removeEventListener("abort", abort);
    compiler.close();
  }
}

function asked({ yaml, size, names }: LoadOptions): Options {
  const [width, height] = typeof size === "number" ? [size, size] : (size ?? []);
  return {
    ...(yaml ? { yaml } : {}),
    ...(names ? { classes: [...names] } : {}),
    ...(width ? { width } : {}),
    ...(height ? { height } : {}),
  };
}

function formFor({ threads, precision, worker, baseURL }: LoadOptions) {
  const can = capabilities();
  const alone = threads === 1 || hostOf(baseURL, worker !== false).blocking;
  return {
    relaxed: can.relaxed,
    threads: !alone && runs(["simd", "threads"], can),
    ...(precision ? { precision } : {}),
  };
}
