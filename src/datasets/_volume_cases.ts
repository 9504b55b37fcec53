// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { checkMaskSize, maskPath } from "./_file_case.ts";
import type { VolumeCache, VolumeMask } from "./_volume_cache.ts";
import {
  readVolumeHeader,
  type VolumeFileOptions,
} from "../formats/_volume_file.ts";
import type { VolumeHeader } from "../formats/_volume_header.ts";
import { volumeImage } from "../formats/_volume_image.ts";
import type { Case } from "./dataset.ts";
import { type ReadImageOptions, readMask } from "../formats/read_image.ts";
import { defaultAxis, type Volume, volumeSlice } from "../formats/volume.ts";

/** What the cases of one image file are made of. */
export interface VolumeCasesOptions {
  id: string;
  patient: string;
  /** The path of a NIfTI, DICOM, NPY or NPZ file. */
  image: string;
  /** The path of each rater's mask, by the rater's name. */
  masks: ReadonlyMap<string, string>;
  options?: ReadImageOptions;
  /** Whether masks are taken index by index, whatever orientation they state. */
  byIndex?: boolean;
  /** Shared by the cases of a dataset. */
  cache: VolumeCache;
}

/** A mask's path ends like this where it is no flat image. */
export const VOLUME_FILE = /\.(nii|nii\.gz|dcm|npy|npz)$/i;

/**
 * The cases of one volume: itself where it has one slice, or where `options`
 * name one; else every slice that a rater marked, for which the masks are read
 * once, and of the image its header. Slices are named ID_slice003.
 */
export async function volumeCases(given: VolumeCasesOptions): Promise<Case[]> {
  const { id, patient, image, masks, options = {}, cache } = given;
  const header = await readVolumeHeader(image, options);
  if (!header) {
    throw new TypeError(
      `Cannot open dataset as the image of case ${id} must be a NIfTI, DICOM, NPY or NPZ file: current value is ${image}`,
    );
  }
  const stack = given.byIndex && await isStack(header.shape, masks);
  const axis = options.axis ?? (stack ? 0 : defaultAxis(header.shape));
  const [depth, height, width] = header.shape;
  const size = [stack ? 1 : depth, height, width];
  const count = size[axis];
  const readVolume = async () => {
    const volume = (await cache.image(image, options))!;
    return stack ? slicesAsChannels(volume) : volume;
  };
  const maskOptions: VolumeFileOptions = {
    maxVoxels: options.maxVoxels,
    layout: given.byIndex ? header.layout : undefined,
  };
  const readMaskVolume = async (path: string, slices: boolean) => {
    const mask = await cache.mask(path, maskOptions);
    if (mask && slices) checkMaskSize(id, mask.inside.shape, size, path);
    if (mask) checkGrid(id, mask, header, path);
    return mask;
  };
  const spacing = pixelSpacing(header.spacing, axis);
  const sliceCase = (name: string, slice: number): Case => ({
    id: name,
    patient,
    ...(spacing === undefined ? {} : { spacing }),
    raters: [...masks.keys()],
    readImage: async () =>
      volumeImage(await readVolume(), { ...options, axis, slice }),
    async readMask(rater) {
      const path = maskPath(id, masks, rater);
      const volume = await readMaskVolume(path, count > 1);
      const mask = volume
        ? copyOf(volumeSlice(volume.inside, { axis, slice }))
        : await readMask(path, options);
      const shown = volumeSlice(ndarray(NO_VALUES, size), { axis, slice });
      checkMaskSize(name, mask.shape, shown.shape, path);
      return mask;
    },
  });

  if (options.slice !== undefined) return [sliceCase(id, options.slice)];
  if (count === 1) return [sliceCase(id, 0)];
  const marked = new Set<number>();
  for (const path of masks.values()) {
    const mask = await readMaskVolume(path, true);
    if (!mask) checkMaskSize(id, [1], [count], path); // A flat mask of a stack.
    for (let slice = 0; slice < count; slice++) {
      if (marked.has(slice)) continue;
      const inside = copyOf(volumeSlice(mask!.inside, { axis, slice }));
      if (inside.data.includes(1)) marked.add(slice);
    }
  }
  return [...marked].sort((a, b) => a - b).map((slice) =>
    sliceCase(`${id}_slice${String(slice).padStart(3, "0")}`, slice)
  );
}

/** Values of a shape of which nothing but the shape is asked. */
const NO_VALUES = new Uint8Array();

/** A slice of its own, which its user may change. */
function copyOf(slice: NdArray<Uint8Array>): NdArray<Uint8Array> {
  const { data, shape } = contiguous(slice);
  return ndarray(data === slice.data ? data.slice() : data, shape);
}

/** Whether an image's few slices are channels: its masks have one slice. */
async function isStack(
  [depth]: readonly number[],
  masks: ReadonlyMap<string, string>,
): Promise<boolean> {
  if (depth < 2 || depth > 8) return false;
  const [first] = masks.values();
  return (await readVolumeHeader(first))?.shape[0] === 1;
}

/** A volume of one slice whose channels are the given one's slices. */
function slicesAsChannels(volume: Volume): Volume {
  const stacked = stacks.get(volume);
  if (stacked) return stacked;
  const [depth, height, width] = volume.values.shape;
  const values = volume.values.transpose(3, 1, 2, 0)
    .hi(1, height, width, depth);
  const result = { ...volume, values };
  stacks.set(volume, result);
  return result;
}
const stacks = new WeakMap<Volume, Volume>();

/** A mask that states its place in space must lie where the image does: corners within half a voxel. */
function checkGrid(
  id: string,
  mask: VolumeMask,
  image: VolumeHeader,
  path: string,
): void {
  const { affine, spacing } = image;
  if (!affine || !spacing || !mask.affine) return;
  const [depth, height, width] = mask.inside.shape.map((side) => side - 1);
  for (let corner = 0; corner < 8; corner++) {
    const at = [corner & 1 && width, corner & 2 && height, corner & 4 && depth];
    const apart = Math.hypot(...[0, 4, 8].map((row) =>
      [...at, 1].reduce(
        (sum, index, k) =>
          sum + (affine[row + k] - mask.affine![row + k]) * index,
        0,
      )
    ));
    if (!(apart < Math.min(...spacing) / 2)) {
      throw new RangeError(
        `Cannot read mask of case ${id} as its voxels must lie on the image's: current value lies ${
          apart.toFixed(2)
        } mm beside (${path})`,
      );
    }
  }
}

/** Millimetres per pixel of a slice, where known. */
function pixelSpacing(
  spacing: readonly number[] | undefined,
  axis: number,
): Case["spacing"] {
  if (!spacing) return undefined;
  const [rows, columns] = spacing.filter((_, i) => i !== axis);
  return Math.abs(rows - columns) <= 0.01 * rows ? rows : [rows, columns];
}
