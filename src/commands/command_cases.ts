/** The cases and raters that a command's options name. */

import type { CommandLine } from "./command_line.ts";
import type { Split } from "../datasets/_split.ts";
import { MAX_VOXELS } from "../formats/_volume_header.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { openDataset } from "../datasets/open_dataset.ts";

/** The raters that `--include` or `--exclude` names. */
export function readRaters(
  line: CommandLine,
  option: "include" | "exclude",
): string[] | undefined {
  const names = line.text(option)?.split(",");
  return names && [...new Set(names.map((name) => name.trim()))];
}

/**
 * A line for whoever would train and evaluate on the same cases with this
 * folder; undefined where its cases are of the split that was asked for.
 */
export function splitNote(
  { name, split }: Dataset,
  asked: Split,
): string | undefined {
  if (split === undefined) {
    return `${name}: these cases have no split: training and evaluation would use the same ones; folders train and val, or "split" in cases.json, part them`;
  }
  if (split === asked || (split !== "train" && asked !== "train")) {
    return undefined;
  }
  return `${name}: this folder is split ${split} itself, not ${asked}: training and evaluation would use the same cases`;
}

/**
 * The dataset of a folder, `--data`, with `--task`, `--structure` and `--max-voxels`. What is to be said of its
 * split goes to stderr, as tables may go to stdout.
 *
 * @throws {RangeError} When there is no `--data`, or `--include` or `--exclude`
 * names somebody who is none of its raters.
 */
export async function openCases(
  line: CommandLine,
  split: Split,
  folder = line.text("data"),
): Promise<Dataset> {
  if (folder === undefined) throw line.refuse("--data must be given", "none");
  const dataset = await openDataset(folder, {
    split,
    task: line.integer("task", 1, { min: 1, max: 99 }),
    structure: line.oneOf("structure", ["cup", "disc"], "cup"),
    maxVoxels: line.integer("max-voxels", MAX_VOXELS, { min: 1, max: 2 ** 31 }),
  });
  const raters = new Set(dataset.cases.flatMap((item) => item.raters));
  for (const option of ["include", "exclude"] as const) {
    const unknown = readRaters(line, option)?.find((name) => !raters.has(name));
    if (unknown === undefined) continue;
    throw line.refuse(
      `--${option} must name raters of the data, ${[...raters].join(", ")}`,
      unknown,
    );
  }
  const note = splitNote(dataset, split);
  if (note !== undefined) console.error(note);
  return dataset;
}
