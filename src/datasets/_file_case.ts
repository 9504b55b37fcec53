import { once } from "../once.ts";
import { decodeSize } from "../formats/_image_file.ts";
import { readBytes } from "../formats/_bytes.ts";
import type { Case } from "./dataset.ts";
import {
  readImage,
  type ReadImageOptions,
  readMask,
} from "../formats/read_image.ts";

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
    options?: ReadImageOptions;
  },
): Case {
  const imageSize = once(async () =>
    decodeSize(await readBytes(image), options, image)
  );
  return {
    id,
    patient,
    ...(spacing === undefined ? {} : { spacing }),
    raters: [...masks.keys()],
    readImage: () => readImage(image, options),
    async readMask(rater) {
      const path = maskPath(id, masks, rater);
      const { maxPixels, maxVoxels } = options;
      const mask = await readMask(path, { maxPixels, maxVoxels });
      checkMaskSize(id, mask.shape, await imageSize(), path);
      return mask;
    },
  };
}

/** The path of a rater's mask. */
export function maskPath(
  id: string,
  masks: ReadonlyMap<string, string>,
  rater: string,
): string {
  const path = masks.get(rater);
  if (path !== undefined) return path;
  throw new RangeError(
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
  throw new RangeError(
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
