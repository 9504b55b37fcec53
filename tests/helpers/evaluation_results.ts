/** Results of an evaluation with given figures. */
import type { TargetResult } from "../../src/evaluation/evaluate.ts";
import type { SampleSetMetrics } from "../../src/evaluation/sample_set.ts";
import type { SavedEvaluation } from "../../src/evaluation/saved_evaluation.ts";

/** A target whose patient has its own case, with its Dice by iteration. */
export function targetOf(
  patient: string,
  dices: readonly number[],
  more: Partial<TargetResult> = {},
): TargetResult {
  return {
    case: patient,
    patient,
    rater: "1",
    iterations: dices.map((dice, i) => ({
      dice,
      best: dice + 0.1,
      spread: 0.04 / (i + 1),
      milliseconds: 10 * (i + 1),
    })),
    ...more,
  };
}

/** A target with IoU and HD95 of the recommendation, by iteration. */
export function targetOfOverlap(
  patient: string,
  figures: readonly (readonly [iou: number, hd95: number])[],
  spacing?: TargetResult["spacing"],
): TargetResult {
  const target = targetOf(patient, figures.map(() => 0.5), { spacing });
  return {
    ...target,
    iterations: target.iterations.map((iteration, i) => ({
      ...iteration,
      iou: figures[i][0],
      hd95: figures[i][1],
    })),
  };
}

/** Metrics of a sample set. */
export function sampleSetOf(energyDistance: number): SampleSetMetrics {
  return {
    energyDistance,
    diceMaxOfAnnotations: 0.9,
    diceMaxOfSamples: 0.8,
    matchedDice: 0.7,
    diceSoft: 0.6,
    spread: 0.05,
    calibrationError: 0.01,
  };
}

/** A target with the recommendation's Dice with each rater, by iteration. */
export function targetOfRaters(
  patient: string,
  rater: string,
  raters: readonly Readonly<Record<string, number>>[],
): TargetResult {
  const target = targetOf(patient, raters.map(() => 0.5), { rater });
  return {
    ...target,
    iterations: target.iterations.map((iteration, i) => ({
      ...iteration,
      raters: raters[i],
    })),
  };
}

/** A copy of anything with results in it, their times set to 0. */
export function withoutTimes<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (key, part) => key === "milliseconds" ? 0 : part),
  );
}

/** An evaluation of cases a, b, c, with some of them done. */
export function evaluation(...done: string[]): SavedEvaluation {
  return {
    format: "spa-evaluation",
    version: 1,
    dataset: "discs",
    cases: ["a", "b", "c"],
    settings: {
      iterations: 1,
      samples: 8,
      variations: 8,
      candidates: 4,
      seed: 0,
      user: "nearest",
      beginning: "click",
      region: "whole",
      rule: "generator",
      variants: ["both"],
      include: undefined,
      sampleSet: false,
      model: "0123",
    },
    tables: { targets: [0.8] },
    engine: "onnx, 1 threads",
    done: {
      both: done.map((id) => ({ case: id, results: [targetOf(id, [0.5])] })),
    },
  };
}
