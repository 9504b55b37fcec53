/** Training of the baselines: Algorithm 1's loop with their own users. */

import * as tf from "../engine/tf.ts";
import { jit } from "../engine/jit.ts";
import type { HostTensor } from "../engine/tensors.ts";
import { maskSide } from "../model/config.ts";
import type { HostWeights, Weights } from "../model/weights.ts";
import { drawWeights } from "../model/declare_weights.ts";
import type { Random } from "../random.ts";
import { threshold } from "../spa/cluster.ts";
import { mapOf, type Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import { digestOf } from "../training/training_case.ts";
import { alignmentLoss, type LossOptions } from "../training/loss.ts";
import { optimize } from "../training/optimize.ts";
import { boundingBox, errorClick, jitterBox } from "../spa/simulated_user.ts";
import { mapDice, type TraineeReport } from "../training/simulation.ts";
import { stack } from "../training/stack.ts";
import { optimizerStep } from "../training/step.ts";
import type { Recipe, TrainOptions } from "../training/recipe.ts";
import { orderCases, type TrainingCase } from "../training/training_case.ts";
import {
  type BaselineConfig,
  type HostInputs,
  type Inputs,
  type Method,
  type TrainingExample,
  withMask,
} from "./method.ts";
import { methodOf } from "./methods.ts";

/**
 * The loss of a batch, whose `target` has the masks to predict, [B, k, m * m],
 * and the mean probabilities, [B, m * m].
 */
function lossOf(method: Method, config: BaselineConfig, loss: LossOptions) {
  return (weights: Weights, { target, ...inputs }: Inputs) => {
    const { logits, penalty } = method.learn?.(
      weights,
      config,
      inputs,
      target,
    ) ??
      { logits: method.logits(weights, config, inputs), penalty: 0 };
    const [B, n] = logits.shape;
    const [, k, pixels] = target.shape;
    const wanted = k === n ? target : tf.tile(target, [1, n! / k!, 1]);
    const each = alignmentLoss( // SPA's loss of a single sample
      tf.reshape(logits, [B * n!, 1, pixels!]),
      tf.zeros([B * n!, 1]),
      tf.reshape(wanted, [B * n!, pixels!]),
      loss,
    );
    const maps = tf.sigmoid(tf.reshape(logits, [B, n!, pixels!]));
    return {
      loss: tf.add(each, penalty) as tf.Scalar,
      outputs: { probabilities: tf.mean(maps, 1) },
    };
  };
}

/** A place on the decoder's grid in pixels of the network's square. */
function toSquare(value: number, { network }: BaselineConfig): number {
  const step = network.imageSize / maskSide(network);
  return (value + 0.5) * step - 0.5;
}

/** The user's first prompts for a drawn example. */
function begin(
  { interaction }: Method,
  config: BaselineConfig,
  example: TrainingExample,
  random: Random,
): TrainingExample {
  if (interaction !== "box") return example;
  const side = maskSide(config.network);
  const target = threshold(mapOf(example.targets[0], side));
  const box = jitterBox(boundingBox(target), side, side, random);
  const inSquare = Object.fromEntries(
    Object.entries(box).map(([edge, at]) => [edge, toSquare(at, config)]),
  ) as unknown as Box;
  const feedback = { ...example.feedback, points: [], box: inSquare };
  return { ...example, feedback };
}

/** Lets the user of an example see its map, and click. */
function advance(
  { interaction }: Method,
  config: BaselineConfig,
  example: TrainingExample,
  probabilities: Float32Array,
): TraineeReport {
  const [target] = example.targets;
  const dice = mapDice(probabilities, target);
  const { points } = example.feedback;
  const iteration = Math.max(0, points.length - 1);
  if (interaction === "clicks") {
    const side = maskSide(config.network);
    const map = mapOf(probabilities, side);
    const at = errorClick(threshold(map), threshold(mapOf(target, side)));
    const click: Point[] = at
      ? [{ ...at, x: toSquare(at.x, config), y: toSquare(at.y, config) }]
      : [];
    example.feedback = {
      ...withMask(example.feedback, map),
      points: [...points, ...click],
    };
  }
  return { iteration, dice, best: dice, spread: 0 };
}

/**
 * Trains a baseline.
 *
 * @param config The method and its network.
 * @param cases Training cases; with none, phantoms alone.
 * @param recipe As for SPA; users of methods without clicks stay for one
 * iteration.
 * @param options First weights, checkpoint file, reports.
 * @returns The averaged weights.
 * @throws {RangeError} When the method is unknown, the masks are empty or too
 * small, the checkpoint is of another run, or the loss is no longer finite.
 */
export async function trainBaseline(
  config: BaselineConfig,
  cases: readonly TrainingCase[],
  recipe: Recipe,
  { initial, ...options }: TrainOptions = {},
): Promise<HostWeights> {
  const method = methodOf(config);
  const declared = method.declare(config);
  const source = { cases: orderCases(cases), config, recipe };
  const iterations = method.interaction === "clicks" ? recipe.iterations : 1;
  const size = maskSide(config.network) ** 2;
  const step = optimizerStep(
    declared,
    lossOf(method, config, recipe.loss),
    {},
  );
  return await optimize(
    {
      name: config.method,
      description: { config, recipe, cases: digestOf(source.cases) },
      declared,
      step: jit(step, { name: "trainingStep", resident: ["state"] }),
      count: recipe.batch,
      draw: (random, left): TrainingExample => {
        const example = { ...method.draw(source, random), left };
        return begin(method, config, example, random);
      },
      pack: (examples, random): HostInputs => {
        const targets = examples.flatMap((example) => example.targets);
        const k = targets.length / examples.length;
        return {
          ...method.pack(config, examples, 1, random),
          target: stack(targets, [examples.length, k, size]),
        };
      },
      advance: (examples, { probabilities }: Maps) =>
        examples.map((example, b) =>
          advance(
            method,
            config,
            example,
            (probabilities.data as Float32Array)
              .slice(b * size, (b + 1) * size),
          )
        ),
    },
    { ...recipe, iterations },
    { ...options, initial: initial ?? drawWeights(declared, recipe.seed) },
  );
}

/** The maps that the users of a batch see. */
type Maps = Record<"probabilities", HostTensor>;
