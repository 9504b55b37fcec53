import { basename, join } from "node:path";
import {
  CASE_TYPES,
  type CaseOptions,
  fileCase,
  isFolder,
  listFolder,
} from "./_file_case.ts";
import { findSplit, splitNamed } from "./_split.ts";
import { displayable } from "../displayable.ts";
import type { Case, Dataset } from "./dataset.ts";
import { checkOptions } from "../options.ts";
import { InputError } from "../input_error.ts";

const MASK = /^(.+)_seg_(cup|disc)_(\d+)(_cropped)?\.(jpe?g|png|tiff?)$/i;
const SPLITS = {
  train: ["Training-400"],
  val: ["Validation-400", "Test-400"],
  test: ["Test-400"],
};

/** Options of {@linkcode refuge2}. */
export interface Refuge2Options extends CaseOptions {
  /** Which split, where the folder has several: "train" is `Training-400`; "val", the default, `Validation-400` or, where that is missing, `Test-400`; "test" is `Test-400`. */
  split?: "train" | "val" | "test";
  /** Which structure. Default: "cup". */
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
  const splitFolder = findSplit(folder, names, SPLITS, split);
  const root = splitFolder ? join(folder, splitFolder) : folder;
  const cases: Case[] = [];
  for (const id of await listFolder(root)) {
    if (!await isFolder(join(root, id))) continue;
    const files = await listFolder(join(root, id));
    const found = files.map((file) => ({ file, match: MASK.exec(file) }))
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
    split: splitFolder ? split : splitNamed(folder, SPLITS),
  });
}

/** Whether a folder has the layout of {@linkcode refuge2}: one case is enough, wherever it is in the order. */
export async function isRefuge2(folder: string): Promise<boolean> {
  for (const split of [...Object.values(SPLITS).flat(), "."]) {
    const root = join(folder, split);
    if (!await isFolder(root)) continue;
    for (const id of await listFolder(root)) {
      if (!await isFolder(join(root, id))) continue;
      const files = await listFolder(join(root, id));
      if (files.some((file) => MASK.exec(file)?.[1] === id)) return true;
    }
  }
  return false;
}
