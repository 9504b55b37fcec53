/** What an evaluation tells: its tables, and the figures that go with them. */

import {
  differencesFigure,
  evaluationFigure,
  ratersFigure,
  targetsFigure,
  variantsFigure,
} from "../../figures/evaluation_figures.ts";
import type { Figure } from "../../figures/figure.ts";
import type { Table } from "../../table.ts";
import {
  type Runs,
  runsOf,
  type SavedEvaluation,
} from "../../evaluation/saved_evaluation.ts";
import { summarize, summaryTable } from "../../evaluation/summary.ts";
import { ablationTable } from "../../evaluation/tables/ablation.ts";
import { carryTable } from "../../evaluation/tables/carry.ts";
import { comparisonTable } from "../../evaluation/tables/comparison.ts";
import { diceTargetsTable } from "../../evaluation/tables/dice_targets.ts";
import { overlapTable } from "../../evaluation/tables/overlap.ts";
import { ratersTable } from "../../evaluation/tables/raters.ts";
import { sampleSetTable } from "../../evaluation/tables/sample_set.ts";

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
