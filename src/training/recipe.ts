/** The recipe of a training run: its figures, their defaults and their ranges. */

import type { HostWeights } from "../model/weights.ts";
import type { ExampleOptions } from "./groups.ts";
import { defaultLoss, type LossOptions } from "./loss.ts";
import type { TrainingReport } from "./tally.ts";
import { InputError } from "../input_error.ts";

/**
 * The recipe: with the config, the cases and the first weights it decides the
 * trained weights.
 */
export interface Recipe extends ExampleOptions {
  /** Steps in all, at least 1. */
  readonly steps: number;
  /** Users B in a batch; a multiple of `usersPerImage`. */
  readonly batch: number;
  /**
   * Samples N of every user that a step decodes, from as many components drawn at
   * random, whose shares are made to sum to 1. 0: one of every component. Few
   * make a step cheap; the network's first steps need no more.
   */
  readonly samples: number;
  /** Iterations J until a user leaves, at least 1. */
  readonly iterations: number;
  /**
   * Largest learning rate, after `warmUp` steps, of Adam with betas 0.9 and 0.98,
   * gradients clipped to a norm of 1, and decoupled weight decay (Loshchilov and
   * Hutter 2019): a step multiplies every weight by 1 - 0.02 * the learning rate.
   */
  readonly learningRate: number;
  /** Whether it falls as a cosine, to 2 % at the last step, or stays. */
  readonly schedule: "cosine" | "constant";
  /** Steps over which the learning rate rises from near 0; 0 for none. */
  readonly warmUp: number;
  /**
   * Decay of the parameters' moving average, 0 to below 1. The result is the
   * average; 0 keeps the parameters themselves.
   */
  readonly averageDecay: number;
  /** Seed of the weights, the examples and the users. */
  readonly seed: number;
  /** The loss. */
  readonly loss: LossOptions;
}

/**
 * The recipe of the shipped weights. They are the mean of two runs of it: the
 * first went on from an earlier run's weights, the second, with seed 7, from the
 * first's.
 */
export const defaultRecipe: Recipe = {
  steps: 12000,
  batch: 8,
  usersPerImage: 1,
  samples: 0,
  iterations: 6,
  learningRate: 1.2e-3,
  schedule: "cosine",
  warmUp: 200,
  averageDecay: 0.998,
  phantomShare: 0.15,
  syntheticShare: 0.3,
  regionShare: 0.6,
  placements: 0,
  styleShare: 0.15,
  clickShare: 0.25,
  boxShare: 0.1,
  maskShare: 0.08,
  neighborShare: 0.3,
  carryShare: 0.1,
  seed: 1,
  loss: defaultLoss,
};

/**
 * A short recipe that goes on from weights for many kinds, as `small`, to one kind
 * of image by about twenty cases of it: few steps at a small rate, and few
 * placements, so that a frozen encoder has little to compute.
 */
export const adaptationRecipe: Recipe = {
  ...defaultRecipe,
  steps: 500,
  samples: 6,
  iterations: 3,
  learningRate: 8e-4,
  warmUp: 10,
  averageDecay: 0.97,
  phantomShare: 0,
  syntheticShare: 0.15,
  regionShare: 0.85,
  placements: 3,
};

/** Options of a run besides its recipe. */
export interface TrainOptions {
  /**
   * Weights to start from, of the same config; random ones by default.
   */
  readonly initial?: HostWeights;
  /**
   * File of the checkpoint; resumed from when it is there, exactly as if the
   * run had never stopped. One of another run is refused.
   */
  readonly checkpoint?: string;
  /**
   * Folder for the features of images by a frozen encoder, for this run and
   * later ones; it is made where it is missing. Absent: a temporary one, removed
   * in the end, where the recipe has placements that come again.
   */
  readonly cache?: string;
  /**
   * Seconds between checkpoints. A killed run loses at most these and its
   * current step. 0 writes a checkpoint after every step. Default: 60.
   */
  readonly checkpointSeconds?: number;
  /** Called every `reportEvery` steps, and after the last; awaited. */
  readonly onReport?: (report: TrainingReport) => unknown;
  /** Steps between reports, at least 1. Default: 100. */
  readonly reportEvery?: number;
}

/**
 * The values that an option may have, in words and as a test that NaN fails.
 */
interface Range {
  readonly rule: string;
  readonly holds: (value: number) => boolean;
}

const COUNT: Range = {
  rule: "an integer >= 1",
  holds: (value) => Number.isSafeInteger(value) && value >= 1,
};
const WHOLE: Range = {
  rule: "a whole number >= 0",
  holds: (value) => Number.isSafeInteger(value) && value >= 0,
};
const RATE: Range = {
  rule: "> 0 and finite",
  holds: (value) => value > 0 && value < Infinity,
};
const AMOUNT: Range = {
  rule: ">= 0 and finite",
  holds: (value) => value >= 0 && value < Infinity,
};
const DURATION: Range = { rule: ">= 0", holds: (value) => value >= 0 };
const SHARE: Range = {
  rule: "within 0..1",
  holds: (value) => value >= 0 && value <= 1,
};
const DECAY: Range = {
  rule: ">= 0 and < 1",
  holds: (value) => value >= 0 && value < 1,
};

/**
 * Refuses a recipe with a bad figure at the start, instead of giving NaN after
 * hours.
 *
 * @param options The options of the run.
 * @throws {RangeError} When a figure is out of its range, or the batch is no
 * multiple of the users per image.
 */
export function checkRecipe(
  recipe: Recipe,
  { checkpointSeconds = 60, reportEvery = 100 }: Pick<
    TrainOptions,
    "checkpointSeconds" | "reportEvery"
  > = {},
): void {
  const { batch, usersPerImage, loss } = recipe;
  const figures: [name: string, value: number, range: Range][] = [
    ["steps", recipe.steps, COUNT],
    ["batch", batch, COUNT],
    ["usersPerImage", usersPerImage, COUNT],
    ["samples", recipe.samples, WHOLE],
    ["iterations", recipe.iterations, COUNT],
    ["learningRate", recipe.learningRate, RATE],
    ["warmUp", recipe.warmUp, AMOUNT],
    ["averageDecay", recipe.averageDecay, DECAY],
    ["phantomShare", recipe.phantomShare, SHARE],
    ["syntheticShare", recipe.syntheticShare, SHARE],
    ["regionShare", recipe.regionShare, SHARE],
    ["placements", recipe.placements, WHOLE],
    ["styleShare", recipe.styleShare, SHARE],
    ["clickShare", recipe.clickShare, SHARE],
    ["boxShare", recipe.boxShare, SHARE],
    ["maskShare", recipe.maskShare, SHARE],
    ["neighborShare", recipe.neighborShare, SHARE],
    ["carryShare", recipe.carryShare, SHARE],
    ["loss.temperature", loss.temperature, RATE],
    ["loss.dice", loss.dice, AMOUNT],
    ["loss.mean", loss.mean, AMOUNT],
    ["loss.each", loss.each, AMOUNT],
    ["checkpointSeconds", checkpointSeconds, DURATION],
    ["reportEvery", reportEvery, COUNT],
  ];
  for (const [name, value, { rule, holds }] of figures) {
    if (holds(value)) continue;
    throw new InputError(
      `Cannot train as ${name} must be ${rule}: current value is ${value}`,
    );
  }
  if (batch % usersPerImage !== 0) {
    throw new InputError(
      `Cannot train as batch must be a multiple of usersPerImage: current values are ${batch} and ${usersPerImage}`,
    );
  }
}
