// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { checkMaskSize, maskPath } from "./_file_case.ts";
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
  insideOf,
  type ReadImageOptions,
  readMask,
} from "../formats/read_image.ts";
import { readBytes } from "../formats/_bytes.ts";

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

/** So many bytes hold a CT scan of 512 x 512 x 200 and the masks of five raters. */
const CAPACITY = 2 ** 29;

/** A volume's mask: a byte for every voxel, a quarter of what its file's values take. */
export interface VolumeMask {
  /** [D, H, W], 0 or 1. */
  readonly inside: NdArray<Uint8Array>;
  readonly affine?: Volume["affine"];
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
    options: VolumeFileOptions = {},
  ): Promise<VolumeMask | undefined> {
    return await this.#use(
      `mask ${path}`,
      async () => {
        const volume = await readVolumeOrImage(path, options);
        return volume &&
          { inside: insideVolume(volume.values), affine: volume.affine };
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

/** What is above 0 in any channel of [D, H, W, C]. */
function insideVolume(values: NdArray<Float32Array>): NdArray<Uint8Array> {
  const [depth, height, width, channels] = values.shape;
  if (channels === 1) { // in the order in which it is stored
    const { data } = values;
    const inside = new Uint8Array(data.length);
    for (let i = 0; i < data.length; i++) inside[i] = data[i] > 0 ? 1 : 0;
    const { shape, stride, offset } = values.pick(null, null, null, 0);
    return ndarray(inside, shape, stride, offset);
  }
  const area = height * width;
  const inside = new Uint8Array(depth * area);
  for (let slice = 0; slice < depth; slice++) {
    inside.set(insideOf(values.pick(slice)).data, slice * area);
  }
  return ndarray(inside, [depth, height, width]);
}
