// Go's wasm_exec.js, which the build puts in from the Go that built the compiler.

declare module "wasm_exec.js";

declare class Go {
  importObject: WebAssembly.Imports;
  /** Resolves when the program has ended. */
  run(instance: WebAssembly.Instance): Promise<void>;
  exit: (code: number) => void;
}
