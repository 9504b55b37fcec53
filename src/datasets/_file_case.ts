import { once } from "../once.ts";
import { decodeSize } from "../formats/_image_file.ts";
import { readBytes } from "../formats/_bytes.ts";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Case } from "./dataset.ts";
import { isAsStored } from "../formats/_on_grid.ts";
import {
  MASK_TYPES,
  type MaskOptions,
  maskOptionsOf,
  warnIfFull,
} from "../formats/_inside.ts";
import {
  copyOf,
  decodeMask,
  flatMask,
  insideVolume,
} from "../formats/read_mask.ts";
import {
  PLACE_TYPES,
  readImage,
  type ReadImageOptions,
} from "../formats/read_image.ts";
import { volumeSlice } from "../formats/volume.ts";
import { InputError } from "../input_error.ts";

/** How the files of a dataset are read: images, and what counts as inside in masks. */
export interface CaseOptions extends ReadImageOptions, MaskOptions {}

/** The options' types, for the check of their names. */
export const CASE_TYPES = {
  ...PLACE_TYPES,
  ...MASK_TYPES,
  ...{ window: "array", channels: "array", split: "string" },
} as const;

/** The part of the options that images have. */
export function imageOptionsOf(
  { window, channels, maxPixels, page, axis, slice, ...options }: CaseOptions,
): ReadImageOptions {
  const { maxVoxels, array, channelAxis, series } = options;
  return {
    ...{ window, channels, maxPixels, page, axis, slice },
    ...{ maxVoxels, array, channelAxis, series },
  };
}

/** A case whose image and masks are files. */
export function fileCase(
  { id, patient, spacing, image, masks, options = {} }: {
    id: string;
    patient: string;
    spacing?: number;
    /** The image's path. */
    image: string;
    /** The path of each rater's mask, by the rater's name. */
    masks: ReadonlyMap<string, string>;
    options?: CaseOptions;
  },
): Case {
  // Options of volumes alone may be meant for the masks.
  const ofVolumes = { array: undefined, channelAxis: undefined };
  const imageOptions = { ...imageOptionsOf(options), ...ofVolumes };
  const imageSize = once(async () =>
    decodeSize(await readBytes(image), imageOptions, image)
  );
  return {
    id,
    patient,
    ...(spacing === undefined ? {} : { spacing }),
    raters: [...masks.keys()],
    readImage: () => readImage(image, imageOptions),
    async readMask(rater) {
      const path = maskPath(id, masks, rater);
      const mask = await readFlatMask(id, path, options);
      checkMaskSize(id, mask.shape, await imageSize(), path);
      warnIfFull(mask.data, path);
      return mask;
    },
  };
}

/** The mask of a flat image: what may be another part of it, or turned, is refused. */
async function readFlatMask(
  id: string,
  path: string,
  options: CaseOptions,
): Promise<NdArray<Uint8Array>> {
  const { maxPixels, maxVoxels, array, channelAxis, page } = options;
  const where = { maxPixels, maxVoxels, array, channelAxis };
  const inside = maskOptionsOf(options);
  const refuse = (must: string, value: unknown) =>
    new InputError(
      `Cannot read mask of case ${id} as ${must}: current value is ${value} (${path})`,
    );
  let file;
  try {
    file = await decodeMask(path, { ...where, ...inside, page });
  } catch (error) {
    // A mask of one page for all of the image's.
    if (!(page && /page must be 0 \.\. 0:/.test(`${error}`))) throw error;
    file = await decodeMask(path, { ...where, ...inside });
  }
  if ("mask" in file) return copyOf(flatMask(file, { page }, path));
  const { volume } = file;
  const [slices, ...sides] = volume.values.shape.slice(0, 3);
  if (slices > 1) {
    throw refuse(
      "the mask of a flat image must have one slice",
      [slices, ...sides].join(" x "),
    );
  }
  if (!isAsStored(volume.layout)) {
    throw refuse(
      "the mask of an image without a place in space must be stored as it is seen, or be a PNG file",
      "another order of its axes",
    );
  }
  return copyOf(volumeSlice(insideVolume(volume, inside, path)));
}

/** The path of a rater's mask. */
export function maskPath(
  id: string,
  masks: ReadonlyMap<string, string>,
  rater: string,
): string {
  const path = masks.get(rater);
  if (path !== undefined) return path;
  throw new InputError(
    `Cannot read mask of case ${id} as rater must be one of ${
      [...masks.keys()].join(", ")
    }: current value is ${rater}`,
  );
}

/** A mask must have the size of its image. */
export function checkMaskSize(
  id: string,
  mask: readonly number[],
  image: readonly number[],
  path: string,
): void {
  if (mask.join() === image.join()) return;
  throw new InputError(
    `Cannot read mask of case ${id} as its size must be that of the image, ${
      image.join(" x ")
    }: current value is ${mask.join(" x ")} (${path})`,
  );
}

/** The names in a folder, sorted; a missing folder is an error that names it. */
export async function listFolder(folder: string): Promise<string[]> {
  try {
    const names: string[] = [];
    for await (const entry of Deno.readDir(folder)) {
      if (!entry.name.startsWith(".")) names.push(entry.name);
    }
    return names.sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Deno.errors.NotFound(
        `Cannot open dataset as the folder must exist: current value is ${folder}`,
      );
    }
    if (error instanceof Deno.errors.NotADirectory) {
      throw new Deno.errors.NotADirectory(
        `Cannot open dataset as its path must be a folder: current value is ${folder}`,
      );
    }
    throw error;
  }
}

/** Whether a path is a folder's. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
