/**
 * Training (Algorithm 1): simulated users at mixed iterations make a batch,
 * and the network is updated after every iteration of theirs.
 */

import { jit } from "../engine/jit.ts";
import { removeLeftovers } from "../datasets/write_file.ts";
import { upload } from "../engine/engine.ts";
import { type HostTensor, scalar } from "../engine/tensors.ts";
import { maskSide, type ModelConfig } from "../model/config.ts";
import {
  type HostWeights,
  initializeWeights,
  sizeOf,
} from "../model/weights.ts";
import { createRandom, type Random } from "../random.ts";
import { packFeedback } from "../spa/feedback.ts";
import type { TrainingCase } from "./augment.ts";
import {
  type HostState,
  readCheckpoint,
  writeCheckpoint,
} from "./checkpoint.ts";
import { drawGroup, type ExampleOptions, type Group } from "./groups.ts";
import { defaultLoss, type LossOptions } from "./loss.ts";
import { advanceTrainee, type TraineeReport } from "./simulation.ts";
import { trainingStep } from "./step.ts";
import { Tally, type TrainingReport } from "./tally.ts";
import { joinWeights, splitWeights } from "./weight_vector.ts";

/** The recipe: everything that decides what comes out. */
export interface Recipe extends ExampleOptions {
  /** Steps in all. */
  readonly steps: number;
  /** Users B in a batch; a multiple of `usersPerImage`. */
  readonly batch: number;
  /** Iterations J until a user leaves. */
  readonly iterations: number;
  /** Largest learning rate, after `warmUp` steps. */
  readonly learningRate: number;
  /** Whether it falls as a cosine, to 2 % at the last step, or stays. */
  readonly schedule: "cosine" | "constant";
  /** Steps over which the learning rate rises. */
  readonly warmUp: number;
  /**
   * Decay of the parameters' moving average, which is what is kept; 0 keeps the
   * parameters themselves.
   */
  readonly averageDecay: number;
  /** Seed of the weights, the examples and the users. */
  readonly seed: number;
  /** The loss. */
  readonly loss: LossOptions;
}

/** The recipe of the shipped weights, which went on from an earlier run's. */
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
  styleShare: 0.15,
  seed: 1,
  loss: defaultLoss,
};

/** What goes with a run besides its recipe. */
export interface TrainOptions {
  /** Weights to start from, of the same config; random ones by default. */
  readonly initial?: HostWeights;
  /**
   * File of the checkpoint; resumed from when it is there, exactly as if the
   * run had never stopped.
   */
  readonly checkpoint?: string;
  /**
   * Seconds between checkpoints, 60 by default: at most what a run that is
   * killed loses, besides its current step. 0 writes one after every step.
   */
  readonly checkpointSeconds?: number;
  /** Called every `reportEvery` steps, 100 by default. */
  readonly onReport?: (report: TrainingReport) => void;
  /** Steps between reports. */
  readonly reportEvery?: number;
}

/** Packs the groups' images and users into a step's batch. */
function packBatch(
  config: ModelConfig,
  groups: readonly Group[],
  random: Random,
) {
  const users = groups.flatMap((group) => group.users);
  const { components: M, latentChannels: d, imageSize: S } = config;
  const B = users.length;
  const side = maskSide(config);
  const stack = (parts: ArrayLike<number>[], shape: number[]): HostTensor => {
    const data = new Float32Array(sizeOf(shape));
    parts.forEach((part, i) => data.set(part, i * part.length));
    return { data, shape };
  };
  const noise = new Float32Array(B * M * d);
  for (let i = 0; i < noise.length; i++) noise[i] = random.normal();
  return {
    ...packFeedback(config, users.map(({ feedback }) => feedback)),
    pixels: stack(groups.map((g) => g.pixels), [groups.length, S, S, 3]),
    target: stack(users.map((u) => u.target), [B, side, side]),
    evidence: stack(users.map((u) => u.evidence), [B, M]),
    noise: { data: noise, shape: [B, M, d] },
  };
}

/** Learning rate of a step: linear warm-up, and the schedule's share. */
export function learningRateAt(recipe: Recipe, step: number): number {
  const warm = Math.min(1, (step + 1) / recipe.warmUp);
  if (recipe.schedule === "constant") return recipe.learningRate * warm;
  const cosine = (1 + Math.cos(Math.PI * step / recipe.steps)) / 2;
  return recipe.learningRate * warm * (0.02 + 0.98 * cosine);
}

/**
 * Trains a network.
 *
 * @param config The network's shape.
 * @param cases Training cases; with none, phantoms alone.
 * @param recipe See `Recipe`.
 * @param options Checkpoint file and reports.
 * @returns The averaged weights.
 * @throws {RangeError} When the batch is no multiple of the users per image,
 * the checkpoint is of another recipe, or the loss is no longer finite.
 */
