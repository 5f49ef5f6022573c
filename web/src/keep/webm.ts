// Browsers write WebM as a stream, without its length, so players can't seek in it. This
// adds the length (Matroska's element Duration; RFC 9559, section 5.1.2.10).

const segment = 0x18538067;
const info = 0x1549a966;
const timestampScale = 0x2ad7b1;
const duration = 0x4489;

/** More than the elements before the first frame take. */
const headBytes = 4096;

interface Element {
  id: number;
  /** Where its size is written, and where its data begins and ends. */
  size: number;
  from: number;
  to: number;
}

/** The file with its length; as it was where it says it already, or is made otherwise. */
export async function withDuration(file: Blob, seconds: number): Promise<Blob> {
  const head = new DataView(await file.slice(0, headBytes).arrayBuffer());
  try {
    const top = find(head, segment, 0, head.byteLength);
    const about = top?.to === Infinity && find(head, info, top.from, head.byteLength);
    if (!about || find(head, duration, about.from, about.to)) return file;
    const scale = find(head, timestampScale, about.from, about.to);
    const unit = scale ? unsigned(head, scale.from, scale.to) : 1e6; // nanoseconds
    const lasts = lasting((seconds * 1e9) / unit);
    const size = sized(about.to - about.from + lasts.byteLength);
    const parts = [file.slice(0, about.size), size, file.slice(about.from, about.to), lasts, file.slice(about.to)];
    return new Blob(parts, { type: file.type });
  } catch (cause) {
    if (cause instanceof RangeError) return file; // it breaks off
    throw cause;
  }
}

/** The first element of that id among those that follow each other between two places. */
function find(data: DataView, id: number, from: number, to: number): Element | undefined {
  for (let at = from; at < to; ) {
    const element = elementAt(data, at);
    if (element.id === id) return element;
    at = element.to;
  }
  return undefined;
}

/** Sizes without an end, as streams have them, make `to` infinite. */
function elementAt(data: DataView, at: number): Element {
  const size = at + lengthOf(data.getUint8(at));
  const bytes = lengthOf(data.getUint8(size));
  const from = size + bytes;
  const marker = 2 ** (7 * bytes);
  const count = unsigned(data, size, from) - marker;
  return { id: unsigned(data, at, size), size, from, to: count >= marker - 1 ? Infinity : from + count };
}

/** Bytes of a number, which its first byte's leading zeros tell. */
function lengthOf(first: number): number {
  return Math.clz32(first) - 23;
}

function unsigned(data: DataView, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 256 + data.getUint8(i);
  return value;
}

/** A size in eight bytes. */
function sized(bytes: number): ArrayBuffer {
  const data = new DataView(new ArrayBuffer(8));
  data.setUint32(0, 0x01000000);
  data.setUint32(4, bytes);
  return data.buffer;
}

/** The element that says how long, in units of the file. */
function lasting(units: number): ArrayBuffer {
  const data = new DataView(new ArrayBuffer(11));
  data.setUint16(0, duration);
  data.setUint8(2, 0x88);
  data.setFloat64(3, units);
  return data.buffer;
}
