// onnxruntime-web, WebAssembly backend.
import * as ort from 'onnxruntime-web/wasm';
import { bytes, type Engine, type Load, type OutputMap, planar, serve } from '../engine';

class OnnxRuntime implements Engine {
  private session!: ort.InferenceSession;
  private frames: Float32Array[] = [];
  private dims: number[] = [];
  private last!: ort.InferenceSession.OnnxValueMapType;

  async load(options: Load): Promise<void> {
    ort.env.wasm.wasmPaths = '/peers/onnxruntime-web/dist/';
    ort.env.wasm.numThreads = options.threads;
    ort.env.logLevel = 'error';
    const model = await bytes(`${options.model}/model.onnx`);
    this.session = await ort.InferenceSession.create(model, {
      executionProviders: ['wasm'],
      graphOptimizationLevel: 'all',
    });
    this.frames = options.frames.map(planar);
    this.dims = [1, 3, options.height, options.width];
  }

  async run(frame: number): Promise<void> {
    const input = new ort.Tensor('float32', this.frames[frame], this.dims);
    this.last = await this.session.run({ [this.session.inputNames[0]]: input });
  }

  outputs(): OutputMap[] {
    return this.session.outputNames.map((name) => {
      const tensor = this.last[name];
      const [, c, h, w] = tensor.dims;
      return { shape: [c, h, w], data: tensor.data as Float32Array };
    });
  }
}

serve(new OnnxRuntime());
