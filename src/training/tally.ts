/** The reports of training. */

import type { TraineeReport } from "./simulation.ts";

/** Progress: means over the steps since the last report. */
export interface TrainingReport {
  /** Steps done. */
  readonly step: number;
  /** Steps in all. */
  readonly steps: number;
  /** Mean loss. */
  readonly loss: number;
  /**
   * Per iteration, the first one first: mean Dice of the recommendation and of
   * the best candidate, 0..1, and sample spread, 0..0.5, at the decoder's
   * resolution; NaN where no user was at it.
   */
  readonly iterations: readonly {
    dice: number;
    best: number;
    spread: number;
  }[];
  /** Steps per second. */
  readonly rate: number;
}

/** The sums of an iteration that no user was at: their means are NaN. */
const NOBODY = { count: 0, dice: 0, best: 0, spread: 0 };

/** Sums the users' reports by iteration. */
export class Tally {
  #sums: (typeof NOBODY | undefined)[] = [];
  #loss = 0;
  #steps = 0;
  #start = performance.now();

  /** Adds one step. */
  add(loss: number, reports: readonly TraineeReport[]) {
    this.#loss += loss;
    this.#steps++;
    for (const { iteration, dice, best, spread } of reports) {
      const sum = this.#sums[iteration] ??= { ...NOBODY };
      sum.count++;
      sum.dice += dice;
      sum.best += best;
      sum.spread += spread;
    }
  }

  /** The means so far. */
  report(step: number, steps: number): TrainingReport {
    const seconds = (performance.now() - this.#start) / 1000;
    return {
      step,
      steps,
      loss: this.#loss / this.#steps,
      iterations: Array.from(this.#sums, (sum) => {
        const { count, dice, best, spread } = sum ?? NOBODY;
        return {
          dice: dice / count,
          best: best / count,
          spread: spread / count,
        };
      }),
      rate: this.#steps / seconds,
    };
  }
}
