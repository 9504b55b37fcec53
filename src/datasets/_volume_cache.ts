// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { readBytes } from "../formats/_read_bytes.ts";
import type { VolumeFileOptions } from "../formats/_volume_file.ts";
import { insideOf } from "../formats/read_image.ts";
import { decodeVolume, readSeries, type Volume } from "../formats/volume.ts";

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
