// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { decodeImage } from "./_image_file.ts";
import { type ImageSource, nameOf, readBytes } from "./_bytes.ts";
import { volumeImage } from "./volume.ts";
import { percentileWindow } from "./volume.ts";
import {
  decodeVolume,
  readSeries,
  type ReadVolumeOptions,
  type SliceOptions,
  volumeSlice,
} from "./volume.ts";

export type { ImageSource };

/** Options of {@linkcode readImage}. */
export interface ReadImageOptions extends ReadVolumeOptions, SliceOptions {
  /**
   * The values that become 0 and 1; what lies outside is clipped. They are
   * stored values, or physical ones (Hounsfield units) for NIfTI, DICOM and NPY.
   * The default is
   * - the file's own window where it has one (DICOM);
   * - [0, 255] for 8-bit images and [0, 1] for truth values, but not for NIfTI;
   * - else the 0.5th and 99.5th percentile of the image (all channels together)
   *   or of the whole volume (each channel of its own), or the smallest and
   *   largest value where these percentiles coincide.
   */
  window?: [low: number, high: number];
  /** Which channels of a volume become the image's, one or three; by default the first three, or the first where there are fewer. */
  channels?: number[];
  /** The largest image that is decoded, in pixels, which defaults to 64 x 2^20. Larger ones are refused by their header. */
  maxPixels?: number;
  /** Which page of a TIFF with several, which defaults to 0, the first. */
  page?: number;
}

/**
 * Reads an image file: PNG, JPEG or TIFF, grey or colour, of 8 or 16 bits per
 * sample (grey TIFF also signed, 32 bits or floating-point of 32 bits); or a slice of a
 * NIfTI, DICOM, NPY or NPZ file or of a folder with a DICOM series, as
 * {@linkcode readVolume} reads it.
 *
 * - The EXIF orientation is applied: x and y are as the user sees them.
 * - Alpha is dropped, not composited: the intensities stay those of the file.
 * - An embedded colour profile is ignored, for the same reason.
 * - A TIFF whose large values are dark (WhiteIsZero) is shown so; its window is
 *   of stored values.
 * - Percentiles are of at most 2^20 values, evenly strided over the image.
 *
 * @param source A path, a URL, or the bytes of a file.
 * @param options Window and bounds, and which slice, channels, page or array.
 * @returns [H, W, C], values 0..1, C = 1 (grey) or 3 (red, green, blue).
 * @throws {Deno.errors.NotFound} When the file does not exist.
 * @throws {TypeError} When the file is empty, truncated, damaged or not an image.
 * @throws {RangeError} When the image is too large, or window, page, slice, axis, channels or array is not valid.
 * @throws {Error} When the file cannot be read otherwise: no permission, no such server.
 *
 * @example Read a picture
 * ```ts
 * import { readImage } from "@spa-seg/spa";
 *
 * const image = await readImage("data/phantoms/kidney-9/image.png");
 * image.shape; // [128, 128, 1]
 * ```
 *
 * @example Read a CT slice that is stored as Hounsfield units + 1024
 * ```ts ignore
 * const lung = await readImage("ct.png", { window: [-1350 + 1024, 150 + 1024] });
 * ```
 *
 * @example Read a slice of a CT scan in Hounsfield units
 * ```ts ignore
 * const lung = await readImage("ct.nii.gz", { slice: 40, window: [-1350, 150] });
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
  const series = await readSeries(source, options);
  if (series) return volumeImage(series, options);
  const bytes = await readBytes(source);
  const name = nameOf(source);
  const volume = await decodeVolume(bytes, options, name);
  if (volume) return volumeImage(volume, options);
  const image = await decodeImage(bytes, options, name);
  const { values, height, width, channels, inverted } = image;
  const [low, high] = window ??
    (values instanceof Uint8Array
      ? [0, 255]
      : percentileWindow(ndarray(values)));
  const range = high - low || 1; // A constant image becomes 0 everywhere.
  const scaled = new Float32Array(values.length);
  for (let i = 0; i < scaled.length; i++) {
    const value = (values[i] - low) / range;
    const light = value > 0 ? Math.min(value, 1) : 0; // NaN becomes 0.
    scaled[i] = inverted ? 1 - light : light;
  }
  return ndarray(scaled, [height, width, channels]);
}

/**
 * Reads a mask file: what is stored above 0 is inside, even where a TIFF says that
 * it is dark. In a JPEG, whose losses
 * leave small values around every edge, inside begins at 128. Of a NIfTI, DICOM,
 * NPY or NPZ file it is a slice, and inside is what is above 0 in any channel.
 *
 * @param source A path, a URL, or the bytes of a file; colour counts as inside where any channel does.
 * @param options Bounds, and which page, slice or array.
 * @returns [H, W], 0 or 1.
 * @throws {Deno.errors.NotFound} When the file does not exist.
 * @throws {TypeError} When the file is empty, truncated, damaged or not an image.
 * @throws {RangeError} When the image is too large, or page, slice, axis or array is not valid.
 * @throws {Error} When the file cannot be read otherwise.
 */
export async function readMask(
  source: ImageSource,
  options: Omit<ReadImageOptions, "window" | "channels"> = {},
): Promise<NdArray<Uint8Array>> {
  const bytes = await readBytes(source);
  const name = nameOf(source);
  const volume = await decodeVolume(bytes, options, name);
  if (volume) return insideOf(volumeSlice(volume.values, options));
  const image = await decodeImage(bytes, options, name);
  const { values, height, width, channels } = image;
  const least = image.format === "jpeg" ? 127 : 0;
  const mask = new Uint8Array(height * width);
  for (let i = 0; i < values.length; i++) {
    if (values[i] > least) mask[Math.floor(i / channels)] = 1;
  }
  return ndarray(mask, [height, width]);
}

/** What is above 0 in any channel of [H, W, C]. */
export function insideOf(slice: NdArray<Float32Array>): NdArray<Uint8Array> {
  const [height, width, channels] = slice.shape;
  const { data } = contiguous(slice);
  const mask = new Uint8Array(height * width);
  for (let i = 0; i < data.length; i++) {
    if (data[i] > 0) mask[Math.floor(i / channels)] = 1;
  }
  return ndarray(mask, [height, width]);
}
