import { basename, dirname } from "node:path";
import { displayable } from "../displayable.ts";
import type { Dataset } from "./dataset.ts";

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
 * Several data sets as one, whose cases keep their order and are known by their
 * set: ids and patients are told apart. A rater's name is taken for the same
 * person in all of them, unless one is anonymous.
 *
 * @param sets At least one, with its folder; one by itself stays as it is.
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
