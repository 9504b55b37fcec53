import { badFile } from "./_read_bytes.ts";
import { asStored } from "./_tiff.ts";

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
}

const FORMATS = ["png", "jpeg", "tiff"];

/** A page of an image file, opened but not decoded. */
async function openImage(file: Uint8Array, page: number, name: string) {
  const reject = (what: string, value: unknown, cause?: unknown) =>
    badFile(what, value, name, cause);
  if (file.length === 0) {
    throw reject("the file must not be empty", "0 bytes");
  }
  const { bytes, inverted } = asStored(file, page, name);
  const { default: sharp } = await import("sharp");
  const open = (page = 0) =>
    sharp(bytes, {
      page,
      failOn: "error", // of "truncated", "error" and "warning", by strictness
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
  return { image: open(page), header, inverted, reject };
}

/** The height and width of a page of an image file, orientation applied, from its header. */
export async function decodeSize(
  bytes: Uint8Array,
  { page = 0 }: { page?: number },
  name: string,
): Promise<[height: number, width: number]> {
  const { header } = await openImage(bytes, page, name);
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
  { maxPixels = 64 * 2 ** 20, page = 0 }: {
    maxPixels?: number;
    page?: number;
  },
  name: string,
): Promise<DecodedImage> {
  const { image, header, inverted, reject } = await openImage(
    bytes,
    page,
    name,
  );
  const { depth, space } = header;
  const format = header.format as DecodedImage["format"];
  if (header.width * header.height > maxPixels) {
    throw new RangeError(
      `Cannot read image as it must have at most ${maxPixels} pixels: current value is ${header.width} x ${header.height} (${name})`,
    );
  }

  const grey = space === "b-w" || space === "grey16";
  let pipeline = image.autoOrient().removeAlpha();
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
  const rest = { height, width, channels, format, inverted } as const;
  if (depth === "uchar") return { values: new Uint8Array(data), ...rest };
  const stored = new Float32Array(new Uint8Array(data).buffer);
  const step = info.channels / channels;
  const values = new Float32Array(height * width * channels);
  for (let i = 0; i < values.length; i++) {
    values[i] = stored[i * step] + offset;
  }
  return { values, ...rest };
}
