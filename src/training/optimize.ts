/**
 * The loop of training: examples that stay for some iterations, a step of the
 * optimizer after each of them, checkpoints and reports.
 */

import { removeLeftovers } from "../files.ts";
import { upload } from "../engine/engine.ts";
import {
  type DeviceTensor,
  type HostTensor,
  scalar,
} from "../engine/tensors.ts";
import { checkWeights } from "../model/compare_weights.ts";
import { fingerprint } from "../model/fingerprint.ts";
import type { HostWeights, WeightDeclarations } from "../model/weights.ts";
import { createRandom, type Random } from "../random.ts";
import { checkRecipe, defaultRecipe } from "./recipe.ts";
import { type HostState, readCheckpoint, writeCheckpoint } from "./resume.ts";
import { biasCorrections, type StepScalars } from "./optimizer.ts";
import type { TraineeReport } from "./simulation.ts";
import { Tally } from "./tally.ts";
import type { Recipe, TrainOptions } from "./recipe.ts";
import { joinWeights, splitWeights } from "./weight_vector.ts";
import { InputError } from "../input_error.ts";

/** The optimizer's state in the engine. */
type DeviceState = Readonly<Record<keyof HostState, DeviceTensor>>;

/** The result of a step. */
interface StepResult {
  readonly state: DeviceState;
  readonly loss: HostTensor;
  readonly norm: HostTensor;
}

/**
 * The interface of a method to the loop; the method decides the form of its
 * batches.
 */
export interface Trainable<Example extends { left: number }, Batch, Outputs> {
  /** The network's name, for errors. */
  readonly name: string;
  /**
   * Everything that decides a run, without its first weights. A checkpoint
   * belongs to one description.
   */
  readonly description: object;
  /** The network's weights. */
  readonly declared: WeightDeclarations;
  /**
   * `optimizerStep` of the network with `defaultAdam`, compiled; its state stays
   * in the engine.
   */
  readonly step: {
    (inputs: {
      state: DeviceState;
      frozen: Record<string, DeviceTensor>;
      batch: Batch;
      scalars: Record<keyof StepScalars, HostTensor>;
    }): Promise<StepResult & Outputs>;
    release(): void;
  };
  /** Examples in a batch. */
  readonly count: number;
  /**
   * Draws an example that stays for `left` iterations.
   *
   * @param before The example whose place it takes, if any.
   */
  draw(random: Random, left: number, before?: Example): Example;
  /** The tensors of a batch. */
  pack(examples: readonly Example[], random: Random): Batch | Promise<Batch>;
  /** Lets the users of a batch see the outputs and answer. */
  advance(
    examples: readonly Example[],
    outputs: Outputs,
    random: Random,
  ): TraineeReport[] | Promise<TraineeReport[]>;
}

/** Learning rate of a step: linear warm-up, and the schedule's share. */
export function learningRateAt(recipe: Recipe, step: number): number {
  const warm = Math.min(1, (step + 1) / recipe.warmUp);
  if (recipe.schedule === "constant") return recipe.learningRate * warm;
  const cosine = (1 + Math.cos(Math.PI * step / recipe.steps)) / 2;
  return recipe.learningRate * warm * (0.02 + 0.98 * cosine);
}

/**
 * Trains a method's network.
 *
 * @param method The method to train.
 * @param recipe How long, how fast, from which seed.
 * @param options First weights, checkpoint file and reports.
 * @returns The averaged weights.
 * @throws {RangeError} When a figure of the recipe is out of its range, the
 * checkpoint is of another run, or the loss, the gradient's norm or a weight is
 * no longer finite.
 * @throws {TypeError} When the first weights are those of another network.
 */
export async function optimize<
  Example extends { left: number },
  Batch,
  Outputs,
>(
  method: Trainable<Example, Batch, Outputs>,
  recipe: Recipe,
  {
    initial,
    checkpoint,
    checkpointSeconds = 60,
    onReport,
    reportEvery = 100,
  }: TrainOptions & Required<Pick<TrainOptions, "initial">>,
): Promise<HostWeights> {
  checkRecipe(recipe, { checkpointSeconds, reportEvery });
  checkWeights("train", method.name, method.declared, initial);
  const description = JSON.stringify({
    ...method.description,
    initial: fingerprint({ weights: initial }),
  });
  const resumed = checkpoint &&
    await readCheckpoint<Example>(checkpoint, description, {
      recipe: defaultRecipe,
    });
  if (checkpoint) await removeLeftovers(checkpoint);
  const fresh = splitWeights(method.declared, initial);
  const host: HostState = resumed ? resumed.state : freshState(fresh.vector);
  let state: DeviceState = await upload(host);
  const frozen = await upload(fresh.frozen);

  let examples: readonly Example[] = resumed ? resumed.examples : [];
  let tally = new Tally();
  let written = performance.now();
  try {
    for (let step = resumed ? resumed.step : 0; step < recipe.steps; step++) {
      // a stream per step, so that a step does not depend on those before a
      // checkpoint
      const random = createRandom(recipe.seed, step);
      if (examples.length === 0) {
        examples = Array.from(
          { length: method.count },
          (_, i) => method.draw(random, 1 + i % recipe.iterations),
        );
      }
      const { firstCorrection, secondCorrection } = biasCorrections(step + 1);
      const outputs = await method.step({
        state,
        frozen,
        batch: await method.pack(examples, random),
        scalars: {
          learningRate: scalar(learningRateAt(recipe, step)),
          firstCorrection: scalar(firstCorrection),
          secondCorrection: scalar(secondCorrection),
          averageDecay: scalar(
            Math.min(recipe.averageDecay, step / (step + 20)),
          ),
        },
      });
      for (const tensor of Object.values(state)) tensor.dispose();
      state = outputs.state;
      checkFinite("loss", outputs.loss, step);
      checkFinite("gradient's norm", outputs.norm, step);
      const reports = await method.advance(examples, outputs, random);
      tally.add(outputs.loss.data[0], reports);
      for (const example of examples) example.left--;
      examples = examples.map((example) =>
        example.left <= 0
          ? method.draw(random, recipe.iterations, example)
          : example
      );

      const done = step + 1;
      if (done % reportEvery === 0 || done === recipe.steps) {
        await onReport?.(tally.report(done, recipe.steps));
        tally = new Tally();
      }
      const due = performance.now() - written >= 1000 * checkpointSeconds;
      if (checkpoint && (due || done === recipe.steps)) {
        const now = { step: done, state: await readState(state), examples };
        await writeCheckpoint(checkpoint, now, description);
        written = performance.now();
      }
    }
    const average = await state.average.read();
    checkFinite("weights", average, recipe.steps);
    return joinWeights(
      method.declared,
      average.data as Float32Array,
      fresh.frozen,
    );
  } finally {
    for (const tensor of Object.values({ ...state, ...frozen })) {
      tensor.dispose();
    }
    method.step.release();
  }
}

/** Refuses values that are not finite, as no later step mends them. */
function checkFinite(what: string, { data }: HostTensor, step: number) {
  const found = (data as Float32Array).find((value) => !Number.isFinite(value));
  if (found === undefined) return;
  throw new InputError(
    `Cannot go on training as the ${what} must be finite: current value is ${found} at step ${step}; a smaller learning rate may help`,
  );
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
async function readState(state: DeviceState): Promise<HostState> {
  return {
    parameters: await state.parameters.read(),
    firstMoment: await state.firstMoment.read(),
    secondMoment: await state.secondMoment.read(),
    average: await state.average.read(),
  };
}
