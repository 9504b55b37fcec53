import { badFile } from "./_bytes.ts";

/** TIFF's photometric interpretation of indices into a table of colors. */
const PALETTE = 3;

/** A sample beside colors that is alpha; the colors are multiplied by it. */
const ASSOCIATED = 1;

/** What a directory of a TIFF file (TIFF 6.0, or BigTIFF) says of its samples. */
interface TiffPage {
  /** 0: large values are dark; 1: light; 2: red, green and blue; others: see the specification. */
  photometric?: number;
  /** Bits of a sample. */
  bits: number;
  /** 1: unsigned, 2: signed, 3: floating-point. */
  format: number;
  samples: number;
  /** What the samples beyond gray or color are: 1 and 2 are alpha. */
  extra: number[];
  /** Where the photometric interpretation's number stands, and its bytes. */
  photometricAt?: { at: number; size: number; little: boolean };
  width: number;
  height: number;
  /** Whether the samples lie in tiles, not in strips of rows. */
  tiled: boolean;
}

/** Bytes of an entry's numbers, by its type: BYTE, SHORT, LONG, LONG8. */
const SIZES: Record<number, 1 | 2 | 4 | 8> = { 1: 1, 3: 2, 4: 4, 16: 8 };

/** The directory of a page; undefined where there is none that can be read, or no TIFF. */
function tiffPage(bytes: Uint8Array, page: number): TiffPage | undefined {
  try {
    return readPage(bytes, page);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // it points outside
    throw error;
  }
}

function readPage(bytes: Uint8Array, page: number): TiffPage | undefined {
  if (page >= 2 ** 16) return undefined; // directories may point in a circle
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return undefined;
  const little = order === 0x4949;
  const version = view.getUint16(2, little);
  if (version !== 42 && version !== 43) return undefined;
  const big = version === 43;
  const read = (at: number, size: 1 | 2 | 4 | 8) =>
    size === 8
      ? Number(view.getBigUint64(at, little))
      : size === 4
      ? view.getUint32(at, little)
      : size === 2
      ? view.getUint16(at, little)
      : view.getUint8(at);
  const word = big ? 8 : 4;
  const entrySize = 4 + 2 * word;
  const first = (start: number) => start + (big ? 8 : 2);
  const countAt = (start: number) => read(start, big ? 8 : 2);
  let start = read(big ? 8 : 4, word);
  for (let i = 0; i < page && start !== 0; i++) {
    start = read(first(start) + countAt(start) * entrySize, word);
  }
  if (start === 0) return undefined;
  const found: TiffPage = {
    ...{ bits: 1, format: 1, samples: 1, extra: [] },
    ...{ width: 0, height: 0, tiled: false },
  };
  const count = countAt(start);
  for (let i = 0; i < count; i++) {
    const entry = first(start) + i * entrySize;
    const size = SIZES[read(entry + 2, 2)];
    const length = read(entry + 4, word);
    if (!size || length === 0) continue;
    const field = entry + 4 + word;
    const at = length * size <= word ? field : read(field, word);
    const tag = read(entry, 2);
    if (tag === 256) found.width = read(at, size);
    if (tag === 257) found.height = read(at, size);
    if (tag === 322) found.tiled = true;
    if (tag === 258) found.bits = read(at, size);
    if (tag === 277) found.samples = read(at, size);
    if (tag === 339) found.format = read(at, size);
    if (tag === 262) {
      found.photometric = read(at, size);
      found.photometricAt = { at, size, little };
    }
    if (tag === 338) {
      // No honest file has more.
      found.extra = Array.from(
        { length: Math.min(length, 2 ** 16) },
        (_, k) => read(at + k * size, size),
      );
    }
  }
  return found;
}

/**
 * The bytes of a TIFF file as they are to be decoded: where large values are
 * dark (WhiteIsZero), libvips would turn the stored numbers round, in masks too;
 * it is told that they are light. Other files are left as they are.
 *
 * So it is with a palette's indices, which libvips would turn into colors.
 *
 * @returns The bytes, whether large values are dark, the largest index where
 * indices of fewer than 8 bits are taken for gray, whether the image lies in
 * tiles, how many bytes its samples have, not packed, and whether its colors
 * are multiplied by alpha.
 * @throws {TypeError} When libvips would read other numbers than those stored, or some channels only.
 */
export function asStored(
  bytes: Uint8Array,
  { page, indices }: { page: number; indices: boolean },
  name: string,
): {
  bytes: Uint8Array;
  inverted: boolean;
  indexed?: number;
  tiled: boolean;
  plainBytes: number;
  /** Whether colors are stored times alpha. */
  associated: boolean;
} {
  const tiff = tiffPage(bytes, page);
  if (!tiff) {
    const none = { inverted: false, tiled: false, associated: false };
    return { bytes, ...none, plainBytes: 0 };
  }
  const rest = {
    tiled: tiff.tiled,
    associated: tiff.extra.includes(ASSOCIATED),
    plainBytes: tiff.width * tiff.height * tiff.samples * tiff.bits / 8,
  };
  const { photometric, bits, format, samples, extra, photometricAt } = tiff;
  if (format === 3 && bits !== 32) {
    throw badFile(
      "floating-point samples of a TIFF must have 32 bits",
      `${bits} bits`,
      name,
    );
  }
  const gray = photometric === 0 || photometric === 1;
  const alpha = extra.filter((kind) => kind === 1 || kind === 2).length;
  // Whatever a fourth sample beside colors is called, it is no color.
  const most = gray ? 1 + Math.min(alpha, 1) : 4;
  if ((gray || photometric === 2) && samples > most) {
    throw badFile(
      "a TIFF must have 1 channel or 3, and at most one of alpha besides",
      `${samples} channels`,
      name,
    );
  }
  const few = indices && bits < 8 ? 2 ** bits - 1 : undefined;
  const told = { ...rest, indexed: few, inverted: photometric === 0 };
  const changed = photometric === 0 || (photometric === PALETTE && indices);
  if (!changed || !photometricAt) return { ...told, bytes };
  const { at, size, little } = photometricAt;
  const copy = bytes.slice();
  copy[little ? at : at + size - 1] = 1;
  return { ...told, bytes: copy };
}
