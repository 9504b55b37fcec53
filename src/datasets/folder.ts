import { basename, dirname, join } from "node:path";
import { displayable } from "../displayable.ts";
import { readCaseList } from "./_case_list.ts";
import { fileCase, listFolder } from "./_file_case.ts";
import type { Case, Dataset } from "./dataset.ts";
import { lidcCrops } from "./lidc_crops.ts";
import type { ReadImageOptions } from "./read_image.ts";

const IMAGE = /^image\.(png|jpe?g|tiff?)$/i;
const RATER = /^rater[_-]?(.+)\.(png|jpe?g|tiff?)$/i;

/**
 * Opens a folder in the plain layout, one folder per case:
 *
 * ```
 * CASE/image.png              the image (or .jpg, .jpeg, .tif, .tiff)
 * CASE/rater1.png             the mask of rater "1"
 * CASE/rater_generous.png     the mask of rater "generous"
 * cases.json                  optional: [{ "case", "patient", "pixel_spacing_mm" }]
 * ```
 *
 * A case may have any number of raters, at least one; other files are ignored.
 * A case that `cases.json` does not name is its own patient.
 *
 * @param folder The folder that holds the cases' folders.
 * @param options How images are read, as for `readImage`.
 * @returns Every case, ordered by name; images and masks are read when asked for.
 * @throws {Deno.errors.NotFound} When the folder is missing, or a case lacks its image or any mask.
 * @throws {RangeError} When the folder has no cases.
 */
export async function folderDataset(
  folder: string,
  options: ReadImageOptions = {},
): Promise<Dataset> {
  const list = await readCaseList(folder);
  const cases: Case[] = [];
  for (const id of await listFolder(folder)) {
    if (!await isFolder(join(folder, id))) continue;
    const files = await listFolder(join(folder, id));
    const image = files.find((file) => IMAGE.test(file));
    const masks = new Map<string, string>();
    for (const file of files) {
      const rater = RATER.exec(file)?.[1];
      if (rater !== undefined) masks.set(rater, join(folder, id, file));
    }
    if (image === undefined && masks.size === 0) continue; // Not a case.
    if (image === undefined || masks.size === 0) {
      throw new Deno.errors.NotFound(
        `Cannot open dataset as case ${id} must have ${
          image === undefined ? "image.png" : "a mask such as rater1.png"
        }: current value has ${files.join(", ")}`,
      );
    }
    cases.push(fileCase({
      id,
      patient: list.get(id)?.patient ?? id,
      spacing: list.get(id)?.pixel_spacing_mm,
      image: join(folder, id, image),
      masks,
      options,
    }));
  }
  if (cases.length === 0) {
    throw new RangeError(
      `Cannot open dataset as the folder must have cases (CASE/image.png with CASE/rater1.png, or the LIDC crops' train and val): current value is ${folder}`,
    );
  }
  return displayable("dataset", { name: basename(folder), cases });
}

/** Options of {@linkcode openDataset}. */
export interface OpenDatasetOptions extends ReadImageOptions {
  /** Which split of a folder that has several, which defaults to "val". */
  split?: "train" | "val";
}

/**
 * Opens a folder of cases in whichever layout it has: the LIDC crops' (the
 * folder with `train` and `val`, or one of these itself), or the plain one of
 * {@linkcode folderDataset}.
 *
 * @param folder The dataset's folder.
 * @param options Which split, and how images of the plain layout are read.
 * @throws As {@linkcode lidcCrops} and {@linkcode folderDataset}.
 */
export async function openDataset(
  folder: string,
  { split = "val", ...options }: OpenDatasetOptions = {},
): Promise<Dataset> {
  await listFolder(folder); // A missing folder is told before any layout.
  if (await isFolder(join(folder, split, "images"))) {
    return await lidcCrops(folder, split);
  }
  const own = basename(folder);
  const isSplit = (own === "train" || own === "val") &&
    await isFolder(join(folder, "images")) &&
    await isFolder(join(folder, "gt"));
  return isSplit
    ? await lidcCrops(dirname(folder), own)
    : await folderDataset(folder, options);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
