// Tells what people drop: a model, a YAML beside it, or a picture for others to take.

export interface Dropped {
  model: File | null;
  yaml: File | null;
  /** A compiled module and its weights, or one of them. */
  module: File | null;
  weights: File | null;
}

const modelName = /\.(pt|pth|ckpt|safetensors|onnx)$/i;
const moduleName = /\.wasm$/i;
const weightsName = /\.bin$/i;
const yamlName = /\.(ya?ml)$/i;

/** What of these files is a model's; null when none is. */
export async function modelIn(files: readonly File[]): Promise<Dropped | null> {
  const yaml = files.find((f) => yamlName.test(f.name)) ?? null;
  const rest = files.filter((f) => f !== yaml && !/^(image|video|audio)\//.test(f.type));
  let model = rest.find((f) => modelName.test(f.name)) ?? null;
  for (const file of rest) if (!model && (await looksLikeOne(file))) model = file;
  const compiled = rest.filter((f) => f !== model);
  const module = compiled.find((f) => moduleName.test(f.name)) ?? null;
  const weights = compiled.find((f) => weightsName.test(f.name)) ?? null;
  return model || yaml || module || weights ? { model, yaml, module, weights } : null;
}

/** Looks at the first bytes, for files under other names: zip, pickle, .safetensors, ONNX. */
async function looksLikeOne(file: File): Promise<boolean> {
  const head = new Uint8Array(
    await file
      .slice(0, 16)
      .arrayBuffer()
      .catch(() => new ArrayBuffer(0)),
  );
  const [a = 0, b = 0, c = 0, d = 0] = head;
  const zip = a === 0x50 && b === 0x4b && c === 3 && d === 4;
  const pickle = a === 0x80 && b >= 2 && b <= 5;
  const safetensors = head[8] === 0x7b && head[9] === 0x22;
  const onnx = a === 0x08 && b < 0x10 && (c === 0x12 || c === 0x3a || c === 0x42);
  return zip || pickle || safetensors || onnx;
}
