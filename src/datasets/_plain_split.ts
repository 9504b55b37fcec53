/** The splits of the plain layout. */

import { join } from "node:path";
import type { CaseEntry } from "./_case_list.ts";
import { isFolder, listFolder } from "./_file_case.ts";
import {
  findSplit,
  OWN_NAMES,
  type Split,
  splitNamed,
  SPLITS,
} from "./_split.ts";

/** An image's name in a case's folder. */
export const IMAGE = /^image(\.(png|jpe?g|tiff?|nii|nii\.gz|dcm|npy|npz))?$/i;
/** A mask's name there, and its rater's. */
export const RATER =
  /^rater[_-]?(.+?)\.(png|jpe?g|tiff?|nii|nii\.gz|dcm|npy|npz)$/i;

/**
 * The folder that holds a split's cases, and the split that it is by its name:
 * a folder of splits has that of the asked one; any other is taken as it is.
 *
 * @throws {Deno.errors.NotFound} When there are other splits only.
 */
export async function openSplit(
  folder: string,
  split: Split,
): Promise<{ root: string; named?: Split }> {
  const splits: string[] = [];
  for (const name of await listFolder(folder)) {
    const known = SPLITS.some((split) => split === name);
    if (known && await hasCases(join(folder, name))) splits.push(name);
  }
  const found = findSplit(folder, splits, OWN_NAMES, split);
  return found === undefined
    ? { root: folder, named: splitNamed(folder, OWN_NAMES) }
    : { root: join(folder, found), named: split };
}

/** Whether a folder holds a case, and is none itself. */
async function hasCases(folder: string): Promise<boolean> {
  const isCase = (files: string[]) =>
    files.some((file) => IMAGE.test(file)) &&
    files.some((file) => RATER.test(file));
  if (!await isFolder(folder)) return false;
  const names = await listFolder(folder);
  if (isCase(names)) return false;
  for (const name of names) {
    const path = join(folder, name);
    if (await isFolder(path) && isCase(await listFolder(path))) return true;
  }
  return false;
}

/**
 * The split of each case by `cases.json`; undefined where it tells none. What it
 * tells must part the data: every case is of one split, and every patient too.
 *
 * @throws {RangeError} When a case has no split or one of another name, or a patient two.
 */
export function listedSplits(
  ids: readonly string[],
  list: ReadonlyMap<string, CaseEntry>,
  folder: string,
): Map<string, Split> | undefined {
  if (list.values().every(({ split }) => split === undefined)) return undefined;
  const refuse = (rule: string, value: string) =>
    new RangeError(
      `Cannot open dataset as ${rule} in ${
        join(folder, "cases.json")
      }: current value is ${value}`,
    );
  const splits = new Map<string, Split>();
  const patients = new Map<string, Split>();
  for (const id of ids) {
    const entry = list.get(id);
    const split = SPLITS.find((name) => name === entry?.split);
    if (split === undefined) {
      throw refuse(
        `case ${id} must have the split train, val or test, as others have one,`,
        entry?.split ?? "none",
      );
    }
    splits.set(id, split);
    const patient = entry?.patient ?? id;
    const other = patients.get(patient) ?? split;
    if (other !== split) {
      throw refuse(
        `all cases of patient ${patient} must be of one split`,
        `${other} and ${split}`,
      );
    }
    patients.set(patient, split);
  }
  return splits;
}
