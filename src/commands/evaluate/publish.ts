/**
 * What an evaluation tells: tables, the figures that go with them, and the
 * files they are written to.
 */

import {
  differencesFigure,
  evaluationFigure,
  ratersFigure,
  targetsFigure,
  variantsFigure,
} from "../../figures/evaluation_figures.ts";
import { markdownTable, type Table } from "../../table.ts";
import {
  type Runs,
  runsOf,
  type SavedEvaluation,
} from "../../evaluation/saved_evaluation.ts";
import { summarize, summaryTable } from "../../evaluation/summary.ts";
import {
  ablationTable,
  carryTable,
  comparisonTable,
  diceTargetsTable,
  overlapTable,
  ratersTable,
  sampleSetTable,
} from "../../evaluation/tables.ts";
import { writeFileAtomic } from "../../files.ts";
import { reportHTML } from "../../figures/report.ts";
import {
  type Figure,
  stackFigures,
  writeFigure,
} from "../../figures/figure.ts";
import { csvText } from "../../csv.ts";
import type { TargetResult } from "../../evaluation/evaluate.ts";
import { quantile } from "../../evaluation/statistics.ts";

/** A table and what it looks like. */
export interface Section {
  readonly heading: string;
  readonly table: Table;
  /** Drawn only where it is wanted. */
  readonly figure?: () => Figure;
  /** Whether the table is printed; some stand with their figures alone. */
  readonly printed: boolean;
}

/** IoU and HD95 of the recommendation, or nothing of results that were saved before they were measured. */
function overlapSections(runs: Runs, printed: boolean, seed = 0): Section[] {
  const all = Object.values(runs);
  const known = all.flat().some(({ iterations: [first] }) =>
    first?.iou !== undefined
  );
  if (!known) return [];
  return [{
    heading: `IoU and HD95 ${
      all.length > 1 ? "at the last iteration" : "by iteration"
    }`,
    table: overlapTable(runs, seed),
    printed,
  }];
}

/** Dice by iteration of several variants or methods, and their differences. */
export function variantSections(
  runs: Runs,
  at: readonly ("first" | "last")[],
  seed = 0,
): Section[] {
  return [
    {
      heading: "Dice by iteration",
      table: ablationTable(runs, seed),
      figure: () => variantsFigure(runs),
      printed: true,
    },
    ...overlapSections(runs, true, seed),
    ...at.map((which): Section => ({
      heading: `Paired differences at the ${which} iteration`,
      table: comparisonTable(runs, which, seed),
      figure: which === "last" ? () => differencesFigure(runs) : undefined,
      printed: true,
    })),
  ];
}

/** Iterations to a Dice, or nothing where no Dice was asked for. */
export function targetSections(
  runs: Runs,
  dices: readonly number[],
  seed = 0,
): Section[] {
  if (dices.length === 0) return [];
  return [{
    heading: "Iterations to a Dice",
    table: diceTargetsTable(runs, dices, seed),
    figure: () => targetsFigure(runs, dices),
    printed: true,
  }];
}

/** Dice without and with the profile of the image before, on the same targets. */
function carrySection(runs: Runs, names: readonly string[], seed: number) {
  const [fresh, carried] = names.map((name) => runs[name]);
  const later = carried.filter((result) => result.carried);
  const key = (result: { case: string; rater: string }) =>
    JSON.stringify([result.case, result.rater]);
  const known = new Set(later.map(key));
  const pairs = {
    "without profile": fresh.filter((result) => known.has(key(result))),
    "with profile": later,
  };
  return {
    heading: "A user's profile from image to image",
    table: carryTable(fresh, carried, seed),
    figure: later.length > 0 ? () => variantsFigure(pairs) : undefined,
    printed: true,
  };
}

