/**
 * The preference generator: pooled feedback to the preference distribution
 * p(z), a Gaussian mixture (SPA, Zhu et al., ICCV 2025).
 */

import * as tf from "../engine/tf.ts";
import { type ModelConfig, momentChannels } from "./config.ts";
import { mlp } from "./layers.ts";
import type { Weights } from "./weights.ts";

/** Standard deviations stay within these bounds. */
const DEVIATION_RANGE = [0.02, 2] as const;

/** The mixture as tensors. */
export interface MixtureTensors {
  /** log pi, [B, M]. */
  readonly logWeights: tf.Tensor;
  /** mu, [B, M, d]. */
  readonly means: tf.Tensor;
  /** sigma, [B, M, d]. */
  readonly deviations: tf.Tensor;
}

/**
 * Predicts the mixture: means as residuals around learned anchors, so that a
 * component keeps its meaning from one iteration to the next, and weights with
 * the evidence of the choices added in log space.
 *
 * @param pooled Pooled feedback, [B, 4L].
 * @param evidence Accumulated log evidence a, [B, M].
 */
export function generatePreference(
  weights: Weights,
  config: ModelConfig,
  pooled: tf.Tensor,
  evidence: tf.Tensor,
): MixtureTensors {
  const { components: M, latentChannels: d } = config;
  const c = momentChannels(config);
  const B = pooled.shape[0];
  const name = "preference_generator";
  const moments = tf.reshape(
    mlp(weights, `${name}.moments`, pooled),
    [B, 2, M, c],
  );
  const part = (i: number) =>
    tf.reshape(tf.slice(moments, [0, i], [B, 1]), [B, M, c]);
  const perChannel = (x: tf.Tensor) => c === d ? x : tf.tile(x, [1, 1, d]);
  const means = tf.add(weights[`${name}.anchor_means`], part(0));
  const [low, high] = DEVIATION_RANGE;
  const deviations = tf.add(
    tf.mul(tf.sigmoid(tf.sub(part(1), 1.5)), high - low),
    low,
  );
  const logits = mlp(
    weights,
    `${name}.weights`,
    tf.concat([pooled, evidence], 1),
  );
  return {
    logWeights: tf.logSoftmax(tf.add(logits, evidence)),
    means: perChannel(means),
    deviations: perChannel(deviations),
  };
}
