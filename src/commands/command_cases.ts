/** The cases and raters that a command's options name. */

import type { CommandLine, Option, Options } from "./command_line.ts";
import type { Split } from "../datasets/_split.ts";
import { MAX_VOXELS } from "../formats/_bytes.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { LEAST_PART } from "../evaluation/targets.ts";
import { openDataset } from "../datasets/open_dataset.ts";

/** The options that name data sets and what to read of them. */
export const DATA_OPTIONS = {
  data: {
    value: "FOLDER",
    repeated: true,
    help:
      "multi-rater cases (LIDC crops, QUBIQ, REFUGE2, or CASE/image.* with CASE/rater*.*)",
  },
  task: {
    value: "N",
    min: 1,
    max: 99,
    default: 1,
    help: "which structure of QUBIQ",
  },
  structure: {
    words: ["cup", "disc"],
    default: "cup",
    help: "which structure of REFUGE2",
  },
  "max-voxels": {
    value: "N",
    min: 1,
    max: 2 ** 31,
    default: MAX_VOXELS,
    help: "the largest volume that is read",
  },
} as const satisfies Options;

/** The `--parts` of a command. */
export const PARTS: Option = {
  help:
    `every separate part of a mask, of ${LEAST_PART} pixels or more, is a target`,
};

/** The raters that `--include` or `--exclude` names. */
export function readRaters(
  line: CommandLine,
  option: "include" | "exclude",
): string[] | undefined {
  const names = line.text(option)?.split(",");
  return names && [...new Set(names.map((name) => name.trim()))];
}

/**
 * A warning that training and evaluation would use the same cases, as the
 * folder has no splits or is another split itself; undefined where they would
 * not.
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

/** A data set, and the folder it was opened from. */
export interface OpenedCases {
  readonly folder: string;
  readonly dataset: Dataset;
}

/**
 * The data sets of every `--data`, with `--task`, `--structure` and
 * `--max-voxels`. Warnings about their splits go to stderr, as tables may go to
 * stdout.
 *
 * @throws {RangeError} When `--include` or `--exclude` names a rater that none
 * of them has.
 */
export async function openCases(
  line: CommandLine,
  split: Split,
): Promise<OpenedCases[]> {
  const opened: OpenedCases[] = [];
  for (const folder of line.texts("data")) {
    const dataset = await openDataset(folder, {
      split,
      task: line.integer("task"),
      structure: line.oneOf("structure", DATA_OPTIONS.structure.words),
      maxVoxels: line.integer("max-voxels"),
    });
    opened.push({ folder, dataset });
  }
  const raters = new Set(
    opened.flatMap(({ dataset }) =>
      dataset.cases.flatMap((item) => item.raters)
    ),
  );
  for (const option of ["include", "exclude"] as const) {
    if (!line.knows(option)) continue;
    const unknown = readRaters(line, option)?.find((name) => !raters.has(name));
    if (unknown === undefined || opened.length === 0) continue;
    throw line.refuse(
      `--${option} must name raters of the data, ${[...raters].join(", ")}`,
      unknown,
    );
  }
  for (const { dataset } of opened) {
    const note = splitNote(dataset, split);
    if (note !== undefined) console.error(note);
  }
  return opened;
}
