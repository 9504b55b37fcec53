import type { Sharp } from "sharp";
import { badFile } from "./_bytes.ts";
import { pngSamples } from "./_png.ts";
import { asStored } from "./_tiff.ts";
import { InputError } from "../input_error.ts";

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
