// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { checkOptions } from "../options.ts";
import { decodeRle, parseRle } from "./_coco_rle.ts";
import { type ImageSource, nameOf, readBytes } from "./_bytes.ts";
import { type DecodedImage, decodeImage } from "./_image_file.ts";
import {
  insideOf,
  MASK_TYPES,
  type MaskOptions,
  unclear,
  warnIfFull,
} from "./_inside.ts";
import {
  checkNoPage,
  checkNoVolume,
  checkOneImage,
  PLACE_TYPES,
  type ReadImageOptions,
} from "./read_image.ts";
import {
  decodeVolume,
  readSeries,
  type Volume,
  volumeSlice,
} from "./volume.ts";

export type { MaskOptions };

/** Options of {@linkcode readMask}. */
export interface ReadMaskOptions
  extends Omit<ReadImageOptions, "window" | "channels">, MaskOptions {}

/**
 * Reads a mask file. Stored values count, not colors: the index of a palette, and
 * the number in a TIFF whose 0 is white. A pixel is inside
 *
 * - where its value is above 0, in colors any of the three,
 * - from 0.5 on, where values are fractions of 0..1,
 * - from 128 on in a JPEG, and in a white mask whose edges are gray,
 * - where the options say so.
 *
 * A mask that can be read in two ways is refused, and the error names the option
 * that decides: alpha beside colors, one-hot channels with their background,
 * labels beside 255 or a background that is 255, pages, values that are no
 * labels. Where more than 95 % is inside, a warning is printed.
 *
 * COCO's run-length code of one object (JSON) is read as well. The mask of a
 * NIfTI, DICOM, NPY or NPZ file is a slice, as {@linkcode readImage} takes it. A
 * pixel is inside where any of its channels is.
 *
 * @param source A path, a URL, or the bytes of a file.
 * @param options What is inside, bounds, and which page, slice or array.
 * @returns [H, W], 0 or 1.
 * @throws {Deno.errors.NotFound} When the file does not exist.
 * @throws {TypeError} When the file is empty, truncated, damaged or not an image, or an option is unknown or of another type.
 * @throws {RangeError} When the image is too large, an option is not valid or one that the file cannot have, or the mask can be read in two ways.
 * @throws {Error} When the file cannot be read otherwise.
 *
 * @example One structure of several
 * ```ts ignore
 * const disc = await readMask("refuge.png", { label: [0, 128] });
 * const tumor = await readMask("labels.nii.gz", { label: 2, slice: 40 });
 * ```
 */
export async function readMask(
  source: ImageSource,
  options: ReadMaskOptions = {},
): Promise<NdArray<Uint8Array>> {
  checkOptions("read mask", options, { ...PLACE_TYPES, ...MASK_TYPES });
  const name = nameOf(source);
  const file = await decodeMask(source, options);
  let mask: NdArray<Uint8Array>;
  if ("volume" in file) {
    checkNoPage(options, name);
    checkOneImage(file.volume, options, name);
    const { axis, slice } = options;
    const inside = insideVolume(file.volume, options, name);
    mask = volumeSlice(inside, { axis, slice });
  } else {
    checkNoVolume(options, name);
    mask = flatMask(file, options, name);
  }
  const own = copyOf(mask);
  warnIfFull(own.data, name);
  return own;
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
  const rle = parseRle(bytes);
  if (rle) {
    const { maxPixels = 64 * 2 ** 20 } = options;
    const values = decodeRle(rle, maxPixels, name);
    return { mask: ndarray(values, [...rle.size]), pages: 1 };
  }
  const image = await decodeImage(
    bytes,
    { ...options, indices: true, alpha: true },
    name,
  );
  return { mask: insidePicture(image, options, name), pages: image.pages };
}

/** The mask of a flat file; one of several pages must be named. */
export function flatMask(
  { mask, pages }: { mask: NdArray<Uint8Array>; pages: number },
  { page }: ReadMaskOptions,
  name: string,
): NdArray<Uint8Array> {
  if (pages === 1 || page !== undefined) return mask;
  throw unclear(
    "page must name one of a file with several",
    `${pages} pages`,
    name,
  );
}

/** The inside of a volume, [D, H, W]. */
export function insideVolume(
  { values, color: colors, window }: Volume,
  options: MaskOptions,
  name: string,
): NdArray<Uint8Array> {
  const [depth, height, width, channels] = values.shape;
  if (channels === 1) { // in the order in which it is stored
    const inside = insideOf({ values: values.data, channels }, options, name);
    const { shape, stride, offset } = values.pick(null, null, null, 0);
    return ndarray(inside, shape, stride, offset);
  }
  const { data } = contiguous(values);
  const color = colors && window !== undefined && window[1] >= 255;
  const inside = insideOf({ values: data, channels, color }, options, name);
  return ndarray(inside, [depth, height, width]);
}

/** The inside of a picture: by its values, or by its alpha. */
function insidePicture(
  image: DecodedImage,
  options: MaskOptions,
  name: string,
): NdArray<Uint8Array> {
  const { height, width, channels, values, alpha, format } = image;
  const shape = [height, width];
  const opaque = alpha &&
    Uint8Array.from(alpha, (value) => value >= 0.5 ? 1 : 0);
  if (options.alpha === true) {
    if (opaque) return ndarray(opaque, shape);
    throw unclear("alpha must be in the file to be the mask", "none", name);
  }
  const stored = {
    ...{ values, channels, lossy: format === "jpeg", color: channels === 3 },
  };
  const plain = opaque === undefined || options.alpha === false ||
    alpha!.every((value) => value === alpha![0]);
  if (plain) {
    checkPalette(image, options, name);
    return ndarray(insideOf(stored, options, name), shape);
  }
  const constant = values.every((value, i) => value === values[i % channels]);
  const { label, ignore, threshold, channel } = options;
  const told = [label, ignore, threshold, channel].some((option) =>
    option !== undefined
  );
  if (constant && !told) return ndarray(opaque, shape);
  const inside = insideOf(stored, options, name);
  if (!told && inside.some((value, i) => value !== opaque[i])) {
    throw unclear(
      "its alpha and its colors must mark the same; alpha: true takes the alpha, alpha: false the colors",
      "a mask whose alpha marks something else",
      name,
    );
  }
  return ndarray(inside, shape);
}

/** Programs that make files small put black and white in any order: then nobody knows whether the index or the color counts. */
function checkPalette(
  { values, palette }: DecodedImage,
  { label, threshold }: MaskOptions,
  name: string,
): void {
  if (!palette || label !== undefined || threshold !== undefined) return;
  const isWhole = (index: number, value: number) =>
    [0, 1, 2].every((c) => palette[3 * index + c] === value);
  const used = new Set<number>(values);
  if (
    used.size === 2 && isWhole(0, 255) &&
    [...used].every((index) => isWhole(index, 0) || isWhole(index, 255))
  ) {
    throw unclear(
      "a palette of black and white must begin with black; label names the index that is inside",
      "white first",
      name,
    );
  }
}

/** A mask of its own, which its user may change. */
export function copyOf(mask: NdArray<Uint8Array>): NdArray<Uint8Array> {
  const { data, shape } = contiguous(mask);
  return ndarray(data === mask.data ? data.slice() : data, shape);
}
