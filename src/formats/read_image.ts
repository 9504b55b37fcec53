// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { checkOptions } from "../options.ts";
import { decodeImage } from "./_image_file.ts";
import { checkFinite, type ImageSource, nameOf, readBytes } from "./_bytes.ts";
import {
  decodeVolume,
  percentileWindow,
  readSeries,
  type ReadVolumeOptions,
  type SliceOptions,
  type Volume,
  VOLUME_TYPES,
  volumeImage,
} from "./volume.ts";
import { InputError } from "../input_error.ts";

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
  /**
   * Which channels of a volume become the image's, one or three. It may be left
   * out where there is one, or red, green and blue; of several others (times,
   * modalities) it must say which.
   */
  channels?: number[];
  /**
   * The largest image that is decoded, in pixels. Default: 64 x 2^20. Larger ones
   * are refused by their header. A pixel takes 5 bytes while it is read, of color
   * or of 16 bits 15, whatever the size of the file.
   */
  maxPixels?: number;
  /** Which page of a TIFF with several. Default: 0, the first. */
  page?: number;
}

/** The options' types, for the check of their names. */
export const PLACE_TYPES = {
  ...VOLUME_TYPES,
  ...{ axis: "number", slice: "number", page: "number", maxPixels: "number" },
} as const;

/** Refuses what only a file with pages can have, of a volume. */
export function checkNoPage({ page }: ReadImageOptions, name: string): void {
  if (page === undefined) return;
  throw new InputError(
    `Cannot read image as page must be of a file with pages, a volume has slice: current value is ${page} (${name})`,
  );
}

/** Refuses what only a volume can have, of a flat file. */
export function checkNoVolume(
  { slice, axis, channels, array, channelAxis, series }: ReadImageOptions,
  name: string,
): void {
  const given = { slice, axis, channels, array, channelAxis, series };
  for (const [option, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const instead = option === "slice" ? ", a TIFF has page" : "";
    throw new InputError(
      `Cannot read image as ${option} must be of a volume${instead}: current value is ${value} of a PNG, JPEG or TIFF (${name})`,
    );
  }
}

/**
 * Reads an image file: PNG, JPEG or TIFF, gray or color, of 8 or 16 bits per
 * sample (gray TIFF also signed, 32 bits or floating-point of 32 bits); or a slice of a
 * NIfTI, DICOM, NPY or NPZ file or of a folder with a DICOM series, as
 * {@linkcode readVolume} reads it.
 *
 * - The EXIF orientation is applied: x and y are as the user sees them.
 * - Alpha is dropped, not composited: the intensities stay those of the file.
 * - An embedded color profile is ignored, for the same reason.
 * - CMYK, Lab and other colors are refused, as are colors that are multiplied by
 *   alpha, and an image without any finite value.
 * - A JPEG whose scan is damaged is refused, although other programs show it.
 * - A TIFF whose large values are dark (WhiteIsZero) is shown so; its window is
 *   of stored values.
 * - Percentiles are of at most 2^20 values, evenly strided over the image.
 *
 * @param source A path, a URL, or the bytes of a file.
 * @param options Window and bounds, and which slice, channels, page or array.
 * @returns [H, W, C], values 0..1, C = 1 (gray) or 3 (red, green, blue).
 * @throws {Deno.errors.NotFound} When the file does not exist.
 * @throws {TypeError} When the file is empty, truncated, damaged or not an image, or an option is unknown or of another type.
 * @throws {RangeError} When the image is too large, or an option is not valid, or one that the file cannot have.
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
  checkOptions("read image", options, {
    ...PLACE_TYPES,
    ...{ window: "array", channels: "array" },
  });
  const { window } = options;
  if (
    window &&
    !(window.length === 2 && Number.isFinite(window[0]) &&
      Number.isFinite(window[1]) &&
      window[0] < window[1])
  ) {
    throw new InputError(
      `Cannot read image as window must be two finite numbers, the lower first: current value is [${window}]`,
    );
  }
  const name = nameOf(source);
  const series = await readSeries(source, options);
  const bytes = series ? undefined : await readBytes(source);
  const volume = series ?? await decodeVolume(bytes!, options, name);
  if (volume) {
    checkNoPage(options, name);
    checkOneImage(volume, options, name);
    return volumeImage(volume, options);
  }
  checkNoVolume(options, name);
  const image = await decodeImage(bytes!, options, name);
  const { values, height, width, channels, inverted } = image;
  checkFinite(values, name);
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

/** An NPY array of three or four slices or columns may be colors. */
export function checkOneImage(
  { values: { shape }, ambiguous }: Volume,
  { slice, axis }: ReadImageOptions,
  name: string,
): void {
  if (!ambiguous || slice !== undefined || axis !== undefined) return;
  throw new InputError(
    `Cannot read image as an array may be slices or channels, where either slice must name a slice or channelAxis the axis of the channels: current value is [${
      shape.slice(0, 3)
    }] (${name})`,
  );
}
