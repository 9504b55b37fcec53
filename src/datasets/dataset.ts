// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { basename, dirname } from "node:path";
import { displayable } from "../displayable.ts";

/** One image with the masks of its raters, read from disk when asked for. */
export interface Case {
  /** Unique within its dataset. */
  id: string;
  /** The patient; data are split, and intervals drawn, by patient. */
  patient: string;
  /** The volume it is a slice of, and which, where all slices are cases. */
  slice?: { readonly volume: string; readonly index: number };
  /** Its data set, where several are evaluated together. */
  set?: string;
  /** Millimeters per pixel, where known: of pixels that are not square [between rows, between columns]. */
  spacing?: number | readonly [number, number];
  /** The raters who drew a mask, perhaps an empty one, in order. */
  raters: string[];
  /** Reads the image: [H, W, C], values 0..1, C = 1 or 3. */
  readImage(): Promise<NdArray<Float32Array>>;
  /**
   * Reads one rater's mask: [H, W], 0 or 1.
   *
   * @throws {RangeError} When there is no such rater, or the mask is of another size than the image.
   */
  readMask(rater: string): Promise<NdArray<Uint8Array>>;
}

/** A named list of cases. */
export interface Dataset {
  /** Its name in figures and tables. */
  name: string;
  /** In a fixed order. */
  cases: Case[];
  /**
   * Whether nobody knows who drew what: a rater's name is then not the same
   * person from one case to the next. Default false.
   */
  anonymous?: boolean;
  /**
   * Whether each image is a crop that somebody made around its object, so that
   * the whole of it is what to look at. Default false.
   */
  crops?: boolean;
  /**
   * The split of the cases. Undefined where there is none: then training and
   * evaluation in the same folder use the same cases.
   */
  split?: "train" | "val" | "test";
}

/**
 * Short names of folders, each another: the folder's own, with the one above it
 * where two have the same.
 */
function namesOf(folders: readonly string[]): string[] {
  const own = folders.map((folder) => basename(folder));
  return folders.map((folder, i) =>
    own.indexOf(own[i]) === own.lastIndexOf(own[i])
      ? own[i]
      : `${basename(dirname(folder))}/${own[i]}`
  );
}

/**
 * Joins several data sets to one. Cases keep their order and carry their set,
 * so that ids and patients stay apart. A rater's name means the same person in
 * all of them, unless one is anonymous.
 *
 * @param sets At least one, with its folder; a single one stays unchanged.
 * @returns The joined data set; of crops where all are.
 */
export function joinDatasets(
  sets: readonly { readonly folder: string; readonly dataset: Dataset }[],
): Dataset {
  if (sets.length === 1) return sets[0].dataset;
  const names = namesOf(sets.map(({ folder }) => folder));
  const all = sets.map(({ dataset }) => dataset);
  const splits = new Set(all.map(({ split }) => split));
  return displayable("dataset", {
    name: all.map(({ name }) => name).join("; "),
    cases: all.flatMap(({ cases }, i) =>
      cases.map((item) => ({
        ...item,
        set: names[i],
        id: `${names[i]}/${item.id}`,
        patient: `${names[i]}/${item.patient}`,
      }))
    ),
    anonymous: all.some(({ anonymous }) => anonymous),
    crops: all.every(({ crops }) => crops),
    split: splits.size === 1 ? all[0].split : undefined,
  });
}
