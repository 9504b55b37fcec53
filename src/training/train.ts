/**
 * Training (Algorithm 1): simulated users at mixed iterations make a batch,
 * and the network is updated after every iteration of theirs.
 */

import { jit } from "../engine/jit.ts";
import { type HostTensor, sizeOf } from "../engine/tensors.ts";
import { checkWeights } from "../model/compare_weights.ts";
import { isTinyVit, maskSide, type ModelConfig } from "../model/config.ts";
import {
  declareWeights,
  type HostWeights,
  initializeWeights,
} from "../model/weights.ts";
import type { Random } from "../random.ts";
import { packFeedback } from "../spa/feedback.ts";
import { FeatureCache } from "./feature_cache.ts";
import { digestOf } from "./digest.ts";
import { drawGroup, type ExampleOptions, type Group } from "./groups.ts";
import { defaultLoss, type LossOptions } from "./loss.ts";
import { optimize } from "./optimize.ts";
import {
  advanceTrainee,
  type MixtureValues,
  type SimulatedTrainee,
  type TraineeReport,
} from "./simulation.ts";
import { stack } from "./stack.ts";
import { trainingStep, type UserOutputs } from "./step.ts";
import type { TrainingReport } from "./tally.ts";
import { orderCases, type TrainingCase } from "./training_case.ts";

/** The recipe: all that decides what comes of a config, cases and first weights. */
export interface Recipe extends ExampleOptions {
  /** Steps in all, at least 1. */
  readonly steps: number;
  /** Users B in a batch; a multiple of `usersPerImage`. */
  readonly batch: number;
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
   * Decay of the parameters' moving average, 0 to below 1, which is what is
   * kept; 0 keeps the parameters themselves.
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
  carryShare: 0.1,
  seed: 1,
  loss: defaultLoss,
};

/** What goes with a run besides its recipe. */
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
   * Folder that keeps what a frozen encoder makes of the images, for this run and
   * later ones; made where it is missing. Nothing is kept without.
   */
  readonly cache?: string;
  /**
   * Seconds between checkpoints, 60 by default: at most what a run that is
   * killed loses, besides its current step. 0 writes one after every step.
   */
  readonly checkpointSeconds?: number;
  /** Called every `reportEvery` steps, and after the last; awaited. */
  readonly onReport?: (report: TrainingReport) => unknown;
  /** Steps between reports, at least 1, 100 by default. */
  readonly reportEvery?: number;
}

/**
 * Prompt slots of a run, always the same, so that one program serves it: a click
 * for every iteration, and a box or SAM's padding.
 */
function slotsOf(
  { iterations, clickShare, boxShare }: Recipe,
): number | undefined {
  if (clickShare === 0 && boxShare === 0) return undefined;
  return iterations + (boxShare > 0 ? 2 : 1);
}

/** Packs the profiles of those users who have not chosen yet. */
function packProfiles(
  { components: M, latentChannels: d }: ModelConfig,
  users: readonly SimulatedTrainee[],
) {
  const B = users.length;
  const profiles = users.map(({ profile, feedback }) =>
    feedback.choices.length === 0 ? profile : undefined
  );
  const pack = (part: keyof MixtureValues, shape: readonly number[]) => {
    const none = new Float32Array(sizeOf(shape));
    return stack(profiles.map((p) => p?.[part] ?? none), [B, ...shape]);
  };
  return {
    profile: {
      logWeights: pack("logWeights", [M]),
      means: pack("means", [M, d]),
      deviations: pack("deviations", [M, d]),
    },
    hasProfile: {
      data: Float32Array.from(profiles, (profile) => profile ? 1 : 0),
      shape: [B],
    },
  };
}

