/** Where an image comes from: a path, a URL (file, http, https, data) or the bytes of a file. */
export type ImageSource = string | URL | Uint8Array;

/** An image file's samples as they are stored, before any window. */
export interface DecodedImage {
  /** [height, width, channels], row-major, in stored units. */
  values: Uint8Array | Float32Array;
  height: number;
  width: number;
  /** 1 (grey) or 3 (colour). */
  channels: 1 | 3;
  format: "png" | "jpeg" | "tiff";
}

const FORMATS = ["png", "jpeg", "tiff"];

/** How an error names a source. */
export function nameOf(source: ImageSource): string {
  return source instanceof Uint8Array
    ? `${source.length} bytes`
    : String(source).slice(0, 200);
}

/** The bytes of `source`. */
async function readBytes(source: ImageSource): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const remote = /^(https?|data):/.test(String(source));
  try {
    if (remote) {
      const response = await fetch(source);
      if (response.ok) return new Uint8Array(await response.arrayBuffer());
      await response.body?.cancel();
      throw new Error(`${response.status} ${response.statusText}`);
    }
    const text = String(source);
    return await Deno.readFile(text.startsWith("file:") ? new URL(text) : text);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Deno.errors.NotFound(
        `Cannot read image as the file must exist: current value is ${
          nameOf(source)
        }`,
      );
    }
    throw new Error(
      `Cannot read image as its source must be readable: current value is ${
        nameOf(source)
      }`,
      { cause: error },
    );
  }
}

/** An image file, opened but not decoded. */
async function openImage(source: ImageSource) {
  const bytes = await readBytes(source);
  const name = nameOf(source);
  const reject = (what: string, value: unknown, cause?: unknown) =>
    new TypeError(
      `Cannot read image as ${what}: current value is ${value} (${name})`,
      { cause },
    );
  if (bytes.length === 0) {
    throw reject("the file must not be empty", "0 bytes");
  }
  const { default: sharp } = await import("sharp");
  const open = (page?: number) =>
    sharp(bytes, {
      page,
      failOn: "error", // of "truncated", "error" and "warning", by strictness
      ignoreIcc: true, // a colour profile would change the stored numbers
      limitInputPixels: false, // the caller checks the header itself
    });
  const header = await open().metadata().catch((error) => {
    throw reject("the file must be a PNG, JPEG or TIFF image", error, error);
  });
  if (!FORMATS.includes(header.format)) {
    throw reject("its format must be PNG, JPEG or TIFF", header.format);
  }
  return { open, header, name, reject };
}

/** The height and width of an image file, orientation applied, from its header. */
export async function decodeSize(
  source: ImageSource,
): Promise<[height: number, width: number]> {
  const { height, width } = (await openImage(source)).header.autoOrient;
  return [height, width];
}

/**
 * Decodes a PNG, JPEG or TIFF file to its stored samples.
 *
 * sharp turns everything into 8-bit sRGB unless told otherwise; which route
 * keeps a file's own numbers depends on its sample type, so each has its line.
 */
export async function decodeImage(
  source: ImageSource,
  { maxPixels = 64 * 2 ** 20, page = 0 }: {
    maxPixels?: number;
    page?: number;
  } = {},
): Promise<DecodedImage> {
  const { open, header, name, reject } = await openImage(source);
  const { depth, space } = header;
  const format = header.format as DecodedImage["format"];
  const pages = header.pages ?? 1;
  if (!Number.isInteger(page) || page < 0 || page >= pages) {
    throw new RangeError(
      `Cannot read image as page must be 0 .. ${
        pages - 1
      }: current value is ${page} (${name})`,
    );
  }
  if (header.width * header.height > maxPixels) {
    throw new RangeError(
      `Cannot read image as it must have at most ${maxPixels} pixels: current value is ${header.width} x ${header.height} (${name})`,
    );
  }

  const grey = space === "b-w" || space === "grey16";
  let pipeline = open(page).autoOrient().removeAlpha();
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
  if (depth === "uchar") {
    const values = new Uint8Array(data);
    return { values, height, width, channels, format };
  }
  const stored = new Float32Array(new Uint8Array(data).buffer);
  const step = info.channels / channels;
  const values = new Float32Array(height * width * channels);
  for (let i = 0; i < values.length; i++) {
    values[i] = stored[i * step] + offset;
  }
  return { values, height, width, channels, format };
}
