// The form, and the comparison as the worker gives it.
import { draw, table } from './show.ts';
import type { Answer, Found, Network, Request, Result } from './types.ts';

declare global {
  interface Window {
    /** The last comparison, or what stood in its way; undefined while one runs. */
    parityResult?: Result | { error: string };
  }
}

function byId<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`BUG: the page has no ${id}`);
  return found as T;
}

const form = byId<HTMLFormElement>('form');
const model = byId<HTMLInputElement>('model');
const yaml = byId<HTMLInputElement>('yaml');
const picture = byId<HTMLInputElement>('picture');
const givenPicture = byId<HTMLSelectElement>('given-picture');
const confidence = byId<HTMLInputElement>('confidence');
const button = byId<HTMLButtonElement>('compare');
const status = byId('status');
let given: { model: string; pictures: string[]; confidence: number } = { model: '', pictures: [], confidence: 0.25 };

function say(text: string, failed = false): void {
  status.textContent = text;
  status.classList.toggle('failed', failed);
}

/** Has the server make the chosen model ready. */
async function network(): Promise<Network> {
  const body = new FormData();
  if (model.files?.[0]) body.append('model', model.files[0]);
  else if (!given.model) throw new Error('There is no model: choose a file.');
  if (yaml.files?.[0]) body.append('yaml', yaml.files[0]);
  say('Compiling the network …');
  const response = await fetch('/model', { method: 'POST', body });
  if (!response.ok) throw new Error((await response.text()).trim());
  return response.json();
}

/** The chosen picture's pixels. */
async function pixels(): Promise<ImageData> {
  let file: Blob | undefined = picture.files?.[0];
  if (!file) {
    if (given.pictures.length === 0) throw new Error('There is no picture: choose a file.');
    const response = await fetch(`/pictures/${givenPicture.value}`);
    if (!response.ok) throw new Error(`The picture ${given.pictures[givenPicture.selectedIndex]} is gone.`);
    file = await response.blob();
  }
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error('The picture can\u2019t be read: it is in no format that this browser knows, or damaged.');
  });
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  if (!context) throw new Error('The picture is too large for this browser.');
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

/** Runs the comparison in a worker of its own, so that each starts with fresh memory. */
function inWorker(request: Request): Promise<Result> {
  const worker = new Worker('/worker.js', { type: 'module' });
  return new Promise<Result>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if ('progress' in data) say(data.progress);
      else if ('error' in data) reject(new Error(data.error));
      else resolve(data.result);
    };
    worker.onerror = (event) => reject(new Error(event.message || 'The worker could not be started.'));
    worker.postMessage(request);
  }).finally(() => worker.terminate());
}

async function compare(): Promise<void> {
  if (button.disabled) return; // one runs
  window.parityResult = undefined;
  button.disabled = true;
  byId('result').hidden = true;
  try {
    const image = await pixels();
    const result = await inWorker({ network: await network(), picture: image, confidence: confidence.valueAsNumber });
    show(result, image);
    window.parityResult = result;
    say('');
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    say(text, true);
    window.parityResult = { error: text };
  } finally {
    button.disabled = false;
  }
}

function show(r: Result, image: ImageData): void {
  const { spotter, onnxruntime, matched } = r.boxes;
  const worst = r.maps.reduce((a, b) => (a.deviations > b.deviations || Number.isNaN(a.deviations) ? a : b));
  const what = r.task === 'classify' ? 'classes' : 'boxes';
  byId('verdict').textContent =
    `${r.network}: the largest difference is ${number(worst.largest)} (${number(worst.deviations)} standard deviations); ` +
    `${matched} of ${Math.max(spotter.length, onnxruntime.length)} ${what} match.`;
  byId('source').textContent = `${r.source} This engine uses ${r.features.join(', ')}.`;
  list('spotter', spotter, r, image);
  list('onnxruntime', onnxruntime, r, image);
  table(
    byId('times'),
    ['', 'minimum', `median of ${r.runs}`],
    [
      ['This engine', ...Object.values(r.times.spotter).map(milliseconds)],
      ['onnxruntime-web', ...Object.values(r.times.onnxruntime).map(milliseconds)],
    ],
  );
  table(
    byId('maps'),
    ['Output', 'height × width × channels', 'largest difference', 'in standard deviations'],
    r.maps.map((m) => [m.name, m.shape.join(' × '), number(m.largest), number(m.deviations)]),
  );
  byId('result').hidden = false;
}

function list(id: 'spotter' | 'onnxruntime', found: Found[], r: Result, image: ImageData): void {
  draw(byId<HTMLCanvasElement>(id), image, r.task === 'classify' ? [] : found);
  const items = found.map((f) => {
    const item = document.createElement('li');
    item.textContent = `${f.label} ${f.score.toFixed(4)}`;
    return item;
  });
  byId(`${id}-list`).replaceChildren(...items);
}

const number = (v: number) => (v === 0 ? '0' : v.toExponential(2));
const milliseconds = (v: number) => `${v.toFixed(2)} ms`;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void compare();
});

given = await (await fetch('/given')).json();
if (given.model) byId('given-model').textContent = `— ${given.model} unless another is chosen`;
givenPicture.replaceChildren(...given.pictures.map((name, i) => new Option(name, String(i))));
confidence.value = String(given.confidence);
byId('given').hidden = given.pictures.length === 0;
document.body.dataset.ready = '';
if (given.model && given.pictures.length > 0) await compare();