export async function train(
  config: ModelConfig,
  cases: readonly TrainingCase[],
  recipe: Recipe = defaultRecipe,
  {
    initial,
    checkpoint,
    checkpointSeconds = 60,
    onReport,
    reportEvery = 100,
  }: TrainOptions = {},
): Promise<HostWeights> {
  const images = recipe.batch / recipe.usersPerImage;
  if (!Number.isInteger(images) || images < 1) {
    throw new RangeError(
      `Cannot train as batch must be a multiple of usersPerImage: current values are ${recipe.batch} and ${recipe.usersPerImage}`,
    );
  }
  const description = JSON.stringify({ config, recipe });
  const resumed = checkpoint && await readCheckpoint(checkpoint, description);
  if (checkpoint) await removeLeftovers(checkpoint);
  const start = initial ?? initializeWeights(config, recipe.seed);
  const fresh = splitWeights(config, start);
  const host: HostState = resumed ? resumed.state : freshState(fresh.vector);
  let state = await upload(host);
  const frozen = await upload(fresh.frozen);
  const run = jit(trainingStep(config, recipe.loss, {}), {
    name: "trainingStep",
    resident: ["state"],
  });

  let groups: readonly Group[] = resumed ? resumed.groups : [];
  let tally = new Tally();
  let written = performance.now();
  try {
    for (let step = resumed ? resumed.step : 0; step < recipe.steps; step++) {
      // of its own, so that a step does not depend on those before a checkpoint
      const random = createRandom(recipe.seed, step);
      const draw = (left: number) =>
        drawGroup(cases, config, recipe, random, left);
      if (groups.length === 0) {
        groups = Array.from(
          { length: images },
          (_, i) => draw(1 + i % recipe.iterations),
        );
      }
      const batch = packBatch(config, groups, random);
      const outputs = await run({
        state,
        frozen,
        batch,
        scalars: {
          learningRate: scalar(learningRateAt(recipe, step)),
          firstCorrection: scalar(1 - 0.9 ** (step + 1)),
          secondCorrection: scalar(1 - 0.98 ** (step + 1)),
          averageDecay: scalar(
            Math.min(recipe.averageDecay, step / (step + 20)),
          ),
        },
      });
      for (const tensor of Object.values(state)) tensor.dispose();
      state = outputs.state;
      const loss = outputs.loss.data[0];
      if (!Number.isFinite(loss)) {
        throw new RangeError(
          `Cannot go on training as the loss must be finite: current value is ${loss} at step ${step}; a smaller learning rate may help`,
        );
      }
      tally.add(loss, advanceGroups(config, groups, outputs, random));
      groups = groups.map((group) =>
        --group.left <= 0 ? draw(recipe.iterations) : group
      );

      const done = step + 1;
      if (done % reportEvery === 0 || done === recipe.steps) {
        onReport?.(tally.report(done, recipe.steps));
        tally = new Tally();
      }
      const due = performance.now() - written >= 1000 * checkpointSeconds;
      if (checkpoint && (due || done === recipe.steps)) {
        const state = await readState(outputs.state);
        const now = { step: done, state, groups };
        await writeCheckpoint(checkpoint, now, description);
        written = performance.now();
      }
    }
    const average = await state.average.read();
    return joinWeights(config, average.data as Float32Array, fresh.frozen);
  } finally {
    for (const tensor of Object.values({ ...state, ...frozen })) {
      tensor.dispose();
    }
    run.release();
  }
}

/** The optimizer's state before the first step. */
function freshState(vector: Float32Array): HostState {
  const shape = [vector.length];
  return {
    parameters: { data: vector, shape },
    firstMoment: { data: new Float32Array(vector.length), shape },
    secondMoment: { data: new Float32Array(vector.length), shape },
    average: { data: vector.slice(), shape },
  };
}

/** Copies the state to the host. */
async function readState(
  state: Record<keyof HostState, { read(): Promise<HostTensor> }>,
): Promise<HostState> {
  return {
    parameters: await state.parameters.read(),
    firstMoment: await state.firstMoment.read(),
    secondMoment: await state.secondMoment.read(),
    average: await state.average.read(),
  };
}

/** Lets every user of a batch see and choose. */
function advanceGroups(
  config: ModelConfig,
  groups: readonly Group[],
  outputs: { probabilities: HostTensor; logWeights: HostTensor },
  random: Random,
): TraineeReport[] {
  const maps = outputs.probabilities.data as Float32Array;
  const M = config.components;
  const users = groups.flatMap((group) => group.users);
  const size = maps.length / users.length;
  return users.map((user, b) =>
    advanceTrainee(
      user,
      maps.subarray(b * size, (b + 1) * size),
      Float64Array.from(
        outputs.logWeights.data.subarray(b * M, (b + 1) * M),
        Math.exp,
      ),
      config,
      random,
    )
  );
}
