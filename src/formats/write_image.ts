// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { writeFileAtomic } from "../files.ts";
import { checkOptions } from "../options.ts";
import { InputError } from "../input_error.ts";

/**
 * Writes an image as a PNG file, whole or not at all.
 *
 * @param image [H, W, C], values 0..1 (clipped; NaN becomes 0), C = 1 or 3.
 * @param path Where the file will be, ending in .png; missing folders are made.
 * @param options.depth Bits per sample, 8 (the default) or 16.
 * @throws {RangeError} When the shape or the depth is not one of these, or there
 * are no pixels.
 */
export async function writeImage(
  image: NdArray<Float32Array>,
  path: string | URL,
  options: { depth?: 8 | 16 } = {},
): Promise<void> {
  checkOptions("write image", options, { depth: "number" });
  const { depth = 8 } = options;
  if (!String(path).toLowerCase().endsWith(".png")) {
    throw new InputError(
      `Cannot write image as its name must end in .png: current value is ${path}`,
    );
  }
  const channels = image.shape[2];
  if (image.shape.length !== 3 || (channels !== 1 && channels !== 3)) {
    throw new InputError(
      `Cannot write image as its shape must be [H, W, 1] or [H, W, 3]: current value is [${image.shape}]`,
    );
  }
  if (depth !== 8 && depth !== 16) {
    throw new InputError(
      `Cannot write image as depth must be 8 or 16: current value is ${depth}`,
    );
  }
  const top = 2 ** depth - 1;
  const { data } = contiguous(image);
  const stored = depth === 8
    ? new Uint8Array(data.length)
    : new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) {
    // NaN becomes 0.
    stored[i] = data[i] > 0 ? Math.round(Math.min(data[i], 1) * top) : 0;
  }
  await writeFileAtomic(path, await encodePng(stored, image.shape));
}

/** The bytes of a PNG file of gray or color values. */
export async function encodePng(
  values: Uint8Array | Uint16Array,
  [height, width, channels]: number[],
): Promise<Uint8Array> {
  if (height * width === 0) {
    throw new InputError(
      `Cannot write image as it must have pixels: current value is ${height} x ${width}`,
    );
  }
  const { default: sharp } = await import("sharp");
  const deep = values instanceof Uint16Array;
  const space = channels === 1
    ? (deep ? "grey16" : "b-w")
    : (deep ? "rgb16" : "srgb");
  // sharp types 16-bit input from the array's own class.
  const raw = { width, height, channels: channels as 1 | 3 };
  return await sharp(values, { raw }).toColourspace(space)
    .png({ compressionLevel: 9 }).toBuffer();
}
