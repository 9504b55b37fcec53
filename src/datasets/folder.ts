import { basename, join } from "node:path";
import { displayable } from "../displayable.ts";
import { readCaseList } from "./_case_list.ts";
import { fileCase, isFolder, listFolder } from "./_file_case.ts";
import { VolumeCache } from "./_volume_cache.ts";
import { VOLUME_FILE, volumeCases } from "./_volume_cases.ts";
import type { Case, Dataset } from "./dataset.ts";
import type { ReadImageOptions } from "./read_image.ts";

const IMAGE = /^image(\.(png|jpe?g|tiff?|nii|nii\.gz|dcm|npy|npz))?$/i;
const RATER = /^rater[_-]?(.+?)\.(png|jpe?g|tiff?|nii|nii\.gz|dcm|npy|npz)$/i;

/**
 * Opens a folder in the plain layout, one folder per case:
 *
 * ```
 * CASE/image.png              the image (or .jpg, .tif, .nii, .nii.gz, .dcm, .npy, .npz),
 *                             or a folder "image" with the DICOM files of a series
 * CASE/rater1.png             the mask of rater "1", in any of these formats
 * CASE/rater_generous.png     the mask of rater "generous"
 * cases.json                  optional: [{ "case", "patient", "pixel_spacing_mm" }]
 * ```
 *
 * A case may have any number of raters, at least one; other files are ignored.
 * A case that `cases.json` does not name is its own patient.
 *
 * A volume of several slices, whose masks are volumes of the same size, gives
 * one case CASE_slice003 for every slice that a rater marked; the option `slice`
 * takes one slice of each instead, `axis` another direction. Masks that state
 * their place in space must lie where the image does.
 *
 * @param folder The folder that holds the cases' folders.
 * @param options How images are read, as for `readImage`.
 * @returns Every case, ordered by name; images and masks are read when asked for.
 * @throws {Deno.errors.NotFound} When the folder is missing, or a case lacks its image or any mask.
 * @throws {RangeError} When the folder has no cases, a case two masks of one rater, or a volume a mask of another size or place.
 * @throws {TypeError} When a volume's file is damaged or of another format, or `cases.json` is no list of cases.
 * @throws {SyntaxError} When `cases.json` is no JSON.
 */
export async function folderDataset(
  folder: string,
  options: ReadImageOptions = {},
): Promise<Dataset> {
  const list = await readCaseList(folder);
  const cache = new VolumeCache();
  const cases: Case[] = [];
  for (const id of await listFolder(folder)) {
    if (!await isFolder(join(folder, id))) continue;
    const files = await listFolder(join(folder, id));
    const image = files.find((file) => IMAGE.test(file));
    const masks = new Map<string, string>();
    for (const file of files) {
      const rater = RATER.exec(file)?.[1];
      if (rater === undefined) continue;
      const other = masks.get(rater);
      if (other !== undefined) {
        throw new RangeError(
          `Cannot open dataset as case ${id} must have one mask of rater ${rater}: current value is ${
            basename(other)
          } and ${file}`,
        );
      }
      masks.set(rater, join(folder, id, file));
    }
    if (image === undefined && masks.size === 0) continue; // Not a case.
    if (image === undefined || masks.size === 0) {
      throw new Deno.errors.NotFound(
        `Cannot open dataset as case ${id} must have ${
          image === undefined ? "image.png" : "a mask such as rater1.png"
        }: current value has ${files.join(", ")}`,
      );
    }
    const parts = {
      id,
      patient: list.get(id)?.patient ?? id,
      image: join(folder, id, image),
      masks,
      options,
    };
    if (VOLUME_FILE.test(image) || await isFolder(parts.image)) {
      cases.push(...await volumeCases({ ...parts, cache }));
    } else {
      const spacing = list.get(id)?.pixel_spacing_mm;
      cases.push(fileCase({ ...parts, spacing }));
    }
  }
  if (cases.length === 0) {
    throw new RangeError(
      `Cannot open dataset as the folder must have cases (CASE/image.png with CASE/rater1.png, or the layout of LIDC crops, QUBIQ or REFUGE2): current value is ${folder}`,
    );
  }
  return displayable("dataset", { name: basename(folder), cases });
}
