import { readBytes } from "./_read_bytes.ts";
import type { VolumeFileOptions } from "./_volume_file.ts";
import { decodeVolume, readSeries, type Volume } from "./volume.ts";

/** Decoded volumes of more bytes than this are let go, the oldest first. */
const CAPACITY = 2 ** 29;

/** Reads volumes once as long as they fit, for the slices of a dataset. */
export class VolumeCache {
  #volumes = new Map<string, Promise<Volume | undefined>>();
  #bytes = new Map<string, number>();

  /** The volume in a file, or undefined where it holds a flat image. */
  async read(
    path: string,
    options: VolumeFileOptions = {},
  ): Promise<Volume | undefined> {
    const known = this.#volumes.get(path);
    if (known) return await known;
    const reading = readVolumeOrImage(path, options);
    this.#volumes.set(path, reading);
    try {
      const volume = await reading;
      this.#bytes.set(path, volume?.values.data.byteLength ?? 0);
      this.#letGo(path);
      return volume;
    } catch (error) {
      this.#volumes.delete(path);
      throw error;
    }
  }

  #letGo(newest: string): void {
    let held = this.#bytes.values().reduce((sum, bytes) => sum + bytes, 0);
    for (const [path, bytes] of this.#bytes) {
      if (held <= CAPACITY || path === newest) return;
      this.#bytes.delete(path);
      this.#volumes.delete(path);
      held -= bytes;
    }
  }
}

async function readVolumeOrImage(path: string, options: VolumeFileOptions) {
  return await readSeries(path, options) ??
    await decodeVolume(await readBytes(path), options, path);
}
