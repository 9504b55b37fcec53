import { basename, join } from "node:path";
import {
  CASE_TYPES,
  type CaseOptions,
  isFolder,
  listFolder,
} from "./_file_case.ts";
import { findSplit, splitNamed } from "./_split.ts";
import { VolumeCache } from "./_volume_cases.ts";
import { volumeCases } from "./_volume_cases.ts";
import { displayable } from "../displayable.ts";
import type { Case, Dataset } from "./dataset.ts";
import { checkOptions } from "../options.ts";
import { InputError } from "../input_error.ts";

const MASK = /^task(\d+)_seg(\d+)\.nii(\.gz)?$/;
const IMAGE = /^image\.nii(\.gz)?$/;
const SPLITS = { train: ["Training"], val: ["Validation"], test: ["Testing"] };

/** Options of {@linkcode qubiq}. */
export interface QubiqOptions extends CaseOptions {
  /** Which split, where the folder has `Training`, `Validation` or `Testing`; it defaults to "val". */
  split?: "train" | "val" | "test";
  /** Which of the structures that were segmented. Default: 1. */
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
  const splitFolder = findSplit(folder, names, SPLITS, split);
  const root = splitFolder ? join(folder, splitFolder) : folder;
  const cache = new VolumeCache();
  const cases: Case[] = [];
  for (const id of await listFolder(root)) {
    if (!await isFolder(join(root, id))) continue;
    const files = await listFolder(join(root, id));
    const masks = new Map<string, string>();
    for (const file of files) {
      const [, itsTask, rater] = MASK.exec(file) ?? [];
      if (Number(itsTask) !== task) continue;
      masks.set(String(Number(rater)), join(root, id, file));
    }
    if (masks.size === 0) continue;
    const image = files.find((file) => IMAGE.test(file));
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
    split: splitFolder ? split : splitNamed(folder, SPLITS),
  });
}

/** Whether a folder has the layout of {@linkcode qubiq}: one case is enough, wherever it is in the order. */
export async function isQubiq(folder: string): Promise<boolean> {
  for (const split of [...Object.values(SPLITS).flat(), "."]) {
    const root = join(folder, split);
    if (!await isFolder(root)) continue;
    for (const id of await listFolder(root)) {
      if (!await isFolder(join(root, id))) continue;
      const files = await listFolder(join(root, id));
      if (files.some((file) => MASK.test(file))) return true;
    }
  }
  return false;
}
