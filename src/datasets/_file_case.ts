import { decodeSize } from "./_decode_image.ts";
import type { Case } from "./dataset.ts";
import { readImage, type ReadImageOptions, readMask } from "./read_image.ts";

/** A case whose image and masks are files. */
export function fileCase(
  { id, patient, spacing, image, masks, options }: {
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
  let imageSize: Promise<[number, number]> | undefined;
  return {
    id,
    patient,
    ...(spacing === undefined ? {} : { spacing }),
    raters: [...masks.keys()],
    readImage: () => readImage(image, options),
    async readMask(rater) {
      const path = masks.get(rater);
      if (path === undefined) {
        throw new RangeError(
          `Cannot read mask of case ${id} as rater must be one of ${
            [...masks.keys()].join(", ")
          }: current value is ${rater}`,
        );
      }
      const mask = await readMask(path);
      const [height, width] = await (imageSize ??= decodeSize(image));
      if (mask.shape[0] !== height || mask.shape[1] !== width) {
        throw new RangeError(
          `Cannot read mask of case ${id} as its size must be that of the image, ${height} x ${width}: current value is ${
            mask.shape.join(" x ")
          } (${path})`,
        );
      }
      return mask;
    },
  };
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
