/** The cases and raters that a command's options name. */

import type { CommandLine } from "../command_line.ts";
import type { Dataset } from "./dataset.ts";
import { openDataset } from "./open_dataset.ts";

/** The raters that `--include` or `--exclude` names. */
export function readRaters(
  line: CommandLine,
  option: "include" | "exclude",
): string[] | undefined {
  const names = line.text(option)?.split(",");
  return names && [...new Set(names.map((name) => name.trim()))];
}

/**
 * The dataset of `--data`, `--task` and `--structure`.
 *
 * @throws {RangeError} When there is no `--data`, or `--include` or `--exclude`
 * names somebody who is none of its raters.
 */
export async function openCases(
  line: CommandLine,
  split: "train" | "val",
): Promise<Dataset> {
  const folder = line.text("data");
  if (folder === undefined) throw line.refuse("--data must be given", "none");
  const dataset = await openDataset(folder, {
    split,
    task: line.integer("task", 1, { min: 1, max: 99 }),
    structure: line.oneOf("structure", ["cup", "disc"], "cup"),
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
  return dataset;
}
