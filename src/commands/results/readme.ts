import {
  runsOf,
  type SavedEvaluation,
} from "../../evaluation/saved_evaluation.ts";
import { summarize } from "../../evaluation/summary.ts";
import { markdownTable } from "../../table.ts";

/** What stands around README's table. */
const BEGIN = "<!-- results: written by deno task results -->";
const END = "<!-- end of results -->";

/** Its rows: what they are called, and of which study. */
const ROWS = {
  "`tiny`: lung nodules, crops": "lidc-whole",
  "`tiny`: lung nodules in 512 x 512": "lidc-pad512",
  "`tiny`: nerves": "tiny-nerves",
  "`small`: lung nodules": "small-lidc",
  "`small`: single cells": "small-cells",
  "`small`: nerves": "small-nerves",
  "`small`: vessels": "small-vessels",
  "`small`: hippocampus": "small-hippocampus",
  "`small`: brain growth (never seen)": "small-qubiq",
};

/**
 * README with its table made again, of the studies that there are.
 *
 * @param text README.
 * @param records Records by study.
 * @returns The text; undefined where README has no place for it, or there is no
 * record.
 */
export function fillReadme(
  text: string,
  records: ReadonlyMap<string, SavedEvaluation>,
): string | undefined {
  const from = text.indexOf(BEGIN), to = text.indexOf(END);
  if (from < 0 || to < from) return undefined;
  const rows = Object.entries(ROWS).flatMap(([name, id]) => {
    const saved = records.get(id);
    if (!saved) return [];
    const results = Object.values(runsOf(saved)).at(-1)!;
    const means = summarize(results, saved.settings.seed);
    return [[name, results.length, ...[0, 2, 5].map((i) => means[i]?.dice)]];
  });
  if (rows.length === 0) return undefined;
  const table = markdownTable({
    columns: [
      { heading: "Dice at iteration" },
      { heading: "targets" },
      ...["1", "3", "6"].map((heading) => ({ heading, digits: 3 })),
    ],
    rows,
  });
  return `${text.slice(0, from)}${BEGIN}\n\n${table}\n\n${text.slice(to)}`;
}
