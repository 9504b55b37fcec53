/** The layouts of data sets: a folder per case, and those of known data sets. */

import { basename, join } from "node:path";
import { displayable } from "../displayable.ts";
import {
  findSplit,
  IMAGE,
  listedSplits,
  openSplit,
  RATER,
  readCaseList,
  splitNamed,
} from "./_split.ts";
import {
  CASE_TYPES,
  type CaseOptions,
  fileCase,
  isFolder,
  listFolder,
} from "./_file_case.ts";
import { VOLUME_FILE, VolumeCache, volumeCases } from "./_volume_cases.ts";
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

const QUBIQ_MASK = /^task(\d+)_seg(\d+)\.nii(\.gz)?$/;
const QUBIQ_IMAGE = /^image\.nii(\.gz)?$/;
const QUBIQ_SPLITS = {
  train: ["Training"],
  val: ["Validation"],
  test: ["Testing"],
};

/** Options of {@linkcode qubiq}. */
export interface QubiqOptions extends CaseOptions {
  /**
   * The split, where the folder has `Training`, `Validation` or `Testing`.
   * Default: "val".
   */
  split?: "train" | "val" | "test";
  /** The structure, by its number. Default: 1. */
  task?: number;
}

/**
 * Opens one structure of a QUBIQ challenge folder: `SPLIT/caseNN/image.nii.gz`
 * with `task01_seg01.nii.gz`, `task01_seg02.nii.gz` ...; SPLIT is `Training`,
 * `Validation` or `Testing`, or nothing at all.
 *
 * - Masks are compared with the image index by index, as the challenge does.
 * - An image of several slices whose masks have one (brain tumor) has the
 *   slices, its modalities, as channels: the first three, or `channels`.
 * - A volume (pancreas) gives one case per slice that a rater marked; `case1-2`
 *   is the second scan of patient `case1`.
 *
 * @param folder The folder of a task, such as `brain-growth`, or of one split of it.
 * @param options Split and task, and how images are read.
 * @returns Every case, ordered by name; the raters are "1", "2" ...
 * @throws {Deno.errors.NotFound} When the folder is missing or has other splits only, or a case lacks its image.
 * @throws {RangeError} When no case has masks of this task, or a volume has a mask of another size.
 * @throws {TypeError} When a file that is looked into is damaged.
 */
export async function qubiq(
  folder: string,
  given: QubiqOptions = {},
): Promise<Dataset> {
  checkOptions("open QUBIQ", given, { ...CASE_TYPES, task: "number" });
  const { split = "val", task = 1, ...options } = given;
  const names = await listFolder(folder);
  const splitFolder = findSplit(folder, names, QUBIQ_SPLITS, split);
  const root = splitFolder ? join(folder, splitFolder) : folder;
  const cache = new VolumeCache();
  const cases: Case[] = [];
  for (const id of await listFolder(root)) {
    if (!await isFolder(join(root, id))) continue;
    const files = await listFolder(join(root, id));
    const masks = new Map<string, string>();
    for (const file of files) {
      const [, itsTask, rater] = QUBIQ_MASK.exec(file) ?? [];
      if (Number(itsTask) !== task) continue;
      masks.set(String(Number(rater)), join(root, id, file));
    }
    if (masks.size === 0) continue;
    const image = files.find((file) => QUBIQ_IMAGE.test(file));
    if (image === undefined) {
      throw new Deno.errors.NotFound(
        `Cannot open QUBIQ as case ${id} must have image.nii.gz: current value has ${
          files.join(", ")
        }`,
      );
    }
    cases.push(
      ...await volumeCases({
        id,
        patient: id.replace(/-\d+$/, ""),
        image: join(root, id, image),
        masks,
        options,
        byIndex: true,
        cache,
      }),
    );
  }
  if (cases.length === 0) {
    throw new InputError(
      `Cannot open QUBIQ as the folder must have cases with masks of task ${task} (caseNN/task01_seg01.nii.gz): current value is ${root}`,
    );
  }
  const label = String(task).padStart(2, "0");
  const title = `QUBIQ ${basename(folder)} task${label}`;
  return displayable("dataset", {
    name: splitFolder ? `${title}, ${splitFolder}` : title,
    cases,
    split: splitFolder ? split : splitNamed(folder, QUBIQ_SPLITS),
  });
}