/** All that an evaluation was asked for; Dice, IoU and HD95 by iteration in any case. */
export function sectionsOf(saved: SavedEvaluation): Section[] {
  const runs = runsOf(saved);
  const { seed, include, sampleSet, variants } = saved.settings;
  const { targets, perRater } = saved.tables;
  const results = runs[variants[variants.length - 1]];
  const asked: Section[] = [];
  if (variants.includes("carried")) {
    asked.push(carrySection(runs, variants, seed));
    asked.push(...overlapSections(runs, false, seed));
  } else if (variants.length > 1) {
    asked.push(...variantSections(runs, ["last"], seed));
  }
  asked.push(...targetSections(runs, targets, seed));
  if (perRater) {
    asked.push({
      heading: include
        ? "Raters in the target and not"
        : "The user's own mask and the others'",
      table: ratersTable(results, include, seed),
      figure: () => ratersFigure(results, include),
      printed: true,
    });
  }
  if (sampleSet) {
    asked.push({
      heading: "Samples of the first proposal",
      table: sampleSetTable(results, seed),
      printed: true,
    });
  }
  if (variants.length > 1) return asked;
  const printed = asked.length === 0;
  return [
    {
      heading: "Dice by iteration",
      table: summaryTable(summarize(results, seed)),
      figure: () => evaluationFigure(results),
      printed,
    },
    ...overlapSections(runs, printed, seed),
    ...asked,
  ];
}

/** What a report says. */
export interface Report {
  readonly title: string;
  /** One line: of what, how much, how fast. */
  readonly lead: string;
  readonly sections: readonly Section[];
}

/** The printed tables, in Markdown. */
export function reportText({ sections }: Report): string {
  return sections.filter(({ printed }) => printed)
    .map(({ table }) => markdownTable(table)).join("\n\n");
}

/** A report as text: `.html` has figures and tables, `.md` the printed tables. */
async function formatReport(path: string, report: Report): Promise<string> {
  if (path.endsWith(".md")) return `${reportText(report)}\n`;
  const { title, lead, sections } = report;
  return await reportHTML({
    title,
    lead,
    sections: sections.map(({ heading, table, figure }) => ({
      heading,
      table,
      figures: figure ? [{ figure: figure() }] : [],
    })),
    footer:
      "Bands and whiskers are 95 % intervals by a bootstrap over patients; p is Wilcoxon's signed-rank test over patients' mean differences, not corrected for several comparisons.",
  });
}

/** Writes a report; to `.svg` and `.png` the figures, one under the other. */
export async function writeReport(path: string, report: Report): Promise<void> {
  if (path.endsWith(".svg") || path.endsWith(".png")) {
    const { sections } = report;
    const figures = sections.flatMap(({ figure }) => figure ? [figure()] : []);
    return await writeFigure(path, stackFigures(figures));
  }
  await writeFileAtomic(path, await formatReport(path, report));
}

/**
 * Results as CSV: a row per variant, target and iteration, with IoU and HD95 of
 * the recommendation (each unit has a column of its own, so that nobody averages
 * over both), the Dice with each rater and the metrics of the first proposal's
 * samples where known.
 */
export function resultsCSV(runs: Runs): string {
  const all = Object.values(runs).flat();
  const raters = namesIn(all, ({ iterations: [first] }) => first?.raters);
  const metrics = namesIn(all, ({ sampleSet }) => sampleSet);
  const rows = Object.entries(runs).flatMap(([variant, targets]) =>
    targets.flatMap((target) =>
      target.iterations.map((iteration, i) => {
        const { dice, iou, hd95, best, spread, milliseconds } = iteration;
        const [mm, px] = target.spacing ? [hd95, undefined] : [undefined, hd95];
        const samples: Readonly<Record<string, number>> =
          i === 0 && target.sampleSet ? { ...target.sampleSet } : {};
        return [
          ...[variant, target.case, target.patient, target.rater, i + 1],
          ...[dice, best, spread].map((value) => value.toFixed(6)),
          milliseconds.toFixed(2),
          ...[iou, mm, px].map((value) => value?.toFixed(6) ?? ""),
          ...raters.map((name) => iteration.raters?.[name]?.toFixed(6) ?? ""),
          ...metrics.map((name) => samples[name]?.toFixed(6) ?? ""),
        ];
      })
    )
  );
  const headings = [
    ..."variant,case,patient,rater,iteration,dice,best,spread,ms".split(","),
    ...["iou", "hd95_mm", "hd95_px"],
    ...raters.map((name) => `dice_${name}`),
    ...metrics.map((name) => `samples_${name}`),
  ];
  return csvText([headings, ...rows]);
}

/** The names that any of the results has, in order of appearance. */
function namesIn(
  results: readonly TargetResult[],
  values: (result: TargetResult) => object | undefined,
): string[] {
  return [
    ...new Set(results.flatMap((result) => Object.keys(values(result) ?? {}))),
  ];
}

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
