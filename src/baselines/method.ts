/**
 * The interface of a baseline: the weights of its network, the masks it learns,
 * and a function from a batch to mask logits. Training, files, evaluation and
 * the simulated users are the same for all of them.
 */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { type Feedback, maskPrompt } from "../spa/feedback.ts";
import type * as tf from "../engine/tf.ts";
import type { HostTensor } from "../engine/tensors.ts";
import type { ModelConfig } from "../model/config.ts";
import type { WeightDeclarations, Weights } from "../model/weights.ts";
import type { Random } from "../random.ts";
import type { Recipe } from "../training/recipe.ts";
import type { TrainingCase } from "../training/training_case.ts";

/** How the user of a method interacts. */
export type Interaction = "clicks" | "box" | "none";

/** The prediction before, as the next one's mask prompt. */
export function withMask(
  feedback: Feedback,
  map: NdArray<Float32Array>,
): Feedback {
  const choices = [...feedback.choices.slice(-1), maskPrompt(map)];
  return { ...feedback, choices };
}

/** The config of a baseline's network. */
export interface BaselineConfig {
  /** Its method, a key of `METHODS`. */
  readonly method: string;
  /**
   * Sizes and intensities of images; for prompted methods, the config of the
   * whole backbone.
   */
  readonly network: ModelConfig;
  /** Raters R of the training data, in order, for methods that tell them apart. */
  readonly raters: number;
  /** Their names, where a name is the same person in every case. */
  readonly names?: readonly string[];
}

/** An image and the prompts of one user. */
export interface Example {
  /** The normalized image, [S, S, 3]. */
  readonly pixels: Float32Array;
  /** Clicks, box, earlier masks; empty for methods without interaction. */
  feedback: Feedback;
  /** Each rater's share in the target, [R], summing to 1. */
  readonly expertise: Float32Array;
}

/** An example to learn from. */
export interface TrainingExample extends Example {
  /** The masks to predict, 0..1, [m * m] each: one, or one per rater. */
  readonly targets: readonly Float32Array[];
  /** Iterations until the user leaves. */
  left: number;
}

/** Where training examples are drawn from. */
export interface ExampleSource {
  readonly cases: readonly TrainingCase[];
  readonly config: BaselineConfig;
  readonly recipe: Recipe;
}

/** A batch as tensors, by name. */
export type Inputs = Readonly<Record<string, tf.Tensor>>;

/** The same on the host. */
export type HostInputs = Readonly<Record<string, HostTensor>>;

/** A baseline. */
export interface Method {
  /** The prompts of its user. */
  readonly interaction: Interaction;
  /** All weights of the network, by name. */
  declare(config: BaselineConfig): WeightDeclarations;
  /** Draws an image and the masks to learn. */
  draw(source: ExampleSource, random: Random): Omit<TrainingExample, "left">;
  /**
   * A batch of examples as tensors.
   *
   * @param samples Samples wanted of each, where the method draws any.
   */
  pack(
    config: BaselineConfig,
    examples: readonly Example[],
    samples: number,
    random: Random,
  ): HostInputs;
  /** Mask logits, [B, n, m, m]; n maps of every example. */
  logits(weights: Weights, config: BaselineConfig, inputs: Inputs): tf.Tensor;
  /**
   * Mask logits to learn from, as many as targets or each for all of them, and
   * what is added to their loss; `logits` and nothing by default.
   *
   * @param target [B, k, m * m].
   */
  learn?(
    weights: Weights,
    config: BaselineConfig,
    inputs: Inputs,
    target: tf.Tensor,
  ): { logits: tf.Tensor; penalty: tf.Tensor };
}
