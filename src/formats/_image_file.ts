import type { Sharp } from "sharp";
import { badFile } from "./_bytes.ts";
import { pngSamples } from "./_png.ts";

/** An image file's samples as they are stored, before any window. */
export interface DecodedImage {
  /** [height, width, channels], row-major, in stored units. */
  values: Uint8Array | Float32Array;
  height: number;
  width: number;
  /** 1 (grey) or 3 (colour). */
  channels: 1 | 3;
  format: "png" | "jpeg" | "tiff";
  /** Whether large values are to be shown dark: TIFF's WhiteIsZero. */
  inverted: boolean;
  /** How opaque each pixel is, 0..1, where the file has alpha and it was asked for. */
  alpha?: Float32Array;
  /** Pages of the file. */
  pages: number;
}

/** Colour spaces whose samples are read. */
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
  const { bytes, inverted, indexed, tiled, plainBytes } = asStored(
    file,
    { page, indices },
    name,
  );
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
      ignoreIcc: true, // a colour profile would change the stored numbers
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
    throw new RangeError(
      `Cannot read image as page must be 0 .. ${
        pages - 1
      }: current value is ${page} (${name})`,
    );
  }
  // Each page has its own size and sample type.
  const header = page === 0 ? first : await headerOf(page);
  return { image: open(page), header, inverted, indexed, pages, reject };
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
    /** Whether a palette's indices are wanted, not its colours. */
    indices?: boolean;
    /** Whether alpha is wanted as well. */
    alpha?: boolean;
  },
  name: string,
): Promise<DecodedImage> {
  const { image, header, inverted, indexed, pages, reject } = await openImage(
    bytes,
    { page, indices },
    name,
  );
  const { depth, space } = header;
  const format = header.format as DecodedImage["format"];
  if (header.width * header.height > maxPixels) {
    throw new RangeError(
      `Cannot read image as it must have at most ${maxPixels} pixels: current value is ${header.width} x ${header.height} (${name})`,
    );
  }

  if (!SPACES.includes(space)) {
    throw reject(
      "its colours must be grey or red, green and blue",
      space.toUpperCase(),
    );
  }
  const opaque = alpha && header.hasAlpha ? await alphaOf(image) : undefined;
  const stored = indices ? pngSamples(bytes, maxPixels, name) : undefined;
  if (stored) {
    // As it is stored: what a camera's orientation turns is no palette's.
    const { values, height, width } = stored;
    const rest = { channels: 1, format, inverted, pages } as const;
    return { values, height, width, ...rest, alpha: opaque };
  }

  const grey = space === "b-w" || space === "grey16";
  let pipeline = image.clone().autoOrient().removeAlpha();
  let offset = 0;
  if (depth === "uchar") {
    pipeline = (grey ? pipeline.toColourspace("b-w") : pipeline).raw();
  } else if (depth === "ushort" && (grey || space === "rgb16")) {
    pipeline = pipeline.toColourspace(space).raw({ depth: "float" });
  } else if (depth === "short" && grey) {
    // grey16 is unsigned: negative samples would become 0.
    offset = -32768;
    pipeline = pipeline.linear(1, -offset).toColourspace("grey16")
      .raw({ depth: "float" });
  } else if (grey) {
    pipeline = pipeline.raw({ depth: "float" }); // three equal channels
  } else {
    throw reject("its samples must be grey, or 8 or 16 bit colour", depth);
  }

  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true })
    .catch((error) => {
      throw reject("the file must be complete and undamaged", error, error);
    });
  const { height, width } = info;
  const channels = grey ? 1 : 3;
  const rest = {
    ...{ height, width, channels, format, inverted, pages } as const,
    alpha: opaque,
  };
  if (depth === "uchar") {
    const values = new Uint8Array(data);
    // libvips stretches 1, 2 and 4 bits to 0..255.
    if (indexed) values.forEach((v, i) => values[i] = v / 255 * indexed);
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

/** TIFF's photometric interpretation of indices into a table of colours. */
const PALETTE = 3;

/** What a directory of a TIFF file (TIFF 6.0, or BigTIFF) says of its samples. */
interface TiffPage {
  /** 0: large values are dark; 1: light; 2: red, green and blue; others: see the specification. */
  photometric?: number;
  /** Bits of a sample. */
  bits: number;
  /** 1: unsigned, 2: signed, 3: floating-point. */
  format: number;
  samples: number;
  /** What the samples beyond grey or colour are: 1 and 2 are alpha. */
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
 * So it is with a palette's indices, which libvips would turn into colours.
 *
 * @returns The bytes, whether large values are dark, the largest index where
 * indices of fewer than 8 bits are taken for grey, whether the image lies in
 * tiles, and how many bytes its samples have, not packed.
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
} {
  const tiff = tiffPage(bytes, page);
  if (!tiff) return { bytes, inverted: false, tiled: false, plainBytes: 0 };
  const rest = {
    tiled: tiff.tiled,
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
  const grey = photometric === 0 || photometric === 1;
  const alpha = extra.filter((kind) => kind === 1 || kind === 2).length;
  // Whatever a fourth sample beside colours is called, it is no colour.
  const most = grey ? 1 + Math.min(alpha, 1) : 4;
  if ((grey || photometric === 2) && samples > most) {
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
