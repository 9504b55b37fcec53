// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { decodeImage, type ImageSource } from "./_decode_image.ts";

export type { ImageSource };

/** Options of {@linkcode readImage}. */
export interface ReadImageOptions {
  /**
   * The stored values that become 0 and 1; what lies outside is clipped. It
   * defaults to [0, 255] for 8-bit files and, for deeper ones, to the 0.5th and
   * 99.5th percentile of the image (all channels together), or to its smallest
   * and largest value where these percentiles coincide.
   */
  window?: [low: number, high: number];
  /** The largest image that is decoded, in pixels, which defaults to 64 x 2^20. Larger ones are refused by their header. */
  maxPixels?: number;
  /** Which page of a TIFF with several, which defaults to 0, the first. */
  page?: number;
}

/**
 * Reads an image file: PNG, JPEG or TIFF, grey or colour, of 8 or 16 bits per
 * sample (grey TIFF also signed, 32 bits or floating-point).
 *
 * - The EXIF orientation is applied: x and y are as the user sees them.
 * - Alpha is dropped, not composited: the intensities stay those of the file.
 * - An embedded colour profile is ignored, for the same reason.
 * - Percentiles are of at most 2^20 values, evenly strided over the image.
 *
 * @param source A path, a URL, or the bytes of a file.
 * @returns [H, W, C], values 0..1, C = 1 (grey) or 3 (red, green, blue).
 * @throws {Deno.errors.NotFound} When the file does not exist.
 * @throws {TypeError} When the file is empty, truncated, damaged or not an image.
 * @throws {RangeError} When the image is too large, or window or page is not valid.
 *
 * @example Read a CT slice that is stored as Hounsfield units + 1024
 * ```ts ignore
 * const lung = await readImage("ct.png", { window: [-1350 + 1024, 150 + 1024] });
 * ```
 */
export async function readImage(
  source: ImageSource,
  options: ReadImageOptions = {},
): Promise<NdArray<Float32Array>> {
  const { window } = options;
  if (
    window &&
    !(Number.isFinite(window[0]) && Number.isFinite(window[1]) &&
      window[0] < window[1])
  ) {
    throw new RangeError(
      `Cannot read image as window must be two finite numbers, the lower first: current value is [${window}]`,
    );
  }
  const { values, height, width, channels } = await decodeImage(
    source,
    options,
  );
  const [low, high] = window ??
    (values instanceof Uint8Array ? [0, 255] : defaultWindow(values));
  const range = high - low || 1; // A constant image becomes 0 everywhere.
  const scaled = new Float32Array(values.length);
  for (let i = 0; i < scaled.length; i++) {
    const value = (values[i] - low) / range;
    scaled[i] = value > 0 ? Math.min(value, 1) : 0; // NaN becomes 0.
  }
  return ndarray(scaled, [height, width, channels]);
}

/**
 * Reads a mask file: what is stored above 0 is inside. In a JPEG, whose losses
 * leave small values around every edge, inside begins at 128.
 *
 * @param source A path, a URL, or the bytes of a file; colour counts as inside where any channel does.
 * @returns [H, W], 0 or 1.
 * @throws {Deno.errors.NotFound} When the file does not exist.
 * @throws {TypeError} When the file is empty, truncated, damaged or not an image.
 * @throws {RangeError} When the image is too large.
 */
export async function readMask(
  source: ImageSource,
  options: { maxPixels?: number; page?: number } = {},
): Promise<NdArray<Uint8Array>> {
  const image = await decodeImage(source, options);
  const { values, height, width, channels } = image;
  const least = image.format === "jpeg" ? 127 : 0;
  const mask = new Uint8Array(height * width);
  for (let i = 0; i < values.length; i++) {
    if (values[i] > least) mask[Math.floor(i / channels)] = 1;
  }
  return ndarray(mask, [height, width]);
}

/** The window of an image deeper than 8 bits. */
function defaultWindow(values: Float32Array): [number, number] {
  const stride = Math.ceil(values.length / 2 ** 20);
  const sorted = values
    .filter((value, index) => index % stride === 0 && Number.isFinite(value))
    .sort();
  const last = sorted.length - 1;
  if (last < 0) return [0, 1];
  const percentile = (p: number) => {
    // Linear between neighbours, as numpy.percentile does.
    const position = last * p / 100;
    const below = Math.floor(position);
    const next = sorted[Math.min(below + 1, last)];
    return sorted[below] + (position - below) * (next - sorted[below]);
  };
  const low = percentile(0.5);
  const high = percentile(99.5);
  return low < high ? [low, high] : [sorted[0], sorted[last]];
}
