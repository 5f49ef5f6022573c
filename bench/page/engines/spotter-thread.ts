// A thread of this project's engine: it lends the module a thread until stop().
self.onmessage = async ({
  data,
}: MessageEvent<{ module: WebAssembly.Module; memory: WebAssembly.Memory; id: number }>) => {
  const instance = await WebAssembly.instantiate(data.module, { env: { memory: data.memory } });
  self.postMessage('ready');
  (instance.exports.worker as (id: number) => void)(data.id);
};
