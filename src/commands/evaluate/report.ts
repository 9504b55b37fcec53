/** What an evaluation prints and writes. */

import { writeFileAtomic } from "../../files.ts";
import { type Report, reportText, writeReport } from "./report_file.ts";
import { resultsCSV } from "./results_csv.ts";
import {
  runsOf,
  type SavedEvaluation,
} from "../../evaluation/saved_evaluation.ts";
import { sectionsOf } from "./sections.ts";
import { quantile } from "../../evaluation/statistics.ts";

/** The report of an evaluation that has targets. */
function reportOf(saved: SavedEvaluation): Report {
  return {
    title: `Evaluation on ${saved.dataset}`,
    lead: headingOf(saved),
    sections: sectionsOf(saved),
  };
}

/** One line: of what, how much, how fast. */
function headingOf(saved: SavedEvaluation): string {
  const runs = Object.values(runsOf(saved));
  const times = runs.flat().flatMap(({ iterations }) =>
    iterations.map(({ milliseconds }) => milliseconds / 1000)
  );
  const { include, user, rule, mixtureOnly, method } = saved.settings;
  const targets = include
    ? `the majority of ${include.join(", ")}`
    : "each rater in turn";
  return [
    `${saved.dataset}: ${saved.cases.length} cases, ${runs[0].length} targets`,
    `${targets}, ${method ?? `${user} user`}`,
    ...(rule === "m-step" ? ["training-free updates"] : []),
    ...(mixtureOnly ? ["the mixture alone carries choices"] : []),
    ...(times.length > 0
      ? [`${quantile(times, 0.5).toFixed(3)} s per iteration`]
      : []),
    saved.engine,
  ].join("; ");
}

/** Prints an evaluation's tables and writes its files; a line says so where there are no targets. */
export async function publish(
  saved: SavedEvaluation,
  paths: readonly string[],
): Promise<void> {
  const runs = runsOf(saved);
  const empty = Object.values(runs).some(({ length }) => length === 0);
  const report = empty ? undefined : reportOf(saved);
  console.log(
    `${headingOf(saved)}\n\n${report ? reportText(report) : "no targets"}`,
  );
  for (const path of paths) {
    if (path.endsWith(".json")) {
      await writeFileAtomic(path, JSON.stringify(saved));
    } else if (path.endsWith(".csv")) {
      await writeFileAtomic(path, resultsCSV(runs));
    } else if (report) await writeReport(path, report);
    else await writeFileAtomic(path, "no targets\n");
  }
}
