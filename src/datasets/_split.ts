import { basename, resolve } from "node:path";

/** The splits that a dataset may have. */
export const SPLITS = ["train", "val", "test"] as const;

/** One of them. */
export type Split = typeof SPLITS[number];

/** What a layout calls the folders of its splits, the preferred names first. */
export type SplitFolders = Record<Split, readonly string[]>;

/** The splits' folders where they have the splits' own names. */
export const OWN_NAMES: SplitFolders = {
  train: ["train"],
  val: ["val"],
  test: ["test"],
};

/**
 * Which of the names in a folder holds a split; undefined where it holds none of
 * the layout's splits, as it is one itself or has none.
 *
 * @throws {Deno.errors.NotFound} When there are other splits only.
 */
export function findSplit(
  folder: string,
  names: readonly string[],
  folders: SplitFolders,
  split: Split,
): string | undefined {
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
