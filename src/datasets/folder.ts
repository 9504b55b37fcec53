import { basename, join } from "node:path";
import { displayable } from "../displayable.ts";
import { readCaseList } from "./_split.ts";
import {
  CASE_TYPES,
  type CaseOptions,
  fileCase,
  isFolder,
  listFolder,
} from "./_file_case.ts";
import { IMAGE, listedSplits, openSplit, RATER } from "./_split.ts";
import { VolumeCache } from "./_volume_cases.ts";
import { VOLUME_FILE, volumeCases } from "./_volume_cases.ts";
import type { Case, Dataset } from "./dataset.ts";
import { checkOptions } from "../options.ts";
import { InputError } from "../input_error.ts";

/**
 * Opens a folder in the plain layout, one folder per case:
 *
 * ```
 * CASE/image.png              the image (or .jpg, .tif, .nii, .nii.gz, .dcm, .npy, .npz),
 *                             or a folder "image" with the DICOM files of a series
 * CASE/rater1.png             the mask of rater "1", in any of these formats
 * CASE/rater_generous.png     the mask of rater "generous"
 * cases.json                  optional: [{ "case", "patient", "split", "pixel_spacing_mm" }]
 * ```
 *
 * A case may have any number of raters, at least one; other files are ignored.
 * A case that `cases.json` does not name is its own patient.
 *
 * Cases that `cases.json` gives a "split" ("train", "val" or "test"), or that lie
 * in folders of these names (`train/CASE/image.png`, each with a `cases.json` of
 * its own), belong to that split. All others are opened whatever split is asked
 * for, so that training and evaluation use the same ones; the dataset's `split`
 * is undefined then.
 *
 * A volume of several slices, whose masks are volumes of the same size, gives
 * one case CASE_slice003 for every slice that a rater marked; the option `slice`
 * takes one slice of each instead, `axis` another direction.
 *
 * A mask must be of its image. Where both state their place in space, they are
 * compared there, and voxels of one grid are put in the image's order; a mask of
 * several slices or pages beside a flat image is refused, as is an array without
 * a place beside a NIfTI image that is shown in another order than stored. What
 * counts as inside is as for `readMask`: the options `label`, `ignore`,
 * `threshold`, `channel` and `alpha` are for all masks.
 *
 * @param folder The folder that holds the cases' folders.
 * @param options `split`: which split, where there are several (default "val"); and how images are
 * read, as for `readImage`.
 * @returns Every case of the split, ordered by name; images and masks are read when asked for.
 * @throws {Deno.errors.NotFound} When the folder is missing or has other splits only, or a case lacks its image or any mask.
 * @throws {RangeError} When the folder has no cases, `cases.json` gives some cases a split and others none or one patient two, a case has two masks of one rater, or a volume a mask of another size or place.
 * @throws {TypeError} When a volume's file is damaged or of another format, or `cases.json` is no list of cases.
 * @throws {SyntaxError} When `cases.json` is no JSON.
 */
export async function folderDataset(
  folder: string,
  given: CaseOptions & { split?: "train" | "val" | "test" } = {},
): Promise<Dataset> {
  checkOptions("open dataset", given, CASE_TYPES);
  const { split = "val", ...options } = given;
  const { root, named } = await openSplit(folder, split);
  const list = await readCaseList(root);
  const cache = new VolumeCache();
  const found: CaseFiles[] = [];
  for (const id of await listFolder(root)) {
    if (!await isFolder(join(root, id))) continue;
    const files = await findFiles(root, id);
    if (files) found.push(files);
  }
  const splits = root === folder
    ? listedSplits(found.map(({ id }) => id), list, folder)
    : undefined;
  const cases: Case[] = [];
  for (const { id, image, masks } of found) {
    if (splits && splits.get(id) !== split) continue;
    const patient = list.get(id)?.patient ?? id;
    const parts = { id, patient, image, masks, options };
    if (VOLUME_FILE.test(image) || await isFolder(image)) {
      cases.push(...await volumeCases({ ...parts, cache }));
    } else {
      const spacing = list.get(id)?.pixel_spacing_mm;
      cases.push(fileCase({ ...parts, spacing }));
    }
  }
  if (cases.length === 0) {
    const known = splits && found.length > 0;
    throw new InputError(
      known
        ? `Cannot open dataset as cases.json must give cases to split ${split}: current value is ${
          [...new Set(splits.values())].join(", ")
        } (${folder})`
        : `Cannot open dataset as the folder must have cases (CASE/image.png with CASE/rater1.png, or the layout of LIDC crops, QUBIQ or REFUGE2): current value is ${root}`,
    );
  }
  const inside = splits !== undefined || root !== folder;
  return displayable("dataset", {
    name: inside ? `${basename(folder)}, ${split}` : basename(folder),
    cases,
    split: splits ? split : named,
  });
}

/** The paths of a case's image and masks. */
interface CaseFiles {
  id: string;
  image: string;
  /** By rater. */
  masks: Map<string, string>;
}

/** The files of a case; undefined for a folder that has neither image nor masks. */
async function findFiles(
  root: string,
  id: string,
): Promise<CaseFiles | undefined> {
  const files = await listFolder(join(root, id));
  const image = files.find((file) => IMAGE.test(file));
  const masks = new Map<string, string>();
  for (const file of files) {
    const rater = RATER.exec(file)?.[1];
    if (rater === undefined) continue;
    const other = masks.get(rater);
    if (other !== undefined) {
      throw new InputError(
        `Cannot open dataset as case ${id} must have one mask of rater ${rater}: current value is ${
          basename(other)
        } and ${file}`,
      );
    }
    masks.set(rater, join(root, id, file));
  }
  if (image === undefined && masks.size === 0) return undefined;
  if (image === undefined || masks.size === 0) {
    throw new Deno.errors.NotFound(
      `Cannot open dataset as case ${id} must have ${
        image === undefined ? "image.png" : "a mask such as rater1.png"
      }: current value has ${files.join(", ")}`,
    );
  }
  return { id, image: join(root, id, image), masks };
}
