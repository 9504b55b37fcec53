/** Lossless JPEG (ITU T.81, annex H), as DICOM files have it. */

/** A decoded image. */
export interface LosslessJpeg {
  /** Channels side by side; two bytes, the lower first, for more than 8 bits. */
  readonly bytes: Uint8Array;
  readonly precision: number;
}

interface HuffmanTable {
  /** Of the next 8 bits: the code's length in the upper byte, its symbol in the lower; 0 where it is longer. */
  readonly short: Uint16Array;
  /** By length: the largest code, and what turns a code into an index of symbols. */
  readonly last: Int32Array;
  readonly offset: Int32Array;
  readonly symbols: Uint8Array;
}

interface Component {
  readonly id: number;
  table?: HuffmanTable;
}

/**
 * Decodes a lossless JPEG of one frame.
 *
 * @param bytes The file; its size was checked by whoever calls.
 * @throws {Error} When it is damaged, or of a kind that is none of DICOM's.
 */
export function decodeJpegLossless(bytes: Uint8Array): LosslessJpeg {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tables: (HuffmanTable | undefined)[] = [];
  let components: Component[] = [];
  let [precision, height, width, restart] = [0, 0, 0, 0];
  let samples = new Uint16Array();
  const done = new Set<Component>();
  if (view.getUint16(0) !== 0xffd8) throw new Error("no start of image");
  for (let at = 2; done.size === 0 || done.size < components.length;) {
    if (bytes[at] !== 0xff) throw new Error(`no marker at byte ${at}`);
    const marker = bytes[at + 1];
    if (marker === 0xff) { // fill byte
      at++;
      continue;
    }
    if (marker === 0xd9) break; // end of image
    const length = view.getUint16(at + 2);
    const start = at + 4, end = at + 2 + length;
    if (length < 2 || end > bytes.length) throw new Error("a marker cut off");
    at = end;
    if (marker === 0xc3) {
      if (components.length > 0) throw new Error("two frames");
      precision = bytes[start];
      [height, width] = [view.getUint16(start + 1), view.getUint16(start + 3)];
      components = Array.from({ length: bytes[start + 5] }, (_, i) => {
        const [id, sampling] = bytes.subarray(start + 6 + 3 * i);
        if (sampling !== 0x11) throw new Error("subsampled components");
        return { id };
      });
      if (!(precision >= 2 && precision <= 16)) {
        throw new Error(`${precision} bits`);
      }
      samples = new Uint16Array(height * width * components.length);
    } else if (marker === 0xc4) {
      readTables(bytes.subarray(start, end), tables);
    } else if (marker === 0xdd) {
      restart = view.getUint16(start);
    } else if (marker === 0xda) {
      const count = bytes[start];
      const scan = Array.from({ length: count }, (_, i) => {
        const [id, table] = bytes.subarray(start + 1 + 2 * i);
        const found = components.find((component) => component.id === id);
        if (!found || !tables[table >> 4]) {
          throw new Error("a scan without its component or table");
        }
        found.table = tables[table >> 4];
        done.add(found);
        return found;
      });
      const [predictor, , approximation] = bytes.subarray(
        start + 1 + 2 * count,
      );
      at = decodeScan(bytes, at, {
        ...{ samples, width, height, precision, predictor, restart },
        channels: scan.map((component) => components.indexOf(component)),
        stride: components.length,
        tables: scan.map(({ table }) => table!),
        shift: approximation & 15,
      });
    } else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xcc) {
      throw new Error(`a frame of another process (${marker.toString(16)})`);
    }
  }
  if (done.size === 0 || done.size < components.length) {
    throw new Error("a component is missing");
  }
  return {
    bytes: precision <= 8
      ? Uint8Array.from(samples)
      : new Uint8Array(samples.buffer),
    precision,
  };
}

/** Reads the tables of a DHT marker (T.81 B.2.4.2, C.2). */
function readTables(
  bytes: Uint8Array,
  tables: (HuffmanTable | undefined)[],
): void {
  for (let at = 0; at + 17 <= bytes.length;) {
    const place = bytes[at] & 15;
    const lengths = bytes.subarray(at + 1, at + 17);
    const count = lengths.reduce((sum, n) => sum + n, 0);
    const symbols = bytes.subarray(at + 17, at + 17 + count);
    if (symbols.length < count) throw new Error("a Huffman table cut off");
    at += 17 + count;
    const short = new Uint16Array(256);
    const [last, offset] = [new Int32Array(17).fill(-1), new Int32Array(17)];
    let [code, index] = [0, 0];
    for (let length = 1; length <= 16; length++) {
      offset[length] = index - code;
      for (let i = 0; i < lengths[length - 1]; i++, code++, index++) {
        if (length > 8) continue;
        const from = code << (8 - length);
        short.fill(
          length << 8 | symbols[index],
          from,
          from + (1 << 8 - length),
        );
      }
      if (lengths[length - 1] > 0) last[length] = code - 1;
      code <<= 1;
    }
    tables[place] = { short, last, offset, symbols };
  }
}

