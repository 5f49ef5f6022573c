// Times single kernels: a module exports several forms of one kernel, which take turns.
import { type Engine, type OutputMap, serve } from '../engine';

interface Kernel {
  name: string; // of the export
  args: number[];
}

class Tuner implements Engine {
  async load(): Promise<void> {}

  run(): void {}

  outputs(): OutputMap[] {
    return [];
  }

  /** "kernels": the least milliseconds of each kernel's calls. */
  async ask(question: string, options: unknown): Promise<unknown> {
    if (question !== 'kernels') throw new Error(`there is no answer to ${question}`);
    const { url, kernels, passes, milliseconds } = options as {
      url: string;
      kernels: Kernel[];
      passes: number;
      milliseconds: number;
    };
    const { instance } = await WebAssembly.instantiateStreaming(fetch(url), {});
    const functions = kernels.map((k) => instance.exports[k.name] as (...args: number[]) => void);
    const calls = functions.map((call, i) => {
      const start = performance.now(); // also lets the browser compile for good
      let count = 0;
      while (count < 3 || performance.now() - start < 20) {
        call(...kernels[i].args);
        count++;
      }
      return Math.ceil((milliseconds * count) / (performance.now() - start));
    });
    const best = kernels.map(() => Number.POSITIVE_INFINITY);
    for (let pass = 0; pass < passes; pass++) {
      functions.forEach((call, i) => {
        const start = performance.now();
        for (let n = 0; n < calls[i]; n++) call(...kernels[i].args);
        best[i] = Math.min(best[i], (performance.now() - start) / calls[i]);
      });
    }
    return best;
  }
}

serve(new Tuner());
