import { InputError } from "../input_error.ts";

/** What {@linkcode iterationsToTarget} reports. */
export interface IterationsToTarget {
  /** The Dice that had to be reached, 0..1. */
  target: number;
  /** The last iteration that counts. */
  cap: number;
  /** How many cases there were. */
  cases: number;
  /** The share of cases that did not reach the target by then, 0..1. */
  failureRate: number;
  /** Mean iterations of the cases that did; NaN where none did. */
  mean: number;
  /**
   * Mean iterations of all cases; a failure counts as `penalty`, as in SPA's
   * paper.
   */
  penalizedMean: number;
  /** The iterations that a failure counts there. */
  penalty: number;
}

/** What a failure counts: the paper's 10, or one more than a cap above that. */
export function failurePenalty(cap: number): number {
  return Math.max(10, cap + 1);
}

/**
 * Counts the iterations to reach a Dice: for each case, the first iteration
 * (from 1) whose Dice is at least the target.
 *
 * @param curves One list per case: its Dice at iterations 1, 2, .. A list may
 * be shorter than the cap, where the user accepted.
 * @param target The Dice to reach, 0..1.
 * @param options.cap The last iteration that counts. Default: the longest
 * curve.
 * @param options.penalty What a failure counts in `penalizedMean`, more than
 * the cap; it defaults to 10, the paper's figure (for a cap of 6), or to one
 * more than the cap where that is larger.
 * @returns The mean over the cases that reach it, the share that fails, and the
 * paper's own mean.
 * @throws {RangeError} When there are no cases, the target is not in 0..1, the
 * cap is not a whole number of at least 1, or the penalty not above it.
 */
export function iterationsToTarget(
  curves: readonly (readonly number[])[],
  target: number,
  {
    cap = Math.max(0, ...curves.map((curve) => curve.length)),
    penalty = failurePenalty(cap),
  }: { cap?: number; penalty?: number } = {},
): IterationsToTarget {
  const problem = curves.length === 0
    ? "curves must hold at least one case: current value is []"
    : !(target >= 0 && target <= 1)
    ? `target must be in 0..1: current value is ${target}`
    : !Number.isInteger(cap) || cap < 1
    ? `cap must be a whole number >= 1: current value is ${cap}`
    : !(penalty > cap)
    ? `penalty must be above the cap, ${cap}: current value is ${penalty}`
    : undefined;
  if (problem) {
    throw new InputError(`Cannot count iterations to a target as ${problem}`);
  }
  let successes = 0;
  let iterations = 0;
  for (const curve of curves) {
    const first = curve.slice(0, cap).findIndex((dice) => dice >= target);
    if (first < 0) continue;
    successes++;
    iterations += first + 1;
  }
  const cases = curves.length;
  const failures = cases - successes;
  return {
    target,
    cap,
    cases,
    failureRate: failures / cases,
    mean: iterations / successes,
    penalizedMean: (iterations + penalty * failures) / cases,
    penalty,
  };
}