interface Scan {
  /** All components side by side. */
  samples: Uint16Array;
  width: number;
  height: number;
  precision: number;
  /** 1 .. 7: which neighbors foretell a sample (table H.1). */
  predictor: number;
  /** Pixels between two restarts, or 0. */
  restart: number;
  /** The scan's components, by their place among all. */
  channels: readonly number[];
  /** How many components there are. */
  stride: number;
  tables: readonly HuffmanTable[];
  /** The point transform: bits that were dropped. */
  shift: number;
}

/** Decodes a scan from `at` on; returns where it ends. */
function decodeScan(bytes: Uint8Array, at: number, scan: Scan): number {
  const { samples, width, height, precision, predictor, restart } = scan;
  const { channels, stride, tables, shift } = scan;
  if (!(predictor >= 1 && predictor <= 7)) {
    throw new Error(`predictor ${predictor}`);
  }
  if (restart % width !== 0) throw new Error("a restart inside a row");
  let [held, bits, past] = [0, 0, 0];
  /** At least `count` bits are held, zeros behind the end of the scan. */
  const fill = (count: number) => {
    while (bits < count) {
      let byte = 0;
      if (at < bytes.length && (bytes[at] !== 0xff || bytes[at + 1] === 0)) {
        byte = bytes[at];
        at += byte === 0xff ? 2 : 1;
      } else past += 8;
      held = (held << 8 | byte) & 0xffffffff;
      bits += 8;
    }
  };
  const take = (count: number) => {
    bits -= count;
    if (bits < past) throw new Error("a scan that ends too early");
    return held >>> bits & (1 << count) - 1;
  };
  const difference = ({ short, last, offset, symbols }: HuffmanTable) => {
    fill(16);
    const entry = short[held >>> bits - 8 & 255];
    let symbol = entry & 255;
    if (entry !== 0) take(entry >> 8);
    else {
      let length = 9;
      const ahead = held >>> bits - 16 & 0xffff;
      while (length <= 16 && ahead >>> 16 - length > last[length]) length++;
      if (length > 16) throw new Error("an unknown Huffman code");
      symbol = symbols[(ahead >>> 16 - length) + offset[length]];
      take(length);
    }
    if (symbol === 0) return 0;
    if (symbol >= 16) return 32768;
    fill(symbol);
    const value = take(symbol);
    return value < 1 << symbol - 1 ? value - (1 << symbol) + 1 : value;
  };
  const rows = width * stride;
  let fresh = 0; // the row that begins anew
  for (let row = 0, left = restart / width; row < height; row++, left--) {
    if (restart > 0 && left === 0) {
      // Bits that fill the last byte, then the marker.
      [held, bits, past] = [0, 0, 0];
      while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
      if (bytes[at] !== 0xff || (bytes[at + 1] & 0xf8) !== 0xd0) {
        throw new Error("a restart is missing");
      }
      at += 2;
      fresh = row;
      left = restart / width;
    }
    for (let column = 0; column < width; column++) {
      for (let c = 0; c < channels.length; c++) {
        const i = row * rows + column * stride + channels[c];
        let guess: number;
        if (row === fresh) {
          guess = column === 0
            ? 1 << precision - shift - 1
            : samples[i - stride] >> shift;
        } else if (column === 0) {
          guess = samples[i - rows] >> shift;
        } else {
          const a = samples[i - stride] >> shift;
          const b = samples[i - rows] >> shift;
          const ab = samples[i - rows - stride] >> shift;
          guess = predict(predictor, a, b, ab);
        }
        samples[i] = (guess + difference(tables[c])) << shift;
      }
    }
  }
  // The marker that ends the scan; bytes that mean nothing may stand before it.
  while (
    at + 1 < bytes.length &&
    !(bytes[at] === 0xff && bytes[at + 1] !== 0 && bytes[at + 1] !== 0xff)
  ) at++;
  return at;
}

/** What the left, the upper and the upper left neighbor foretell (T.81 table H.1). */
function predict(kind: number, a: number, b: number, c: number): number {
  switch (kind) {
    case 1:
      return a;
    case 2:
      return b;
    case 3:
      return c;
    case 4:
      return a + b - c;
    case 5:
      return a + (b - c >> 1);
    case 6:
      return b + (a - c >> 1);
    default:
      return a + b >> 1;
  }
}
