// A page that does nothing but start one engine and run its first frame: what a visitor waits for.
// The others end at raw outputs; this project's engine at boxes.
import type { Load } from './engine';

interface Start {
  script: string;
  module: boolean;
  options: Omit<Load, 'frames'>;
}

const spec: Start = JSON.parse(document.body.dataset.spec as string);
const frame = new Uint8Array(spec.options.width * spec.options.height * 3).fill(114);

const first = new Promise<number>((resolve, reject) => {
  const worker = new Worker(spec.script, { type: spec.module ? 'module' : 'classic' });
  worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(performance.now()));
  worker.onerror = (event) => reject(new Error(event.message || 'the worker could not be started'));
  worker.postMessage({ id: 0, kind: 'load', options: { ...spec.options, frames: [frame], boxes: true } });
});

/** Milliseconds from the start of the navigation to the first result. */
Object.assign(window, { first });
