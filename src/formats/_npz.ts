import type { UnzipFileInfo } from "fflate";
import { isNpy } from "./_npy.ts";
import { badFile } from "./_read_bytes.ts";

/** Whether a file is a zip archive, by its beginning. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 &&
    bytes[3] === 4;
}

/**
 * One array of an NPZ file, as the bytes of an NPY file.
 *
 * @param array Its name; it may be left out where the file has one array only, or one named "image".
 */
export async function npzEntry(
  bytes: Uint8Array,
  { array, maxVoxels, name }: {
    array?: string;
    maxVoxels: number;
    name: string;
  },
): Promise<Uint8Array> {
  const { unzipSync } = await import("fflate");
  const entries: UnzipFileInfo[] = [];
  const unzip = (filter: (entry: UnzipFileInfo) => boolean) => {
    try {
      return unzipSync(bytes, { filter });
    } catch (error) {
      throw badFile("it must be an undamaged NPZ file", error, name, error);
    }
  };
  unzip((entry) => {
    entries.push(entry);
    return false;
  });
  const names = entries.map((entry) => entry.name.replace(/\.npy$/, ""));
  const wanted = array ??
    (names.length === 1 ? names[0] : "image");
  const entry = entries[names.indexOf(wanted)];
  if (!entry) {
    throw new RangeError(
      `Cannot read image as array must be one of ${
        names.slice(0, 20).join(", ").slice(0, 200)
      }: current value is ${array} (${name})`,
    );
  }
  // fflate makes room for the size that the archive claims: is it possible?
  const limit = Math.min(
    entry.compression === 0 ? entry.size : entry.size * 1032,
    maxVoxels * 8 + 2 ** 16,
  );
  if (entry.size > bytes.length || entry.originalSize > limit) {
    throw badFile(
      `its array ${wanted} must have at most ${limit} bytes`,
      `${entry.originalSize} bytes of ${entry.size}`,
      name,
    );
  }
  let index = 0;
  const npy = unzip(() => entries[index++] === entry)[entry.name];
  if (!npy || !isNpy(npy)) {
    throw badFile(
      `its array ${wanted} must be an NPY file`,
      "other bytes",
      name,
    );
  }
  return npy;
}
