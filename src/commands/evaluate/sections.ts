/** The tables of an evaluation, and the figures that go with them. */

import {
  componentsFigure,
  differencesFigure,
  evaluationFigure,
  ratersFigure,
  targetsFigure,
  variantsFigure,
} from "../../figures/evaluation_figures.ts";
import type { Figure } from "../../figures/figure.ts";
import type { TargetResult } from "../../evaluation/evaluate.ts";
import {
  gainsTable,
  habitsTable,
  learningTable,
  regionsTable,
  setsTable,
  sizesTable,
} from "../../evaluation/interaction_tables.ts";
import {
  type Runs,
  runsOf,
  type SavedEvaluation,
  type Settings,
} from "../../evaluation/saved_evaluation.ts";
import {
  summarize,
  summaryTable,
  targetKey,
} from "../../evaluation/statistics.ts";
import {
  ablationTable,
  carryTable,
  comparisonTable,
  diceTargetsTable,
  overlapTable,
  ratersTable,
} from "../../evaluation/tables.ts";
import {
  componentsTable,
  sampleSetTable,
} from "../../evaluation/sample_tables.ts";
import type { Table } from "../../table.ts";

/** A table and its figure. */
export interface Section {
  readonly heading: string;
  readonly table: Table;
  /** Draws the figure, where one is asked for. */
  readonly figure?: () => Figure;
}

/**
 * IoU and HD95 of the recommendation. Results that were saved before these were
 * measured have none.
 */
function overlapSections(runs: Runs, seed = 0): Section[] {
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
    },
    ...overlapSections(runs, seed),
    ...at.map((which): Section => ({
      heading: `Paired differences at the ${which} iteration`,
      table: comparisonTable(runs, which, seed),
      figure: which === "last" ? () => differencesFigure(runs) : undefined,
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
  }];
}

/**
 * The results of `carry`, and those of the same targets without a profile, for
 * a figure.
 */
function withAndWithout(
  fresh: readonly TargetResult[],
  later: readonly TargetResult[],
): Runs {
  const known = new Set(later.map(targetKey));
  return {
    "without profile": fresh.filter((result) => known.has(targetKey(result))),
    "with profile": later,
  };
}

/** The gain by profiles from image to image, on the same targets. */
function carrySections(runs: Runs, seed: number): Section[] {
  const { both, carried, wrong } = runs;
  const later = carried.filter((result) => result.carried);
  const sections: Section[] = [{
    heading: "A user's profile from image to image",
    table: carryTable(both, carried, seed),
    figure: later.length > 0
      ? () => variantsFigure(withAndWithout(both, later))
      : undefined,
  }];
  if (wrong) {
    sections.push({
      heading: "The next rater's profile instead",
      table: carryTable(both, wrong, seed),
    });
  }
  sections.push({
    heading: "First recommendation by rater",
    table: habitsTable(both, carried, wrong, seed),
  });
  sections.push({
    heading: "First recommendation by images before",
    table: learningTable(both, carried, seed),
  });
  return sections;
}

/**
 * Where the network looked, unless it was the whole image. Older results do not
 * say.
 */
function regionSections(
  results: readonly TargetResult[],
  { region }: Settings,
): Section[] {
  const known = results.filter(({ looks, object }) => looks && object);
  if (region === "whole" || known.length === 0) return [];
  return [{ heading: "Where the network looked", table: regionsTable(known) }];
}

/**
 * The tables of one run: its targets by data set and by size, and the gain of each
 * interaction.
 */
function caseSections(results: readonly TargetResult[], seed: number) {
  const sections: Section[] = [];
  if (results.some(({ set }) => set !== undefined)) {
    const table = setsTable(results, seed);
    sections.push({ heading: "Dice by data set and iteration", table });
  }
  const sized = results.filter(({ object }) => object);
  if (sized.length > 0) {
    const table = sizesTable(sized);
    sections.push({ heading: "Dice by the object's size", table });
  }
  if (results.some(({ iterations }) => iterations.length > 1)) {
    const table = gainsTable(results, seed);
    sections.push({ heading: "What each interaction gave", table });
  }
  return sections;
}

/** Whether there are several raters of a case. */
const rated = (results: readonly TargetResult[]) =>
  results.some(({ iterations: [first] }) =>
    Object.keys(first?.raters ?? {}).length > 1
  );

/**
 * All tables that the records of an evaluation hold. Of several variants those of
 * one run are of the whole method, and say so: of what a choice may move the last,
 * of profiles the one without any, as every user begins.
 */
export function sectionsOf(saved: SavedEvaluation): Section[] {
  const runs = runsOf(saved);
  const { seed, include, variants } = saved.settings;
  const shown = variants.includes("carried")
    ? "both"
    : variants[variants.length - 1];
  const results = runs[shown];
  const of = variants.length > 1 ? ` (${shown})` : "";
  const own = ({ heading, ...section }: Section): Section => ({
    heading: heading + of,
    ...section,
  });
  const sections: Section[] = [];
  if (variants.includes("carried")) {
    sections.push(...carrySections(runs, seed));
    sections.push(...overlapSections(runs, seed));
  } else if (variants.length > 1) {
    sections.push(...variantSections(runs, ["last"], seed));
  } else {
    sections.push({
      heading: "Dice by iteration",
      table: summaryTable(summarize(results, seed)),
      figure: () => evaluationFigure(results),
    });
    sections.push(...overlapSections(runs, seed));
  }
  sections.push(...caseSections(results, seed).map(own));
  sections.push(...regionSections(results, saved.settings).map(own));
  sections.push(...targetSections(runs, saved.tables.targets, seed));
  if (rated(results)) {
    sections.push({
      heading: (include
        ? "Raters in the target and not"
        : "The user's own mask and the others'") + of,
      table: ratersTable(results, include, seed),
      figure: () =>
        ratersFigure(results, include),
    });
  }
  if (results.some(({ sampleSet }) => sampleSet)) {
    sections.push({
      heading: `Samples of the first proposal${of}`,
      table: sampleSetTable(results, seed),
    });
    if (rated(results) && results.some(({ components }) => components)) {
      sections.push({
        heading: `What the components mean${of}`,
        table: componentsTable(results),
        figure: () => componentsFigure(results),
      });
    }
  }
  return sections;
}
