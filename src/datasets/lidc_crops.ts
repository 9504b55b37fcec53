import { join } from "node:path";
import { displayable } from "../displayable.ts";
import { checkOptions } from "../options.ts";
import { readCaseList } from "./_split.ts";
import { fileCase, listFolder } from "./_file_case.ts";
import type { Case, Dataset } from "./dataset.ts";
import { InputError } from "../input_error.ts";

const RATERS = ["0", "1", "2", "3"];

/**
 * Opens a split of the LIDC-IDRI crops, in the layout of the hierarchical
 * probabilistic U-Net's preprocessed data: `SPLIT/images/PATIENT/CASE.png` and
 * one to four masks `SPLIT/gt/PATIENT/CASE_l0.png` .. `CASE_l3.png`, as many as
 * radiologists marked the nodule. Where two patients
 * have a CASE of the same name, as slices named by their height, all are called
 * PATIENT_CASE. An optional
 * `cases.json` (a list of `{ case, split, pixel_spacing_mm }`) gives the spacing.
 *
 * The raters are "0" to "3": the order of the reading sessions, not the same
 * person from one scan to the next.
 *
 * @param folder The folder that holds `train`, `val` and perhaps `test`.
 * @param options.split Which of them. Default: "val".
 * @returns Every case, ordered by patient and name; images and masks are read when asked for.
 * @throws {Deno.errors.NotFound} When a folder or a mask's file is missing.
 * @throws {RangeError} When the split has no cases, or lacks one that `cases.json` lists.
 * @throws {TypeError} When `cases.json` is no list of cases.
 * @throws {SyntaxError} When it is no JSON.
 */
export async function lidcCrops(
  folder: string,
  options: { split?: "train" | "val" | "test" } = {},
): Promise<Dataset> {
  checkOptions("open LIDC crops", options, { split: "string" });
  const { split = "val" } = options;
  const list = await readCaseList(folder);
  const images = join(folder, split, "images");
  const masks = join(folder, split, "gt");
  const files: { patient: string; name: string; present: Set<string> }[] = [];
  for (const patient of await listFolder(images)) {
    const present = new Set(await listFolder(join(masks, patient)));
    for (const file of await listFolder(join(images, patient))) {
      if (!file.endsWith(".png")) continue;
      files.push({ patient, name: file.slice(0, -".png".length), present });
    }
  }
  const unique = new Set(files.map(({ name }) => name)).size === files.length;
  const cases: Case[] = [];
  for (const { patient, name, present } of files) {
    const id = unique ? name : `${patient}_${name}`;
    cases.push(fileCase({
      id,
      patient,
      spacing: list.get(id)?.pixel_spacing_mm,
      image: join(images, patient, `${name}.png`),
      masks: raterFiles(join(masks, patient), name, present),
    }));
  }
  if (cases.length === 0) {
    throw new InputError(
      `Cannot open LIDC crops as the folder must have cases (PATIENT/CASE.png): current value is ${images}`,
    );
  }
  const found = new Set(cases.map(({ id }) => id));
  for (const entry of list.values()) {
    if (entry.split === split && !found.has(entry.case)) {
      throw new InputError(
        `Cannot open LIDC crops as every case of cases.json must have an image: current value is ${entry.case}, which ${images} lacks`,
      );
    }
  }
  return displayable("dataset", {
    name: `LIDC crops, ${split}`,
    cases,
    anonymous: true,
    crops: true,
    split,
  });
}

/** The masks' paths: of the first rater, and as many more as there are; a gap is an error that names it. */
function raterFiles(
  folder: string,
  id: string,
  present: ReadonlySet<string>,
): Map<string, string> {
  const files = RATERS.map((rater) => `${id}_l${rater}.png`);
  const others = files.filter((file) => present.has(file));
  const missing = files.slice(0, Math.max(1, others.length))
    .filter((file) => !present.has(file));
  if (missing.length > 0) {
    throw new Deno.errors.NotFound(
      `Cannot open LIDC crops as case ${id} must have masks of the first raters, 1 to 4, in ${folder}: current value lacks ${
        missing.join(", ")
      } and has ${others.join(", ") || "none"}`,
    );
  }
  return new Map(
    others.map((file, k) => [RATERS[k], join(folder, file)]),
  );
}
