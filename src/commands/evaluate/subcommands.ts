/** `deno task evaluate agreement`, `merge` and `compare`. */

import { InputError } from "../../input_error.ts";
import { findDifference } from "../../same_settings.ts";
import { CommandLine } from "../command_line.ts";
import { markdownTable } from "../../table.ts";
import {
  AGREEMENT,
  COMPARE,
  MERGE,
  readCases,
  readOuts,
  readTables,
  REPORTS,
} from "./options.ts";
import {
  agreementTable,
  raterAgreement,
} from "../../evaluation/rater_agreement.ts";
import {
  publish,
  type Report,
  reportText,
  resultsCSV,
  writeReport,
} from "./publish.ts";
import { targetSections, variantSections } from "./sections.ts";
import {
  mergeEvaluations,
  readEvaluation,
  type Runs,
  runsOf,
  type SavedEvaluation,
} from "../../evaluation/saved_evaluation.ts";
import { basename } from "node:path";
import { writeFileAtomic } from "../../files.ts";
import { savingsTable, secondsTable } from "../../evaluation/tables.ts";

/** `deno task evaluate agreement`: how the raters of a dataset agree. */
export async function agreementCommand(args: readonly string[]): Promise<void> {
  const line = new CommandLine(AGREEMENT, args);
  if (line.help) return console.log(line.help);
  const dataset = await readCases(line);
  const agreements = await raterAgreement(dataset);
  if (agreements.length === 0) {
    throw line.refuse(
      "a case must have masks of two raters at least",
      `none in ${dataset.name}`,
    );
  }
  console.log(`${dataset.name}: ${dataset.cases.length} cases\n`);
  console.log(markdownTable(agreementTable(agreements)));
}

/**
 * `deno task evaluate merge`: joins the shards of an evaluation, or evaluations
 * of one rater each, and reports them as if they had been one run. A whole evaluation may be given as well, for other
 * tables of it.
 */
export async function mergeCommand(args: readonly string[]): Promise<void> {
  const line = new CommandLine(MERGE, args);
  if (line.help) return console.log(line.help);
  const outs = await readOuts(line);
  const saved = mergeEvaluations(
    await Promise.all(line.files.map(readEvaluation)),
  );
  const tables = line.has("targets") ? readTables(line) : saved.tables;
  await publish({ ...saved, tables }, outs);
}

/** Throws unless two evaluations have the same targets, with the same clicks. */
function checkTargets(one: SavedEvaluation, other: SavedEvaluation): void {
  const asked = ({ dataset, cases, settings }: SavedEvaluation) => ({
    "data set": dataset,
    cases,
    "--include": settings.include ?? "none",
    "--seed": settings.seed,
    "--iterations": settings.iterations,
  });
  const found = findDifference(asked(one), asked(other), {}, String);
  if (!found) return;
  throw new InputError(
    `Cannot compare as all evaluations must have the same ${found.name}, ${found.was}: current value is ${found.is}`,
  );
}

/** All runs, by the names of their evaluations, and of the variant where there are several. */
export function joinRuns(
  evaluations: readonly (readonly [string, SavedEvaluation])[],
): Runs {
  const [[, one]] = evaluations;
  const runs: Record<string, Runs[string]> = {};
  for (const [name, saved] of evaluations) {
    checkTargets(one, saved);
    for (const [variant, results] of Object.entries(runsOf(saved))) {
      const done = saved.done[variant].length;
      if (done < saved.cases.length) {
        throw new InputError(
          `Cannot compare as all cases of ${name} must be done: current value is ${done} of ${saved.cases.length}`,
        );
      }
      const own = saved.settings.variants.length > 1
        ? `${name} ${variant}`
        : name;
      if (own in runs) {
        throw new InputError(
          `Cannot compare as all files must have different names: current value is ${own} twice`,
        );
      }
      runs[own] = results;
    }
  }
  return runs;
}

/**
 * `deno task evaluate compare`: Dice by iteration of several evaluations of the
 * same cases, as of different methods, their IoU and HD95, paired differences at
 * the first and the last iteration, seconds per iteration, and iterations to Dice
 * targets where they are given.
 */
export async function compareCommand(args: readonly string[]): Promise<void> {
  const line = new CommandLine(COMPARE, args);
  if (line.help) return console.log(line.help);
  const outs = await readOuts(line, ["csv", ...REPORTS]);
  if (line.files.length < 2) {
    throw line.refuse("there must be two files at least", line.files.length);
  }
  const { targets } = readTables(line);
  const evaluations = await Promise.all(
    line.files.map(async (file) =>
      [basename(file, ".json"), await readEvaluation(file)] as const
    ),
  );
  const runs = joinRuns(evaluations);
  const [[, { dataset }]] = evaluations;
  const report: Report = {
    title: `Comparison on ${dataset}`,
    lead: `Methods: ${Object.keys(runs).join(", ")}`,
    sections: [
      ...variantSections(runs, ["first", "last"]),
      {
        heading: "Seconds per iteration",
        table: secondsTable(runs),
      },
      ...targetSections(runs, targets),
      ...(targets.length > 0
        ? [{
          heading: "Interactions saved",
          table: savingsTable(runs, targets),
        }]
        : []),
    ],
  };
  console.log(reportText(report));
  for (const path of outs) {
    if (path.endsWith(".csv")) await writeFileAtomic(path, resultsCSV(runs));
    else await writeReport(path, report);
  }
}
