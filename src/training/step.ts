/** One training step as a pure function: loss, gradients and Adam together. */

import { valueAndGrads } from "../engine/gradients.ts";
import * as tf from "../engine/tf.ts";
import type { ModelConfig } from "../model/config.ts";
import { adaptFeatures, encodeImage } from "../model/image_encoder.ts";
import { decodeMasks } from "../model/mask_decoder.ts";
import {
  generatePreference,
  type MixtureTensors,
} from "../model/preference_generator.ts";
import {
  encodeFeedback,
  encodePrompts,
  type PromptInputs,
} from "../model/prompt_encoder.ts";
import { sizeOf } from "../engine/tensors.ts";
import type { WeightDeclarations, Weights } from "../model/weights.ts";
import { declareWeights } from "../model/declare_weights.ts";
import { alignmentLoss, type LossOptions, stopGradient } from "./loss.ts";
import {
  type AdamOptions,
  adamStep,
  type OptimizerState,
  type StepScalars,
} from "./optimizer.ts";

/** A batch: B users, R of them to an image. */
export interface StepBatch extends PromptInputs {
  /** Normalized images, [B / R, S, S, 3]. */
  readonly pixels: tf.Tensor;
  /** Their embedding by a frozen encoder, where that is not run in the step. */
  readonly frozenEmbedding?: tf.Tensor;
  /** Clipped logits of the chosen masks, [B, m, m]. */
  readonly choice: tf.Tensor;
  /** Accumulated log evidence, [B, M]. */
  readonly evidence: tf.Tensor;
  /** Log evidence of the profiles that users bring; zeros without, [B, M]. */
  readonly profile: tf.Tensor;
  /**
   * The components that have a sample in this step, as rows of the unit matrix,
   * [B, N, M]; without, every component has one, N = M.
   */
  readonly drawn?: tf.Tensor;
  /** Standard normal draws, one for each sample, [B, N, d]. */
  readonly noise: tf.Tensor;
  /** The users' masks, 0..1, [B, m, m]. */
  readonly target: tf.Tensor;
}

/** All inputs of a step. */
export interface StepInputs<Batch = StepBatch> {
  readonly state: OptimizerState;
  readonly frozen: Weights;
  readonly batch: Batch;
  readonly scalars: StepScalars;
}

/** Repeats every image's embedding for each of its R users. */
export function repeatImages(embedding: tf.Tensor, B: number): tf.Tensor {
  const [images, ...rest] = embedding.shape;
  const users = B / images;
  if (users === 1) return embedding;
  const tiled = tf.tile(
    tf.reshape(embedding, [images, 1, sizeOf(rest)]),
    [1, users, 1],
  );
  return tf.reshape(tiled, [B, ...rest]);
}

/** The mixtures of the components that have a sample, [B, N, ...]. */
function drawComponents(
  mixture: MixtureTensors,
  drawn: tf.Tensor | undefined,
): MixtureTensors {
  if (!drawn) return mixture;
  const [B, N, M] = drawn.shape;
  const logWeights = tf.matMul(
    drawn,
    tf.reshape(mixture.logWeights, [B, M, 1]),
  );
  return {
    logWeights: tf.logSoftmax(tf.reshape(logWeights, [B, N])),
    means: tf.matMul(drawn, mixture.means),
    deviations: tf.matMul(drawn, mixture.deviations),
  };
}

/** The generator's mixtures, where the gradient of pi moves the network of pi alone. */
function generateApart(
  weights: Weights,
  config: ModelConfig,
  pooled: tf.Tensor,
  evidence: tf.Tensor,
): MixtureTensors {
  const of = (pooled: tf.Tensor) =>
    generatePreference(weights, config, pooled, evidence);
  const { logWeights } = of(stopGradient(pooled));
  return { ...of(pooled), logWeights };
}

/**
 * The network on a training batch.
 *
 * @param kind The loss's. The values do not depend on it, but their gradients
 * do: for `paper` those of the logits do not reach pi, and those of pi reach
 * nothing but its own network.
 * @returns Logits [B, N, pixels], the log of their shares [B, N], and the
 * mixtures.
 */
