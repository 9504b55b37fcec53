// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import {
  type CaseOptions,
  checkMaskSize,
  imageOptionsOf,
  maskPath,
} from "./_file_case.ts";
import {
  decodeVolume,
  defaultAxis,
  readSeries,
  readVolumeHeader,
  type Volume,
  type VolumeFileOptions,
  volumeImage,
  volumeSlice,
} from "../formats/volume.ts";
import type { VolumeHeader } from "../formats/_volume_header.ts";
import type { Case } from "./dataset.ts";
import {
  type MaskOptions,
  maskOptionsOf,
  warnIfFull,
} from "../formats/_inside.ts";
import { isAsStored, onGrid } from "../formats/_on_grid.ts";
import { copyOf, insideVolume, readMask } from "../formats/read_mask.ts";
import { readBytes } from "../formats/_bytes.ts";
import { checkNoPage } from "../formats/read_image.ts";
import { InputError, InputTypeError } from "../input_error.ts";

/** What the cases of one image file are made of. */
export interface VolumeCasesOptions {
  id: string;
  patient: string;
  /** The path of a NIfTI, DICOM, NPY or NPZ file. */
  image: string;
  /** The path of each rater's mask, by the rater's name. */
  masks: ReadonlyMap<string, string>;
  options?: CaseOptions;
  /** Whether masks are taken index by index, whatever orientation they state. */
  byIndex?: boolean;
  /** Shared by the cases of a dataset. */
  cache: VolumeCache;
}

/** A mask's path ends like this where it is no flat image. */
export const VOLUME_FILE = /\.(nii|nii\.gz|dcm|npy|npz)$/i;

/**
 * The cases of one volume: itself where it has one slice, or where `options`
 * name one; else every slice that a rater marked. To find these the masks are read
 * once, and the image's header. Slices are named ID_slice003.
 */
export async function volumeCases(given: VolumeCasesOptions): Promise<Case[]> {
  const { id, patient, image, masks, cache, options: all = {} } = given;
  const options = imageOptionsOf(all);
  const { maxVoxels, array, channelAxis, series } = options;
  const fileOptions = { maxVoxels, array, channelAxis, series };
  const inside = maskOptionsOf(all);
  const header = await readVolumeHeader(image, fileOptions);
  if (!header) {
    throw new InputTypeError(
      `Cannot open dataset as the image of case ${id} must be a NIfTI, DICOM, NPY or NPZ file: current value is ${image}`,
    );
  }
  checkNoPage(options, image);
  const stack = given.byIndex && await isStack(header.shape, masks);
  const axis = options.axis ?? (stack ? 0 : defaultAxis(header.shape));
  const [depth, height, width] = header.shape;
  const size = [stack ? 1 : depth, height, width];
  const count = size[axis];
  const readVolume = async () => {
    const volume = (await cache.image(image, fileOptions))!;
    return stack ? slicesAsChannels(volume) : volume;
  };
  const readMaskVolume = async (path: string) => {
    const mask = await cache.mask(path, {
      ...{ maxVoxels, inside },
      layout: given.byIndex ? header.layout : undefined,
    });
    if (!mask) return undefined;
    if (!given.byIndex) return inOrder(id, mask, { ...header, size }, path);
    checkMaskSize(id, mask.inside.shape, size, path);
    return mask.inside;
  };
  const spacing = pixelSpacing(header.spacing, axis);
  const channels = options.channels ?? (stack ? [0, 1, 2] : undefined);
  const sliceCase = (name: string, slice: number): Case => ({
    id: name,
    patient,
    ...(spacing === undefined ? {} : { spacing }),
    raters: [...masks.keys()],
    readImage: async () =>
      volumeImage(await readVolume(), { ...options, channels, axis, slice }),
    async readMask(rater) {
      const path = maskPath(id, masks, rater);
      const volume = await readMaskVolume(path);
      const mask = volume
        ? copyOf(volumeSlice(volume, { axis, slice }))
        : await readMask(path, { maxPixels: options.maxPixels, ...inside });
      const shown = volumeSlice(ndarray(NO_VALUES, size), { axis, slice });
      checkMaskSize(name, mask.shape, shown.shape, path);
      return mask;
    },
  });

  if (options.slice !== undefined) return [sliceCase(id, options.slice)];
  if (count === 1) return [sliceCase(id, 0)];
  const marked = new Set<number>();
  for (const path of masks.values()) {
    const mask = await readMaskVolume(path);
    if (!mask) checkMaskSize(id, [1], [count], path); // A flat mask of a stack.
    for (let slice = 0; slice < count; slice++) {
      if (marked.has(slice)) continue;
      const inside = copyOf(volumeSlice(mask!, { axis, slice }));
      if (inside.data.includes(1)) marked.add(slice);
    }
  }
  return [...marked].sort((a, b) => a - b).map((index) => ({
    ...sliceCase(`${id}_slice${String(index).padStart(3, "0")}`, index),
    slice: { volume: id, index },
  }));
}

