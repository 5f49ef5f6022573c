// LiteRT.js on its CPU path: XNNPACK in WebAssembly.
import { type CompiledModel, loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';
import { bytes, type Engine, fromNHWC, interleaved, type Load, type OutputMap, serve } from '../engine';

const folder = '/peers/@litertjs/core/wasm/';

class LiteRT implements Engine {
  private model!: CompiledModel;
  private frames: Float32Array[] = [];
  private dims: number[] = [];
  private last: Float32Array[] = [];

  async load(options: Load): Promise<void> {
    // In a worker its loader takes the worker's own script for LiteRT's: say where that is.
    const script = options.threads > 1 ? 'litert_wasm_threaded_internal.js' : 'litert_wasm_internal.js';
    Object.assign(self, {
      Module: { locateFile: (file: string) => folder + file, mainScriptUrlOrBlob: folder + script },
    });
    await loadLiteRt(folder, { threads: options.threads > 1 });
    this.model = await loadAndCompile(await bytes(`${options.model}/model.tflite`), {
      accelerator: 'wasm',
      cpuOptions: { numThreads: options.threads },
    });
    this.frames = options.frames.map(interleaved);
    this.dims = [1, options.height, options.width, 3];
  }

  async run(frame: number): Promise<void> {
    const input = new Tensor(this.frames[frame], this.dims);
    const outputs = await this.model.run([input]);
    this.last = outputs.map((tensor) => tensor.toTypedArray() as Float32Array);
    for (const tensor of outputs) tensor.delete();
    input.delete();
  }

  outputs(): OutputMap[] {
    return this.model.getOutputDetails().map((detail, i) => {
      const [, h, w, c] = detail.shape;
      return fromNHWC(this.last[i], h, w, c);
    });
  }
}

serve(new LiteRT());
