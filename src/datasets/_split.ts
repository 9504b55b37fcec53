import { basename, join, resolve } from "node:path";
import { ifThere } from "../files.ts";
import { isFolder, listFolder } from "./_file_case.ts";
import { InputError, InputTypeError } from "../input_error.ts";

/** The splits that a dataset may have. */
export const SPLITS = ["train", "val", "test"] as const;

/** One of them. */
export type Split = typeof SPLITS[number];

/** The names of the folders of a layout's splits, the preferred ones first. */
export type SplitFolders = Record<Split, readonly string[]>;

/** The splits' folders where they have the splits' own names. */
export const OWN_NAMES: SplitFolders = {
  train: ["train"],
  val: ["val"],
  test: ["test"],
};

/**
 * Finds the name in a folder that holds a split; undefined where the folder
 * holds none of the layout's splits, as it is one itself or has none.
 *
 * @throws {Deno.errors.NotFound} When there are other splits only.
 * @throws {RangeError} When there is no such split.
 */
export function findSplit(
  folder: string,
  names: readonly string[],
  folders: SplitFolders,
  split: Split,
): string | undefined {
  if (!SPLITS.includes(split)) {
    throw new InputError(
      `Cannot open dataset as split must be train, val or test: current value is ${split}`,
    );
  }
  const found = folders[split].find((name) => names.includes(name));
  if (found !== undefined) return found;
  const others = new Set(Object.values(folders).flat());
  const there = names.filter((name) => others.has(name));
  if (there.length === 0) return undefined;
  throw new Deno.errors.NotFound(
    `Cannot open dataset as split ${split} must be in ${folder} as ${
      folders[split].join(" or ")
    }: current value has ${there.join(", ")}`,
  );
}

/** The split that a folder is, by its own name; undefined for another name. */
export function splitNamed(
  folder: string,
  folders: SplitFolders,
): Split | undefined {
  const name = basename(resolve(folder));
  // A name may stand in for a split that is missing: its own counts.
  return SPLITS.find((split) => folders[split][0] === name);
}

/** The splits of the plain layout. */

/** An image's name in a case's folder. */
export const IMAGE = /^image(\.(png|jpe?g|tiff?|nii|nii\.gz|dcm|npy|npz))?$/i;
/** A mask's name there, and its rater's. */
export const RATER =
  /^rater[_-]?(.+?)\.(png|jpe?g|tiff?|nii|nii\.gz|dcm|npy|npz)$/i;

/**
 * The folder that holds a split's cases, and the split that it is by its name:
 * the folder of the asked split, or the given folder where it holds no splits.
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
 * The split of each case by `cases.json`; undefined where it has none. The
 * splits must part the data: every case and every patient is of one split.
 *
 * @throws {RangeError} When a case has no split or one of another name, or a
 * patient two.
 */
export function listedSplits(
  ids: readonly string[],
  list: ReadonlyMap<string, CaseEntry>,
  folder: string,
): Map<string, Split> | undefined {
  if (list.values().every(({ split }) => split === undefined)) return undefined;
  const refuse = (rule: string, value: string) =>
    new InputError(
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

/** The facts about a case in `cases.json`. */
export interface CaseEntry {
  case: string;
  patient?: string;
  /** "train", "val" or "test", if it is valid. */
  split?: string;
  /** Millimeters per pixel. */
  pixel_spacing_mm?: number;
}

/**
 * Reads `cases.json` of a dataset's folder, by the cases' names; a dataset
 * without that file has an empty map.
 */
export async function readCaseList(
  folder: string,
): Promise<Map<string, CaseEntry>> {
  const path = join(folder, "cases.json");
  const text = await ifThere(Deno.readTextFile(path));
  if (text === undefined) return new Map();
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(
      `Cannot open dataset as ${path} must be JSON: current value is ${
        text.slice(0, 40)
      }`,
      { cause },
    );
  }
  if (
    !Array.isArray(entries) ||
    !entries.every((entry) => typeof entry?.case === "string")
  ) {
    throw new InputTypeError(
      `Cannot open dataset as ${path} must be a list of objects with a "case": current value is ${
        text.slice(0, 40)
      }`,
    );
  }
  return new Map(entries.map((entry: CaseEntry) => [entry.case, entry]));
}
