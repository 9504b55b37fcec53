import { inflateSync } from "node:zlib";
import { badFile } from "./_bytes.ts";

/** The stored samples of a PNG file: gray values or palette indices. */
export interface PngSamples {
  values: Uint8Array;
  height: number;
  width: number;
  /** Red, green and blue of each index, where the samples are indices. */
  palette?: Uint8Array;
}

/** Rows and columns where each pass of Adam7 begins, and its steps (PNG 8.1). */
const PASSES = [
  [0, 0, 8, 8],
  [0, 4, 8, 8],
  [4, 0, 8, 4],
  [0, 2, 4, 4],
  [2, 0, 4, 2],
  [0, 1, 2, 2],
  [1, 0, 2, 1],
];

const GRAY = 0;
const PALETTE = 3;

/**
 * The samples of a PNG file as they are stored, where a decoder for pictures
 * gives others: palette indices (not their colors), and gray values of fewer
 * than 8 bits (not stretched to 0..255).
 *
 * @returns Nothing for other files.
 * @throws {TypeError} When the file is truncated or damaged.
 */
export function pngSamples(
  bytes: Uint8Array,
  maxPixels: number,
  name: string,
): PngSamples | undefined {
  if (bytes.length < 33 || bytes[0] !== 0x89 || bytes[1] !== 0x50) {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, color, , , interlaced] = bytes.subarray(24, 29);
  if (color !== PALETTE && !(color === GRAY && depth < 8)) return undefined;
  if (![1, 2, 4, 8].includes(depth) || width * height > maxPixels) {
    return undefined; // whoever decodes the picture says so
  }
  const rowBytes = (columns: number) => Math.ceil(columns * depth / 8);
  const passes = (interlaced ? PASSES : [[0, 0, 1, 1]]).map(
    ([top, left, down, right]) => ({
      ...{ top, left, down, right },
      rows: Math.max(Math.ceil((height - top) / down), 0),
      columns: Math.max(Math.ceil((width - left) / right), 0),
    }),
  ).filter(({ rows, columns }) => rows > 0 && columns > 0);
  const length = passes.reduce(
    (sum, { rows, columns }) => sum + rows * (1 + rowBytes(columns)),
    0,
  );
  const packed = inflateTo(joinChunks(bytes, view, "IDAT"), length, name);
  const values = new Uint8Array(width * height);
  let at = 0;
  for (const { top, left, down, right, rows, columns } of passes) {
    const size = rowBytes(columns);
    let above: Uint8Array = new Uint8Array(size);
    for (let row = 0; row < rows; row++, at += 1 + size) {
      const line = packed.subarray(at + 1, at + 1 + size);
      unfilter(packed[at], line, above, name);
      above = line;
      const start = (top + row * down) * width + left;
      for (let column = 0; column < columns; column++) {
        const bit = column * depth;
        values[start + column * right] =
          line[bit >> 3] >> (8 - depth - (bit & 7)) & (1 << depth) - 1;
      }
    }
  }
  const palette = color === PALETTE
    ? joinChunks(bytes, view, "PLTE")
    : undefined;
  return { values, height, width, palette };
}

/** What all chunks of a type hold, joined. */
function joinChunks(
  bytes: Uint8Array,
  view: DataView,
  wanted: string,
): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (type === wanted) {
      parts.push(
        bytes.subarray(at + 8, Math.min(at + 8 + length, bytes.length)),
      );
    }
    at += 12 + length;
  }
  const data = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let filled = 0;
  for (const part of parts) {
    data.set(part, filled);
    filled += part.length;
  }
  return data;
}

/** What a zlib stream holds, which must be `length` bytes. */
function inflateTo(data: Uint8Array, length: number, name: string): Uint8Array {
  try {
    if (length > data.length * 1032) throw new Error(`${data.length} bytes`);
    const plain = inflateSync(data, { maxOutputLength: length + 2 ** 16 });
    if (plain.length >= length) return plain;
    throw new Error(`${plain.length} of ${length} bytes`);
  } catch (error) {
    throw badFile(
      "the file must be complete and undamaged",
      error,
      name,
      error,
    );
  }
}

/** Undoes a row's filter in place (PNG 9.2); a pixel takes a byte at most. */
function unfilter(
  filter: number,
  line: Uint8Array,
  above: Uint8Array,
  name: string,
): void {
  if (filter > 4) {
    throw badFile("a row's filter must be 0 .. 4", filter, name);
  }
  for (let i = 0; i < line.length; i++) {
    const left = i > 0 ? line[i - 1] : 0;
    const corner = i > 0 ? above[i - 1] : 0;
    if (filter === 1) line[i] += left;
    else if (filter === 2) line[i] += above[i];
    else if (filter === 3) line[i] += (left + above[i]) >> 1;
    else if (filter === 4) line[i] += paeth(left, above[i], corner);
  }
}

function paeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner;
  const [a, b, c] = [left, above, corner].map((v) => Math.abs(guess - v));
  return a <= b && a <= c ? left : b <= c ? above : corner;
}
