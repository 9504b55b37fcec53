import { basename, dirname, join } from "node:path";
import {
  CASE_TYPES,
  type CaseOptions,
  isFolder,
  listFolder,
} from "./_file_case.ts";
import { findSplit, OWN_NAMES, type Split, SPLITS } from "./_split.ts";
import type { Dataset } from "./dataset.ts";
import {
  folderDataset,
  isQubiq,
  isRefuge2,
  lidcCrops,
  qubiq,
  refuge2,
} from "./layouts.ts";
import { checkOptions } from "../options.ts";

/** Options of {@linkcode openDataset}. */
export interface OpenDatasetOptions extends CaseOptions {
  /**
   * The split of a folder that has several. Default: "val"; QUBIQ and REFUGE2
   * have folders for these under other names.
   */
  split?: "train" | "val" | "test";
  /** The structure of QUBIQ. Default: 1. */
  task?: number;
  /** The structure of REFUGE2. Default: "cup". */
  structure?: "cup" | "disc";
}

/**
 * Opens a folder of cases in whichever layout it has: that of
 * {@linkcode lidcCrops}, {@linkcode qubiq} or {@linkcode refuge2} (the folder
 * with the splits, or one split itself), or the plain one of
 * {@linkcode folderDataset}. What the dataset's `split` says is which it is: a
 * folder that is one split itself, or has none, is opened whatever is asked for.
 *
 * @param folder The dataset's folder.
 * @param options Which split and structure, how images are read, and what counts as inside in masks; the LIDC crops' are read as they are.
 * @returns Its cases, and their split; images and masks are read when asked for.
 * @throws As these four: `Deno.errors.NotFound` when the folder or a file is missing, RangeError when there are no cases.
 *
 * @example Read an image and the mask of a rater
 * ```ts
 * import { openDataset } from "@spa-seg/spa/datasets";
 *
 * const { cases } = await openDataset("data/phantoms");
 * const [{ raters }] = cases;
 * const image = await cases[0].readImage(); // [128, 128, 3]
 * const mask = await cases[0].readMask(raters[0]); // [128, 128]
 * ```
 */
export async function openDataset(
  folder: string,
  given: OpenDatasetOptions = {},
): Promise<Dataset> {
  checkOptions("open dataset", given, {
    ...CASE_TYPES,
    ...{ task: "number", structure: "string" },
  });
  const { split = "val", task, structure, ...options } = given;
  await listFolder(folder); // A missing folder is an error before any layout is tried.
  const crops: Split[] = [];
  for (const name of SPLITS) {
    if (await isFolder(join(folder, name, "images"))) crops.push(name);
  }
  if (findSplit(folder, crops, OWN_NAMES, split) !== undefined) {
    return await lidcCrops(folder, { split });
  }
  const own = SPLITS.find((name) => name === basename(folder));
  if (
    own && await isFolder(join(folder, "images")) &&
    await isFolder(join(folder, "gt"))
  ) {
    return await lidcCrops(dirname(folder), { split: own });
  }
  if (await isQubiq(folder)) {
    return await qubiq(folder, { split, task, ...options });
  }
  if (await isRefuge2(folder)) {
    return await refuge2(folder, { split, structure, ...options });
  }
  return await folderDataset(folder, { split, ...options });
}
