/** The report of an evaluation, as text and in files. */

import { csvText, markdownTable } from "../../table.ts";
import {
  type Runs,
  runsOf,
  type SavedEvaluation,
  type Settings,
} from "../../evaluation/saved_evaluation.ts";
import { writeFileAtomic } from "../../files.ts";
import { reportHTML } from "../../figures/report.ts";
import { stackFigures, writeFigure } from "../../figures/figure.ts";
import type { TargetResult } from "../../evaluation/evaluate.ts";
import { quantile, summarize } from "../../evaluation/statistics.ts";
import { type Section, sectionsOf } from "./sections.ts";
import { Model } from "../../model/model.ts";

/** The content of a report. */
export interface Report {
  readonly title: string;
  /** One line: of what, how much, how fast. */
  readonly lead: string;
  readonly sections: readonly Section[];
}

/** The tables under their headings, in Markdown. */
export function reportText({ sections }: Report): string {
  return sections.map(({ heading, table }) =>
    `## ${heading}\n\n${markdownTable(table)}`
  ).join("\n\n");
}

/** A report as text: `.html` has figures and tables, `.md` the tables. */
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
 * over both), where the target is and where the network looked, the Dice with each rater and the metrics of the first proposal's
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
          ...placesOf(target),
          ...raters.map((name) => iteration.raters?.[name]?.toFixed(6) ?? ""),
          ...metrics.map((name) => samples[name]?.toFixed(6) ?? ""),
        ];
      })
    )
  );
  const headings = [
    ..."variant,case,patient,rater,iteration,dice,best,spread,ms".split(","),
    ...["iou", "hd95_mm", "hd95_px"],
    ...PLACES,
    ...raters.map((name) => `dice_${name}`),
    ...metrics.map((name) => `samples_${name}`),
  ];
  return csvText([headings, ...rows]);
}

/** Columns of where a target is, and where the network looked, in pixels. */
const PLACES = [
  ...["set", "part"],
  ...["object_left", "object_top", "object_right", "object_bottom"],
  ...["region_left", "region_top", "region_right", "region_bottom"],
  ...["looks", "looks_ms"],
];

/** The cells of those columns. */
function placesOf({ set, part, object, region, looks }: TargetResult) {
  return [
    ...[set, part],
    ...[object, region].flatMap((box) => [
      ...[box?.left, box?.top, box?.right, box?.bottom],
    ]),
    looks?.count,
    looks?.milliseconds.toFixed(2),
  ].map((value) => `${value ?? ""}`);
}

/** All names in the results, in order of appearance. */
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
  return [
    `${saved.dataset}: ${saved.cases.length} cases, ${runs[0].length} targets`,
    ...describeSettings(saved.settings),
    ...(times.length > 0
      ? [`${quantile(times, 0.5).toFixed(3)} s per iteration`]
      : []),
    saved.engine,
  ].join("; ");
}

/** How the user began, unless with a click. */
const BEGINNINGS = {
  click: [],
  box: ["from a box"],
  mask: ["from a damaged mask"],
};

/** Where the network looked. */
const LOOKS = {
  whole: "the whole image",
  auto: "regions found from the start",
  given: "regions of three times the target",
};

/** The settings, as the parts of a line. */
export function describeSettings(settings: Settings): string[] {
  const { include, user, rule, mixtureOnly, method } = settings;
  const { region, shift, doubt, pad, parts, beginning } = settings;
  const targets = include
    ? `the majority of ${include.join(", ")}`
    : "each rater in turn";
  return [
    [
      parts ? `${targets}, each part of a mask` : targets,
      method ?? `${user} user`,
      ...BEGINNINGS[beginning],
    ].join(", "),
    [
      ...(pad ? [`in canvases of ${pad} x ${pad}`] : []),
      LOOKS[region],
      ...(shift ? [`moved by ${shift} of their side`] : []),
      ...(doubt !== undefined ? [`in doubt by ${doubt} octaves`] : []),
    ].join(", "),
    ...(rule === "m-step" ? ["training-free updates"] : []),
    ...(mixtureOnly ? ["the mixture alone carries choices"] : []),
  ];
}

/**
 * Prints an evaluation's tables and writes its files. Without targets it prints
 * one line that says so.
 */
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

/** A model with the figures of an evaluation (of its last variant) in its metadata. */
export function withFigures(model: Model, saved: SavedEvaluation): Model {
  const { samples, variations, candidates, seed } = saved.settings;
  const results = Object.values(runsOf(saved)).at(-1)!;
  const rows = summarize(results, seed);
  const figures = {
    dataset: saved.dataset,
    targets: results.length,
    samples,
    variations,
    candidates,
    seed,
    dice: rows.map(({ dice }) => Number(dice.toFixed(4))),
    best: rows.map(({ best }) => Number(best.toFixed(4))),
  };
  const metadata = { ...model.metadata, validation: JSON.stringify(figures) };
  return new Model(model.config, model.weights, metadata);
}
