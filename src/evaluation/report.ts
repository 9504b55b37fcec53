/** What an evaluation prints and writes. */

import { writeFileAtomic } from "../datasets/write_file.ts";
import { markdownTable, type Table } from "../table.ts";
import { resultsCSV } from "./results_csv.ts";
import { runsOf, type SavedEvaluation } from "./saved_evaluation.ts";
import { quantile } from "./statistics.ts";
import { summarize, summaryTable } from "./summary.ts";
import { ablationTable } from "./tables/ablation.ts";
import { carryTable } from "./tables/carry.ts";
import { comparisonTable } from "./tables/comparison.ts";
import { diceTargetsTable } from "./tables/dice_targets.ts";
import { ratersTable } from "./tables/raters.ts";
import { sampleSetTable } from "./tables/sample_set.ts";

/** The tables that were asked for; Dice by iteration where none was. */
function tablesOf(saved: SavedEvaluation): Table[] {
  const runs = runsOf(saved);
  const { seed, include, sampleSet, variants } = saved.settings;
  const { targets, perRater } = saved.tables;
  const carried = variants.includes("carried");
  const results = runs[variants[variants.length - 1]];
  const tables: Table[] = [];
  if (carried) tables.push(carryTable(runs[variants[0]], results, seed));
  else if (variants.length > 1) {
    tables.push(
      ablationTable(runs, seed),
      comparisonTable(runs, "last", seed),
    );
  }
  if (targets.length > 0) tables.push(diceTargetsTable(runs, targets, seed));
  if (perRater) tables.push(ratersTable(results, include, seed));
  if (sampleSet) tables.push(sampleSetTable(results, seed));
  if (tables.length > 0) return tables;
  return [summaryTable(summarize(results, seed))];
}

/** The tables in Markdown; a line that says so where there are no targets. */
function reportOf(saved: SavedEvaluation): string {
  const empty = Object.values(runsOf(saved)).some(({ length }) => length === 0);
  if (empty) return "no targets";
  return tablesOf(saved).map(markdownTable).join("\n\n");
}

/** One line: of what, how much, how fast. */
function headingOf(saved: SavedEvaluation): string {
  const runs = Object.values(runsOf(saved));
  const times = runs.flat().flatMap(({ iterations }) =>
    iterations.map(({ milliseconds }) => milliseconds / 1000)
  );
  const { include, user, method } = saved.settings;
  const targets = include
    ? `the majority of ${include.join(", ")}`
    : "each rater in turn";
  return [
    `${saved.dataset}: ${saved.cases.length} cases, ${runs[0].length} targets`,
    `${targets}, ${method ?? `${user} user`}`,
    ...(times.length > 0
      ? [`${quantile(times, 0.5).toFixed(3)} s per iteration`]
      : []),
    saved.engine,
  ].join("; ");
}

/**
 * An evaluation as the text of a file, by the file's ending: `.csv` has a row
 * per target and iteration, `.md` the printed tables, `.json` everything.
 */
function formatEvaluation(path: string, saved: SavedEvaluation): string {
  if (path.endsWith(".md")) return `${reportOf(saved)}\n`;
  if (path.endsWith(".csv")) return resultsCSV(runsOf(saved));
  return JSON.stringify(saved);
}

/** Prints an evaluation's tables and writes its files. */
export async function publish(
  saved: SavedEvaluation,
  paths: readonly string[],
): Promise<void> {
  console.log(`${headingOf(saved)}\n\n${reportOf(saved)}`);
  for (const path of paths) {
    const text = formatEvaluation(path, saved);
    await writeFileAtomic(path, new TextEncoder().encode(text));
  }
}
