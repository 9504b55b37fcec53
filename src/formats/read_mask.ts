// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { checkOptions } from "../options.ts";
import { type ImageSource, nameOf, readBytes } from "./_bytes.ts";
import { type DecodedImage, decodeImage } from "./_image_file.ts";
import type { ReadImageOptions } from "./read_image.ts";
import { decodeVolume, readSeries, type Volume, volumeSlice } from "./volume.ts";

/** What counts as inside in a mask's file. */
export interface MaskOptions {
  /** The stored values that are inside, one or several, where not all of them are. */
  label?: number | readonly number[];
  /** The stored values that are outside though they are above 0, such as 255 for "not labeled". */
  ignore?: number | readonly number[];
  /**
   * The least stored value that is inside. The default is 0.5 for fractions,
   * 128 for JPEG and for white masks with gray edges, else any value above 0.
   */
  threshold?: number;
  /** Which channel is the mask: of a one-hot array the structure's, from 0. */
  channel?: number;
  /** Whether the mask is the picture's alpha (true), or its colors whatever the alpha is (false). */
  alpha?: boolean;
}

/** Options of {@linkcode readMask}. */
export interface ReadMaskOptions
  extends Omit<ReadImageOptions, "window" | "channels">, MaskOptions {}

const MASK_TYPES = {
  label: "number | array",
  ignore: "number | array",
  threshold: "number",
  channel: "number",
  alpha: "boolean",
} as const;

/** The share of a mask beyond which a warning asks whether the background is coded as something else than 0. */
const MOST_INSIDE = 0.95;

/** So many values beside 0 and 255 are no labels. */
const MANY_VALUES = 16;

/** The part of `options` that says what counts as inside. */
export function maskOptionsOf(
  { label, ignore, threshold, channel, alpha }: MaskOptions,
): MaskOptions {
  return { label, ignore, threshold, channel, alpha };
}

/**
 * Reads a mask file. Stored values count, not colors: of a palette the index,
 * and of a TIFF whose 0 is white what is above 0. Inside is
 *
 * - what is above 0; colors count where any of the three does,
 * - from 0.5 on, where values are fractions of 0..1,
 * - from 128 on in a JPEG, and in a white mask whose edges are gray,
 * - what the options say.
 *
 * Whatever can be read in two ways is refused, and the error names the option
 * that decides: alpha beside colors, one-hot channels, a background that is
 * coded as 255, labels beside 255, values that are no labels. Where more than
 * 95 % is inside, a warning is printed.
 *
 * Of a NIfTI, DICOM, NPY or NPZ file the mask is a slice, as
 * {@linkcode readImage} takes it. A DICOM segmentation's labels are its
 * segments' numbers; COCO's run lengths (JSON) are read as well.
 *
 * @param source A path, a URL, or the bytes of a file.
 * @param options What is inside, bounds, and which page, slice or array.
 * @returns [H, W], 0 or 1.
 * @throws {Deno.errors.NotFound} When the file does not exist.
 * @throws {TypeError} When the file is empty, truncated, damaged or not an image, or an option is unknown or of another type.
 * @throws {RangeError} When the image is too large, page, slice, axis, channel or array is not valid, or the mask can be read in two ways.
 * @throws {Error} When the file cannot be read otherwise.
 *
 * @example One structure of several
 * ```ts ignore
 * const disc = await readMask("refuge.bmp.png", { label: [0, 128] });
 * const tumor = await readMask("labels.nii.gz", { label: 2, slice: 40 });
 * ```
 */
export async function readMask(
  source: ImageSource,
  options: ReadMaskOptions = {},
): Promise<NdArray<Uint8Array>> {
  checkOptions("read the mask", options, {
    ...VOLUME_TYPES,
    ...PLACE_TYPES,
    ...MASK_TYPES,
  });
  const name = nameOf(source);
  const file = await decodeMask(source, options);
  const mask = "volume" in file
    ? volumeSlice(insideVolume(file.volume, options, name), options)
    : file.mask;
  const copy = ownCopy(mask);
  warnIfFull(copy, name);
  return copy;
}

/** A mask's file: a flat picture's mask, or a volume. */
export type DecodedMask =
  | { mask: NdArray<Uint8Array>; pages: number }
  | { volume: Volume };

/** Decodes a mask's file, without taking a slice. */
export async function decodeMask(
  source: ImageSource,
  options: ReadMaskOptions,
): Promise<DecodedMask> {
  const name = nameOf(source);
  const volumeOptions = { ...options, mask: true };
  const series = await readSeries(source, volumeOptions);
  if (series) return { volume: series };
  const bytes = await readBytes(source);
  const volume = await decodeVolume(bytes, volumeOptions, name);
  if (volume) return { volume };
  checkPlace(options, name);
  const image = await decodeImage(
    bytes,
    { ...options, indices: true, alpha: true },
    name,
  );
  return { mask: insidePicture(image, options, name), pages: image.pages };
}
