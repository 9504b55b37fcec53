/** Image files: PNG, JPEG, TIFF and others, and a PNG's samples as stored. */

import { inflateSync } from "node:zlib";
import { badFile } from "./_bytes.ts";
import type { Sharp } from "sharp";
import { asStored } from "./_tiff.ts";
import { InputError } from "../input_error.ts";

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
function pngSamples(
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

/** The content of a zlib stream. It must be `length` bytes. */
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

/** An image file's samples as they are stored, before any window. */
export interface DecodedImage {
  /** [height, width, channels], row-major, in stored units. */
  values: Uint8Array | Float32Array;
  height: number;
  width: number;
  /** 1 (gray) or 3 (color). */
  channels: 1 | 3;
  format: "png" | "jpeg" | "tiff";
  /** Whether large values are to be shown dark: TIFF's WhiteIsZero. */
  inverted: boolean;
  /** How opaque each pixel is, 0..1, where the file has alpha and it was asked for. */
  alpha?: Float32Array;
  /** Red, green and blue of each value, where these are a palette's indices. */
  palette?: Uint8Array;
  /** Pages of the file. */
  pages: number;
}

/** Color spaces whose samples are read. */
const SPACES = ["b-w", "grey16", "srgb", "rgb", "rgb16"];

/** libtiff refuses strips of more bytes than this unless it is told that all is well. */
const PLAIN_STRIP = 2e7;

/** No codec of TIFF packs more bytes into one, for the images of its strips. */
const MOST_PACKED = 1500;

const FORMATS = ["png", "jpeg", "tiff"];

/** A page of an image file, opened but not decoded. */
async function openImage(
  file: Uint8Array,
  { page = 0, indices = false }: { page?: number; indices?: boolean },
  name: string,
) {
  const reject = (what: string, value: unknown, cause?: unknown) =>
    badFile(what, value, name, cause);
  if (file.length === 0) {
    throw reject("the file must not be empty", "0 bytes");
  }
  const stored = asStored(file, { page, indices }, name);
  const { bytes, inverted, indexed, tiled, plainBytes, associated } = stored;
  const { default: sharp } = await import("sharp");
  // What cannot be decoded of a tile, or is damaged in a JPEG's scan, is
  // no more than a warning there, and black or noise in the picture.
  const strict = tiled || isJpeg(file);
  const large = plainBytes > PLAIN_STRIP && !tiled &&
    plainBytes <= file.length * MOST_PACKED;
  const open = (page = 0) =>
    sharp(bytes, {
      page,
      unlimited: large,
      failOn: strict ? "warning" : "error",
      ignoreIcc: true, // a color profile would change the stored numbers
      limitInputPixels: false, // the caller checks the header itself
    });
  const headerOf = (page?: number) =>
    open(page).metadata().catch((error) => {
      throw reject("the file must be a PNG, JPEG or TIFF image", error, error);
    });
  const first = await headerOf();
  if (!FORMATS.includes(first.format)) {
    throw reject("its format must be PNG, JPEG or TIFF", first.format);
  }
  const pages = first.pages ?? 1;
  if (!Number.isInteger(page) || page < 0 || page >= pages) {
    throw new InputError(
      `Cannot read image as page must be 0 .. ${
        pages - 1
      }: current value is ${page} (${name})`,
    );
  }
  // Each page has its own size and sample type.
  const header = page === 0 ? first : await headerOf(page);
  const rest = { inverted, indexed, associated, pages, reject };
  return { image: open(page), header, ...rest };
}

function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8;
}

/** The height and width of a page of an image file, orientation applied, from its header. */
export async function decodeSize(
  bytes: Uint8Array,
  { page = 0 }: { page?: number },
  name: string,
): Promise<[height: number, width: number]> {
  const { header } = await openImage(bytes, { page }, name);
  return [header.autoOrient.height, header.autoOrient.width];
}

/**
 * Decodes a PNG, JPEG or TIFF file to its stored samples.
 *
 * sharp turns everything into 8-bit sRGB unless told otherwise; which route
 * keeps a file's own numbers depends on its sample type, so each has its line.
 */
