// TensorFlow.js, WebAssembly backend, the network built from tfjs operations.

import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { bytes, type Engine, fromNHWC, interleaved, type Load, type OutputMap, serve } from '../engine';

interface Step {
  op: string;
  in: number[];
  out: number;
  kernel?: [number, number];
  stride?: [number, number];
  pad: [number, number, number, number]; // top, left, bottom, right
  act?: 'relu' | 'relu6';
  weight?: number[]; // offset, then the shape
  bias?: number[]; // offset, length
}

interface Graph {
  shapes: [number, number, number][];
  steps: Step[];
  outputs: number[];
}

type Map4 = tf.Tensor4D;

class TensorFlowJS implements Engine {
  private graph!: Graph;
  private weights: (tf.Tensor4D | undefined)[] = [];
  private biases: (tf.Tensor1D | undefined)[] = [];
  private frames: Float32Array[] = [];
  private last: Float32Array[] = [];

  async load(options: Load): Promise<void> {
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', options.threads > 1);
    setWasmPaths('/peers/@tensorflow/tfjs-backend-wasm/wasm-out/');
    // tfjs takes half of the cores that the browser names for hyperthreads and allows no more threads
    // than the rest; it gets the threads that every engine gets.
    Object.defineProperty(navigator, 'hardwareConcurrency', { value: 2 * options.threads });
    setThreadsCount(options.threads);
    if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend did not start');
    if (options.threads > 1 && getThreadsCount() !== options.threads) {
      throw new Error(`tfjs runs ${getThreadsCount()} threads, not ${options.threads}`);
    }
    const [graph, weights] = await Promise.all([
      bytes(`${options.model}/tfjs.json`),
      bytes(`${options.model}/tfjs.bin`),
    ]);
    this.graph = JSON.parse(new TextDecoder().decode(graph));
    const floats = new Float32Array(weights.buffer);
    for (const step of this.graph.steps) {
      const [at, ...shape] = step.weight ?? [];
      const count = shape.reduce((a, b) => a * b, 1);
      this.weights.push(
        step.weight && tf.tensor4d(floats.slice(at, at + count), shape as [number, number, number, number]),
      );
      this.biases.push(step.bias && tf.tensor1d(floats.slice(step.bias[0], step.bias[0] + step.bias[1])));
    }
    this.frames = options.frames.map(interleaved);
  }

  run(frame: number): void {
    const [h, w, c] = this.graph.shapes[0];
    const outputs = tf.tidy(() => {
      const values: Map4[] = [tf.tensor4d(this.frames[frame], [1, h, w, c])];
      this.graph.steps.forEach((step, i) => {
        values[step.out] = this.step(step, i, values);
      });
      return this.graph.outputs.map((o) => values[o]);
    });
    this.last = outputs.map((tensor) => tensor.dataSync<'float32'>());
    for (const tensor of outputs) tensor.dispose();
  }

  private step(step: Step, index: number, values: Map4[]): Map4 {
    const x = values[step.in[0]];
    switch (step.op) {
      case 'conv':
        return tf.fused.conv2d(this.convolution(step, index, x));
      case 'depthwise':
        return tf.fused.depthwiseConv2d(this.convolution(step, index, x));
      case 'maxpool':
        return tf.maxPool(x, step.kernel as [number, number], step.stride as [number, number], 'same');
      case 'nearest': {
        const [h, w] = this.graph.shapes[step.out];
        return tf.image.resizeNearestNeighbor(x, [h, w]);
      }
      case 'concat':
        return tf.concat(
          step.in.map((v) => values[v]),
          3,
        );
      case 'add':
        return tf.add(x, values[step.in[1]]);
      case 'mul':
        return tf.mul(x, values[step.in[1]]);
      case 'sigmoid':
        return tf.sigmoid(x);
      case 'relu':
        return tf.relu(x);
      case 'relu6':
        return tf.relu6(x);
    }
    throw new Error(`there is no tfjs form of ${step.op}`);
  }

  private convolution(step: Step, index: number, x: Map4) {
    const [pad] = step.pad;
    if (step.pad.some((p) => p !== pad)) throw new Error(`tfjs pads all sides alike, not by ${step.pad}`);
    return {
      x,
      filter: this.weights[index] as tf.Tensor4D,
      bias: this.biases[index],
      strides: step.stride as [number, number],
      pad,
      activation: step.act ?? ('linear' as const),
    };
  }

  outputs(): OutputMap[] {
    return this.graph.outputs.map((o, i) => fromNHWC(this.last[i], ...this.graph.shapes[o]));
  }
}

serve(new TensorFlowJS());