/** Packs the groups' images and users into a step's batch. */
async function packBatch(
  config: ModelConfig,
  groups: readonly Group[],
  cache: FeatureCache | undefined,
  slots: number | undefined,
  random: Random,
) {
  const users = groups.flatMap((group) => group.users);
  const { components: M, latentChannels: d, imageSize: S } = config;
  const B = users.length;
  const side = maskSide(config);
  const noise = new Float32Array(B * M * d);
  for (let i = 0; i < noise.length; i++) noise[i] = random.normal();
  const features = await cache?.of(groups);
  return {
    ...(features && { features }),
    ...packFeedback(config, users.map(({ feedback }) => feedback), slots),
    pixels: stack(groups.map((g) => g.pixels), [groups.length, S, S, 3]),
    target: stack(users.map((u) => u.target), [B, side, side]),
    evidence: stack(users.map((u) => u.evidence), [B, M]),
    ...packProfiles(config, users),
    noise: { data: noise, shape: [B, M, d] },
  };
}

/**
 * Trains a network (Algorithm 1): simulated users at mixed iterations make a
 * batch, and one joint update follows every iteration of theirs.
 *
 * @param config The network's shape.
 * @param cases Training cases; with none, phantoms alone.
 * @param recipe See `Recipe`.
 * @param options First weights, checkpoint file and reports.
 * @returns The averaged weights, for a `Model`.
 * @throws {RangeError} When a figure of the recipe or a case is not what its docs
 * say, the batch is no multiple of the users per image, the masks are empty or too
 * small, the checkpoint is damaged or of another config, recipe, other cases or
 * first weights, or the loss, the gradient's norm or a weight is no longer finite.
 * @throws {TypeError} When `initial` has not the weights of the config.
 *
 * @example Two steps on phantoms of 32 pixels
 * ```ts
 * import { Model } from "@spa-seg/spa";
 * import { defaultRecipe, presets, train } from "@spa-seg/spa/train";
 *
 * const config = { ...presets.tiny, imageSize: 32 };
 * const recipe = { ...defaultRecipe, steps: 2, batch: 1 };
 * const weights = await train(config, [], recipe);
 * using model = new Model(config, weights);
 * ```
 */
export async function train(
  config: ModelConfig,
  cases: readonly TrainingCase[],
  recipe: Recipe = defaultRecipe,
  { initial, cache: folder, ...options }: TrainOptions = {},
): Promise<HostWeights> {
  const ordered = orderCases(cases, recipe.syntheticShare > 0);
  const first = initial ?? initializeWeights(config, recipe.seed);
  checkWeights("train", config.name, declareWeights(config), first);
  const cache = isTinyVit(config.encoder) && !config.sam
    ? new FeatureCache(config, first, folder)
    : undefined;
  const training = optimize(
    {
      name: config.name,
      description: { config, recipe, cases: digestOf(ordered) },
      declared: declareWeights(config),
      step: jit(trainingStep(config, recipe.loss, {}), {
        name: "trainingStep",
        resident: ["state"],
      }),
      count: recipe.batch / recipe.usersPerImage,
      draw: (random, left, before?: Group) =>
        drawGroup(ordered, config, recipe, random, left, before),
      pack: (groups, random) =>
        packBatch(config, groups, cache, slotsOf(recipe), random),
      advance: (groups, outputs: UserMaps, random) =>
        advanceGroups(config, groups, outputs, random),
    },
    recipe,
    { ...options, initial: first },
  );
  return await training.finally(() => cache?.dispose());
}

/** What the users of a batch see: probabilities, and what they came from. */
type UserMaps = Record<keyof UserOutputs, HostTensor>;

/** Lets every user of a batch see and choose. */
async function advanceGroups(
  config: ModelConfig,
  groups: readonly Group[],
  outputs: UserMaps,
  random: Random,
): Promise<TraineeReport[]> {
  const users = groups.flatMap((group) => group.users);
  const reports: TraineeReport[] = [];
  for (const [b, user] of users.entries()) {
    const part = ({ data }: HostTensor) => {
      const size = data.length / users.length;
      return (data as Float32Array).slice(b * size, (b + 1) * size);
    };
    const mixture = {
      logWeights: part(outputs.logWeights),
      means: part(outputs.means),
      deviations: part(outputs.deviations),
    };
    if (user.picks === 1 && !user.habit) {
      user.habit = { mixture, evidence: user.evidence };
    }
    reports.push(
      await advanceTrainee(
        user,
        part(outputs.probabilities),
        Float64Array.from(mixture.logWeights, Math.exp),
        config,
        random,
      ),
    );
  }
  return reports;
}