/** Values that are asked for nothing but their shape. */
const NO_VALUES = new Uint8Array();

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

/**
 * A mask's voxels in the order of the image's: by where both lie where they
 * tell it, else as they are stored.
 */
function inOrder(
  id: string,
  { inside, affine, layout }: VolumeMask,
  image: VolumeHeader & { size: readonly number[] },
  path: string,
): NdArray<Uint8Array> {
  if (image.affine && image.spacing && affine) {
    const found = onGrid(inside, affine, {
      ...{ affine: image.affine, spacing: image.spacing, shape: image.size },
    });
    if ("mask" in found) return found.mask;
    if ("sides" in found) checkMaskSize(id, found.sides, image.size, path);
    throw new InputError(
      `Cannot read mask of case ${id} as its voxels must lie on the image's: current value lies ${
        (found as { apart: number }).apart.toFixed(2)
      } mm beside (${path})`,
    );
  }
  checkMaskSize(id, inside.shape, image.size, path);
  if (isAsStored(layout) && isAsStored(image.layout)) return inside;
  throw new InputError(
    `Cannot read mask of case ${id} as an image and a mask of which one lies in space must both do so, in a NIfTI or DICOM file: current value ${
      affine ? "is an image" : "is a mask"
    } without a place, in an order that nobody knows (${path})`,
  );
}

/** Millimeters per pixel of a slice, where known. */
function pixelSpacing(
  spacing: readonly number[] | undefined,
  axis: number,
): Case["spacing"] {
  if (!spacing) return undefined;
  const [rows, columns] = spacing.filter((_, i) => i !== axis);
  return Math.abs(rows - columns) <= 0.01 * rows ? rows : [rows, columns];
}

/** So many bytes hold a CT scan of 512 x 512 x 200 and the masks of five raters. */
const CAPACITY = 2 ** 29;

/** A volume's mask: a byte for every voxel, a quarter of what its file's values take. */
export interface VolumeMask {
  /** [D, H, W], 0 or 1. */
  readonly inside: NdArray<Uint8Array>;
  readonly affine?: Volume["affine"];
  readonly layout: Volume["layout"];
}

interface Entry {
  readonly value: Promise<Volume | VolumeMask | undefined>;
  /** None until it is read. */
  bytes: number;
}

/** Reads volumes once as long as they fit, for the slices of a dataset. */
export class VolumeCache {
  #capacity: number;
  /** In order of their last use. */
  readonly #entries = new Map<string, Entry>();
  /** One file is decoded at a time: all at once would not fit either. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param capacity Bytes beyond which the volume that was not used for longest is let go. */
  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  /** The volume in a file, or undefined where it holds a flat image. */
  async image(
    path: string,
    options: VolumeFileOptions = {},
  ): Promise<Volume | undefined> {
    return await this.#use(
      `image ${path}`,
      () => readVolumeOrImage(path, options),
      ({ values }) => values.data.byteLength,
    );
  }

  /** What a mask's file marks, or undefined where it holds a flat image. */
  async mask(
    path: string,
    { inside, ...options }: VolumeFileOptions & { inside?: MaskOptions } = {},
  ): Promise<VolumeMask | undefined> {
    return await this.#use(
      `mask ${path}`,
      async () => {
        const volume = await readVolumeOrImage(path, {
          ...options,
          mask: true,
        });
        if (!volume) return undefined;
        const mask = insideVolume(volume, inside ?? {}, path);
        warnIfFull(mask.data, path);
        const { affine, layout } = volume;
        return { inside: mask, affine, layout };
      },
      ({ inside }) => inside.data.byteLength,
    );
  }

  async #use<T extends Volume | VolumeMask>(
    key: string,
    read: () => Promise<T | undefined>,
    size: (value: T) => number,
  ): Promise<T | undefined> {
    const known = this.#entries.get(key);
    if (known) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return await known.value as T | undefined;
    }
    const value = this.#last.then(read);
    this.#last = value.catch(() => {});
    const entry: Entry = { value, bytes: 0 };
    this.#entries.set(key, entry);
    try {
      const found = await value;
      entry.bytes = found ? size(found) : 0;
      // A large scan and the masks of four raters must fit, or each slice would read them again.
      this.#capacity = Math.max(this.#capacity, 2 * entry.bytes);
      this.#letGo(entry);
      return found;
    } catch (error) {
      this.#entries.delete(key);
      throw error;
    }
  }

  #letGo(newest: Entry): void {
    let held = this.#entries.values().reduce(
      (sum, { bytes }) => sum + bytes,
      0,
    );
    for (const [key, entry] of this.#entries) {
      if (held <= this.#capacity) return;
      if (entry === newest || entry.bytes === 0) continue;
      this.#entries.delete(key);
      held -= entry.bytes;
    }
  }
}

async function readVolumeOrImage(path: string, options: VolumeFileOptions) {
  return await readSeries(path, options) ??
    await decodeVolume(await readBytes(path), options, path);
}
