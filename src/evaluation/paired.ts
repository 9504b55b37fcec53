/** How two figures of the same targets differ. */

import type { Cell, Column } from "../table.ts";
import type { TargetResult } from "./evaluate.ts";
import {
  bootstrapInterval,
  byPatient,
  type Figure,
  formatInterval,
  mean,
} from "./statistics.ts";
import { wilcoxonSignedRank } from "./wilcoxon.ts";

/** Two figures of the same targets, before and after, or of two methods. */
export interface PairedDifference {
  /** Targets that have both. */
  readonly pairs: number;
  /** Mean of the first figure over them. */
  readonly first: number;
  /** Mean of the second. */
  readonly second: number;
  /** Mean of the second minus the first. */
  readonly difference: number;
  /** 95 % interval of it: a bootstrap over patients. */
  readonly interval: readonly [number, number];
  /** Two-sided p of Wilcoxon's signed-rank test over patients' mean differences. */
  readonly p: number;
}

/**
 * Compares two figures of one list of results.
 *
 * @param results Those that lack either figure are left out.
 * @param first The figure to compare with.
 * @param second The figure that is compared.
 * @param seed Seed of the bootstrap.
 */
export function pairedDifference(
  results: readonly TargetResult[],
  first: Figure,
  second: Figure,
  seed = 0,
): PairedDifference {
  const groups = byPatient(results, (result) => {
    const one = first(result), two = second(result);
    return one === undefined || two === undefined ? undefined : { one, two };
  });
  const pairs = groups.flat();
  const differences = groups.map((group) =>
    group.map(({ one, two }) => two - one)
  );
  return {
    pairs: pairs.length,
    first: mean(pairs.map(({ one }) => one)),
    second: mean(pairs.map(({ two }) => two)),
    difference: mean(differences.flat()),
    interval: bootstrapInterval(differences, seed),
    p: pairs.length === 0 ? NaN : wilcoxonSignedRank(differences.map(mean)),
  };
}

/** The same targets' results in another evaluation, by which a figure can be read there. */
export function inOther(
  other: readonly TargetResult[],
  figure: Figure,
): Figure {
  const key = (result: TargetResult) =>
    JSON.stringify([result.case, result.rater]);
  const found = new Map(other.map((result) => [key(result), result]));
  return (result) => {
    const partner = found.get(key(result));
    return partner && figure(partner);
  };
}

/** The columns of a paired difference, under the two figures' names. */
export function pairedColumns(first: string, second: string): Column[] {
  return [
    { heading: first, digits: 4 },
    { heading: second, digits: 4 },
    { heading: "difference", digits: 4 },
    { heading: "95 % interval" },
    { heading: "p", align: "right" },
    { heading: "targets" },
  ];
}

/** A paired difference as the cells of those columns. */
export function pairedCells(paired: PairedDifference): Cell[] {
  const { first, second, difference, interval, p, pairs } = paired;
  return [
    ...[first, second, difference, formatInterval(interval, 4)],
    ...[formatChance(p), pairs],
  ];
}

/** A p-value as a cell; undefined, a dash there, where it is NaN. */
export function formatChance(p: number): string | undefined {
  if (Number.isNaN(p)) return undefined;
  return p < 0.0001 ? "< 0.0001" : p.toFixed(4);
}
