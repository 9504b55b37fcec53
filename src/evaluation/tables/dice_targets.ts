import type { Table } from "../../table.ts";
import type { TargetResult } from "../evaluate.ts";
import {
  failurePenalty,
  type IterationsToTarget,
  iterationsToTarget,
} from "../../metrics/iterations_to_target.ts";
import type { Runs } from "../saved_evaluation.ts";
import { bootstrapInterval, byPatient, formatInterval } from "../statistics.ts";

/** The iterations that the longest of all runs had: after them, failed. */
export function capOf(runs: Runs): number {
  return Math.max(
    1,
    ...Object.values(runs).flat().map(({ iterations }) => iterations.length),
  );
}

/** Iterations to a Dice target, and the 95 % interval of their mean: a bootstrap over patients. */
export function reachTarget(
  results: readonly TargetResult[],
  target: number,
  seed = 0,
  cap?: number,
): IterationsToTarget & { readonly interval: [number, number] } {
  const curves = results.map(({ iterations }) =>
    iterations.map(({ dice }) => dice)
  );
  const groups = byPatient(results, ({ iterations }) => {
    const first = iterations.findIndex(({ dice }) => dice >= target);
    return first < 0 ? undefined : first + 1;
  });
  return {
    ...iterationsToTarget(curves, target, { cap }),
    interval: bootstrapInterval(groups, seed),
  };
}

/**
 * Iterations to a Dice target (the paper's Fig. 4): the mean over the cases
 * that reach it with its interval, the share that fails within the cap, and
 * the paper's own figure, which counts a failure as 10 (as one more than the
 * cap where that is larger).
 *
 * @param runs Results by variant; a row per variant and target.
 * @param dices Dice to reach, 0..1.
 * @param seed Seed of the bootstrap.
 */
export function diceTargetsTable(
  runs: Runs,
  dices: readonly number[],
  seed = 0,
): Table {
  const names = Object.keys(runs);
  const cap = capOf(runs);
  const rows = names.flatMap((name) => {
    const results = runs[name];
    return dices.map((target) => {
      const found = reachTarget(results, target, seed, cap);
      return [
        ...(names.length > 1 ? [name] : []),
        target,
        found.mean,
        formatInterval(found.interval, 2),
        `${(100 * found.failureRate).toFixed(1)} %`,
        found.cases,
        found.cap,
        found.penalisedMean,
      ];
    });
  });
  return {
    columns: [
      ...(names.length > 1 ? [{ heading: "variant" }] : []),
      { heading: "Dice target" },
      { heading: "iterations", digits: 2 },
      { heading: "95 % interval" },
      { heading: "failed", align: "right" },
      { heading: "n" },
      { heading: "cap" },
      { heading: `iterations, a failure as ${failurePenalty(cap)}`, digits: 2 },
    ],
    rows,
  };
}