export function forward(
  weights: Weights,
  config: ModelConfig,
  batch: StepBatch,
  kind: LossOptions["kind"],
): { logits: tf.Tensor; logShares: tf.Tensor; mixture: MixtureTensors } {
  const B = batch.target.shape[0];
  const paper = kind === "paper";
  const generate = paper ? generateApart : generatePreference;
  const { embedding, detail } = batch.frozenEmbedding
    ? adaptFeatures(weights, config, batch.frozenEmbedding, batch.pixels)
    : encodeImage(weights, config, batch.pixels);
  const prompts = encodePrompts(weights, config, batch);
  const feedback = encodeFeedback(
    weights,
    config,
    repeatImages(embedding, B),
    prompts,
  );
  const guess = generate(weights, config, feedback.pooled, batch.evidence);
  const mixture = {
    ...guess,
    logWeights: tf.logSoftmax(tf.add(guess.logWeights, batch.profile)),
  };
  const { logWeights, means, deviations } = drawComponents(
    mixture,
    batch.drawn,
  );
  const pi = tf.exp(logWeights);
  const logits = decodeMasks(weights, config, {
    feedback,
    prompts,
    latents: tf.add(means, tf.mul(deviations, batch.noise)),
    choice: batch.choice,
    hasMask: batch.hasMask,
    shares: paper ? stopGradient(pi) : pi,
    detail: detail && repeatImages(detail, B),
  });
  return {
    logits: tf.reshape(logits, [B, batch.noise.shape[1]!, -1]),
    logShares: logWeights,
    mixture,
  };
}

/** The same tensor, to be disposed of like any other. */
function unkeep(kept: tf.Tensor): tf.Tensor {
  const copy = tf.clone(kept);
  kept.dispose();
  return copy;
}

/** A batch's loss and further outputs. */
export interface BatchLoss<Outputs> {
  /** A scalar. */
  readonly loss: tf.Scalar;
  /** Tensors that the step returns besides. */
  readonly outputs: Outputs;
}

/**
 * Builds a step of the optimizer.
 *
 * @param declared The network's weights; the trainable ones are trained.
 * @param lossOf The loss of a batch.
 * @returns A function from a step's inputs to the next state, the loss, the
 * gradient's norm, and the outputs of `lossOf`.
 */
export function optimizerStep<Batch, Outputs extends Record<string, tf.Tensor>>(
  declared: WeightDeclarations,
  lossOf: (weights: Weights, batch: Batch) => BatchLoss<Outputs>,
  adam: AdamOptions,
): (inputs: StepInputs<Batch>) => Outputs & {
  state: OptimizerState;
  loss: tf.Tensor;
  norm: tf.Tensor;
} {
  const trained = [...declared].filter(([, { trainable }]) => trainable);
  return ({ state, frozen, batch, scalars }) => {
    let offset = 0;
    const parts = trained.map(([, { shape }]) => {
      const size = sizeOf(shape);
      const part = tf.slice1d(state.parameters as tf.Tensor1D, offset, size);
      offset += size;
      return tf.reshape(part, [...shape]);
    });
    let kept!: Outputs;
    const { value, grads } = valueAndGrads((...tensors: tf.Tensor[]) => {
      const weights: Record<string, tf.Tensor> = { ...frozen };
      trained.forEach(([name], i) => weights[name] = tensors[i]);
      const { loss, outputs } = lossOf(weights, batch);
      // kept, as the tape's end disposes of what it does not return
      kept = mapValues(outputs, tf.keep);
      return loss;
    })(parts);
    const gradient = tf.concat(grads.map((g) => tf.reshape(g, [-1])));
    const next = adamStep(state, gradient, scalars, adam);
    return {
      ...mapValues(kept, unkeep),
      state: next.state,
      loss: value,
      norm: next.norm,
    };
  };
}

/** A record with every tensor mapped. */
function mapValues<T extends Record<string, tf.Tensor>>(
  record: T,
  map: (tensor: tf.Tensor) => tf.Tensor,
): T {
  return Object.fromEntries(
    Object.entries(record).map(([name, tensor]) => [name, map(tensor)]),
  ) as T;
}

/** The outputs that the simulated users of a step need. */
export type UserOutputs = Record<"probabilities" | "logWeights", tf.Tensor>;

/**
 * Builds the step of a config.
 *
 * @returns See `optimizerStep`; the outputs are probabilities [B, N, pixels] and
 * log pi [B, M].
 */
export function trainingStep(
  config: ModelConfig,
  loss: LossOptions,
  adam: AdamOptions,
): ReturnType<typeof optimizerStep<StepBatch, UserOutputs>> {
  return optimizerStep(declareWeights(config), (weights, batch) => {
    const { logits, logShares, mixture } = forward(
      weights,
      config,
      batch,
      loss.kind,
    );
    const target = tf.reshape(batch.target, [logits.shape[0], -1]);
    const { logWeights } = mixture;
    return {
      loss: alignmentLoss(logits, logShares, target, loss),
      outputs: { probabilities: tf.sigmoid(logits), logWeights },
    };
  }, adam);
}
