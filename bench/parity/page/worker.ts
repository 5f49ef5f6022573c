// Runs both engines on one picture and compares them, away from the page so that it stays responsive.
import * as ort from 'onnxruntime-web/wasm';
import { capabilities } from '../../../web/src/core/probe.ts';
import { deviation, matches } from './compare.ts';
import { Spotter } from './spotter.ts';
import type { Answer, Network, Request, Result, Times } from './types.ts';

/** Timed runs of each engine, in turn. */
const runs = 10;

const halfNote =
  ' It computes with half floats where this engine takes float32: differences of a thousandth of a deviation are the rounding of those.';

const tell = (answer: Answer) => self.postMessage(answer);

async function bytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function openOnnx(network: Network): Promise<ort.InferenceSession> {
  ort.env.wasm.wasmPaths = '/peers/onnxruntime-web/dist/';
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  try {
    return await ort.InferenceSession.create(await bytes(`${network.folder}model.onnx`), {
      executionProviders: ['wasm'],
      graphOptimizationLevel: 'all',
    });
  } catch (error) {
    throw new Error(`onnxruntime-web does not open the network: ${sentence(error)}`);
  }
}

async function openSpotter(network: Network): Promise<Spotter> {
  const variant = capabilities().relaxed ? 'relaxed' : 'simd';
  const [module, weights] = await Promise.all([
    bytes(`${network.folder}${variant}.wasm`),
    bytes(`${network.folder}weights.bin`),
  ]);
  return Spotter.load(module, weights);
}

/** Networks of half floats take and give them; the arrays for them are the newest of JavaScript's. */
const isHalf = (type: string) => type === 'float16';

function needHalf(): void {
  if (typeof Float16Array === 'undefined')
    throw new Error('The network takes half floats, which this browser is too old for.');
}

/** What this engine's input holds, for onnxruntime-web. */
function inputTensor(spotter: Spotter, session: ort.InferenceSession): ort.Tensor {
  const { input } = spotter.manifest;
  const shape = [1, input.c, input.h, input.w];
  const values = spotter.read(input);
  const [described] = session.inputMetadata;
  if (!described.isTensor || !isHalf(described.type)) return new ort.Tensor('float32', values, shape);
  needHalf();
  return new ort.Tensor('float16', new Uint16Array(Float16Array.from(values).buffer), shape);
}

/** An output's values as float32. */
function valuesOf(name: string, tensor: ort.OnnxValue | undefined): Float32Array {
  if (!tensor) throw new Error(`onnxruntime-web gives no output ${name}`);
  if (isHalf(tensor.type)) {
    needHalf();
    return Float32Array.from(tensor.data as unknown as Float16Array);
  }
  if (tensor.type !== 'float32') throw new Error(`onnxruntime-web gives ${name} as ${tensor.type}, not as floats`);
  return tensor.data as Float32Array;
}

type Outputs = ort.InferenceSession.OnnxValueMapType;

/** Times both engines in turn, the network alone; returns the outputs of the last runs too. */
async function time(spotter: Spotter, session: ort.InferenceSession, picture: ImageData) {
  spotter.feed(picture);
  const feeds = { [session.inputNames[0]]: inputTensor(spotter, session) };
  const ours: number[] = [];
  const theirs: number[] = [];
  let outputs: Outputs = {};
  for (let run = -1; run < runs; run++) {
    tell({ progress: run < 0 ? 'Warming up …' : `Run ${run + 1} of ${runs} …` });
    spotter.feed(picture);
    const start = performance.now();
    spotter.infer();
    const between = performance.now();
    outputs = await session.run(feeds).catch((error) => {
      throw new Error(`onnxruntime-web does not run the network: ${sentence(error)}`);
    });
    const end = performance.now();
    if (run < 0) continue; // the first run of each also allocates and compiles
    ours.push(between - start);
    theirs.push(end - between);
  }
  return { outputs, times: { spotter: times(ours), onnxruntime: times(theirs) } };
}

function times(list: number[]): Times {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return { minimum: sorted[0], median: (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2 };
}

async function compare({ network, picture, confidence }: Request): Promise<Result> {
  tell({ progress: 'Loading both engines …' });
  const [spotter, session] = await Promise.all([openSpotter(network), openOnnx(network)]);
  const { outputs, times } = await time(spotter, session, picture);
  const { manifest } = spotter;
  const theirs = network.outputs.map((name) => valuesOf(name, outputs[name]));
  const maps = manifest.outputs.map((t, i) => ({
    name: network.outputs[i],
    shape: [t.h, t.w, t.c] as [number, number, number],
    ...deviation(spotter.read(t), theirs[i]),
  }));
  const own = spotter.found(confidence);
  manifest.outputs.forEach((t, i) => {
    spotter.write(t, theirs[i]);
  });
  const other = spotter.found(confidence);
  await session.release();
  return {
    network: network.name,
    source: `${network.source}${network.outputs.some((name) => isHalf(outputs[name].type)) ? halfNote : ''}`,
    task: manifest.task,
    features: manifest.features,
    runs,
    maps,
    boxes: { spotter: own, onnxruntime: other, matched: matches(own, other, manifest.task === 'classify') },
    times,
  };
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  try {
    tell({ result: await compare(data) });
  } catch (error) {
    tell({ error: sentence(error) });
  }
};