export async function decodeImage(
  bytes: Uint8Array,
  { maxPixels = 64 * 2 ** 20, page = 0, indices = false, alpha = false }: {
    maxPixels?: number;
    page?: number;
    /** Whether a palette's indices are wanted, not its colors. */
    indices?: boolean;
    /** Whether alpha is wanted as well. */
    alpha?: boolean;
  },
  name: string,
): Promise<DecodedImage> {
  const opened = await openImage(bytes, { page, indices }, name);
  const { image, header, inverted, indexed, pages, reject } = opened;
  const { depth, space } = header;
  const format = header.format as DecodedImage["format"];
  if (header.width * header.height > maxPixels) {
    throw new InputError(
      `Cannot read image as it must have at most ${maxPixels} pixels: current value is ${header.width} x ${header.height} (${name})`,
    );
  }

  if (!SPACES.includes(space)) {
    throw reject(
      "its colors must be gray or red, green and blue",
      space.toUpperCase(),
    );
  }
  const damaged = (error: unknown) =>
    reject("the file must be complete and undamaged", error, error);
  const { associated } = opened;
  const opaque = (alpha || associated) && header.hasAlpha
    ? await alphaOf(image).catch((error) => {
      throw damaged(error);
    })
    : undefined;
  if (associated && opaque?.some((value) => value < 1)) {
    throw reject("its colors must not be multiplied by alpha", "they are");
  }
  const stored = indices ? pngSamples(bytes, maxPixels, name) : undefined;
  if (stored) {
    if ((header.orientation ?? 1) > 1) {
      throw reject("a palette must not be turned", header.orientation);
    }
    const rest = { channels: 1, format, inverted, pages } as const;
    return { ...stored, ...rest, alpha: opaque };
  }

  const gray = space === "b-w" || space === "grey16";
  let pipeline = image.clone().autoOrient().removeAlpha();
  let offset = 0;
  if (depth === "uchar") {
    pipeline = (gray ? pipeline.toColourspace("b-w") : pipeline).raw();
  } else if (depth === "ushort" && (gray || space === "rgb16")) {
    pipeline = pipeline.toColourspace(space).raw({ depth: "float" });
  } else if (depth === "short" && gray) {
    // grey16 is unsigned: negative samples would become 0.
    offset = -32768;
    pipeline = pipeline.linear(1, -offset).toColourspace("grey16")
      .raw({ depth: "float" });
  } else if (gray) {
    pipeline = pipeline.raw({ depth: "float" }); // three equal channels
  } else {
    throw reject("its samples must be gray, or 8 or 16 bit color", depth);
  }

  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true })
    .catch((error) => {
      throw damaged(error);
    });
  const { height, width } = info;
  const channels = gray ? 1 : 3;
  const rest = {
    ...{ height, width, channels, format, inverted, pages } as const,
    alpha: opaque,
  };
  if (depth === "uchar") {
    const values = new Uint8Array(data);
    // libvips stretches 1, 2 and 4 bits to 0..255.
    if (indexed) {
      values.forEach((v, i) => values[i] = Math.round(v / 255 * indexed));
    }
    return { values, ...rest };
  }
  const floats = new Float32Array(new Uint8Array(data).buffer);
  const step = info.channels / channels;
  const values = new Float32Array(height * width * channels);
  for (let i = 0; i < values.length; i++) {
    values[i] = floats[i * step] + offset;
  }
  return { values, ...rest };
}

/** How opaque each pixel of an image is, 0..1. */
async function alphaOf(image: Sharp): Promise<Float32Array> {
  const { data, info } = await image.clone().autoOrient()
    .extractChannel("alpha").raw({ depth: "float" })
    .toBuffer({ resolveWithObject: true });
  const values = new Float32Array(new Uint8Array(data).buffer);
  const step = info.channels;
  const alpha = new Float32Array(info.width * info.height);
  const top = values.some((value) => value > 255) ? 65535 : 255;
  for (let i = 0; i < alpha.length; i++) alpha[i] = values[i * step] / top;
  return alpha;
}