/** Whether a folder has the layout of {@linkcode qubiq}: one case is enough, wherever it is in the order. */
export async function isQubiq(folder: string): Promise<boolean> {
  for (const split of [...Object.values(QUBIQ_SPLITS).flat(), "."]) {
    const root = join(folder, split);
    if (!await isFolder(root)) continue;
    for (const id of await listFolder(root)) {
      if (!await isFolder(join(root, id))) continue;
      const files = await listFolder(join(root, id));
      if (files.some((file) => QUBIQ_MASK.test(file))) return true;
    }
  }
  return false;
}

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

const REFUGE_MASK =
  /^(.+)_seg_(cup|disc)_(\d+)(_cropped)?\.(jpe?g|png|tiff?)$/i;
const REFUGE_SPLITS = {
  train: ["Training-400"],
  val: ["Validation-400", "Test-400"],
  test: ["Test-400"],
};

/** Options of {@linkcode refuge2}. */
export interface Refuge2Options extends CaseOptions {
  /**
   * The split, where the folder has several: "train" is `Training-400`; "val",
   * the default, `Validation-400` or, where that is missing, `Test-400`; "test"
   * is `Test-400`.
   */
  split?: "train" | "val" | "test";
  /** The structure. Default: "cup". */
  structure?: "cup" | "disc";
}

/**
 * Opens the multi-rater REFUGE2 fundus images: `Training-400/NAME/` with
 * `NAME_cropped.jpg` and `NAME_seg_cup_1_cropped.jpg` .. `_7_cropped.jpg`, and
 * the same for `disc`; or the uncropped `NAME.jpg` with `NAME_seg_cup_1.png`.
 * Where a case has both, the cropped ones are taken.
 *
 * @param folder The folder that holds `Training-400`, or such a folder itself.
 * @param options Split and structure, and how images are read.
 * @returns Every case, ordered by name; the raters are "1" to "7". Images and masks are read when asked for.
 * @throws {Deno.errors.NotFound} When the folder is missing or has other splits only, or a case lacks its image.
 * @throws {RangeError} When no case has masks of the structure.
 */
export async function refuge2(
  folder: string,
  given: Refuge2Options = {},
): Promise<Dataset> {
  checkOptions("open REFUGE2", given, { ...CASE_TYPES, structure: "string" });
  const { split = "val", structure = "cup", ...options } = given;
  const names = await listFolder(folder);
  const splitFolder = findSplit(folder, names, REFUGE_SPLITS, split);
  const root = splitFolder ? join(folder, splitFolder) : folder;
  const cases: Case[] = [];
  for (const id of await listFolder(root)) {
    if (!await isFolder(join(root, id))) continue;
    const files = await listFolder(join(root, id));
    const found = files.map((file) => ({ file, match: REFUGE_MASK.exec(file) }))
      .filter(({ match }) =>
        match?.[1] === id && match[2].toLowerCase() === structure
      );
    if (found.length === 0) continue;
    const cropped = found.some(({ match }) => match![4]) ? "_cropped" : "";
    const image = files.find((file) =>
      [".jpg", ".jpeg", ".png"].some((end) =>
        file.toLowerCase() === `${id}${cropped}${end}`.toLowerCase()
      )
    );
    if (image === undefined) {
      throw new Deno.errors.NotFound(
        `Cannot open REFUGE2 as case ${id} must have ${id}${cropped}.jpg: current value has ${
          files.join(", ")
        }`,
      );
    }
    const masks = new Map(
      found.filter(({ match }) => (match![4] ?? "") === cropped)
        .map(({ file, match }) => [match![3], join(root, id, file)]),
    );
    cases.push(
      fileCase({
        id,
        patient: id,
        image: join(root, id, image),
        masks,
        options,
      }),
    );
  }
  if (cases.length === 0) {
    throw new InputError(
      `Cannot open REFUGE2 as the folder must have cases (NAME/NAME_seg_${structure}_1_cropped.jpg): current value is ${root}`,
    );
  }
  const name = splitFolder ?? basename(folder);
  return displayable("dataset", {
    name: `REFUGE2 ${structure}, ${name}`,
    cases,
    split: splitFolder ? split : splitNamed(folder, REFUGE_SPLITS),
  });
}

/** Whether a folder has the layout of {@linkcode refuge2}: one case is enough, wherever it is in the order. */
export async function isRefuge2(folder: string): Promise<boolean> {
  for (const split of [...Object.values(REFUGE_SPLITS).flat(), "."]) {
    const root = join(folder, split);
    if (!await isFolder(root)) continue;
    for (const id of await listFolder(root)) {
      if (!await isFolder(join(root, id))) continue;
      const files = await listFolder(join(root, id));
      if (files.some((file) => REFUGE_MASK.exec(file)?.[1] === id)) return true;
    }
  }
  return false;
}
