/** The losses of training over a batch of samples. */

import * as tf from "../engine/tf.ts";

/**
 * The kind of the loss, and the weights of its terms. y is the user's mask at
 * the decoder's resolution, y_m component m's one sample, and a cost the mean
 * over pixels of its cross-entropy, in nats, plus `dice` times (1 - soft Dice).
 */
export interface LossOptions {
  /**
   * `marginal` (default): the tempered log-likelihood of the whole mask under
   * the mixture, -(1 / T') log sum_m pi_m exp(-T' cost of y_m), plus `mean` times
   * the cost of the mean probability, plus `each` times the mean cost. For given
   * masks y_m the likelihood's gradient with respect to the logits of pi is
   * (pi - responsibility) / T'. Once there is a choice, the masks depend on pi
   * themselves, which weights the mean logit that goes to the choice
   * (`keepChoice`), and the gradient of every term flows that way as well.
   *
   * `paper`: cross-entropy of the mean probability, which moves all but the
   * network of pi, and the mean squared error of pi against the E-step's
   * responsibilities, which moves that network alone; in one update. Where the
   * two would meet, gradients stop.
   */
  readonly kind: "marginal" | "paper";
  /**
   * Share of the mask's pixels that count as independent, above 0; the
   * likelihood's exponent, and that of the responsibilities, is T' = share *
   * pixels, of at most 64 x 64, as a finer map says nothing more of the mask's
   * kind. Default 0.15.
   */
  readonly temperature: number;
  /** `marginal`: weight of (1 - soft Dice) in the costs, from 0. Default 0.3. */
  readonly dice: number;
  /** `marginal`: weight of the mean probability's cost, from 0. Default 0.3. */
  readonly mean: number;
  /** `marginal`: weight of the samples' mean cost, from 0. Default 0.05. */
  readonly each: number;
}

/** Pixels that the exponent counts at most. */
const MOST_PIXELS = 64 ** 2;

/** The default loss. */
export const defaultLoss: LossOptions = {
  kind: "marginal",
  temperature: 0.15,
  dice: 0.3,
  mean: 0.3,
  each: 0.05,
};

/** (1 - soft Dice) of probabilities and targets over the last axis. */
function diceLoss(p: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const overlap = tf.sum(tf.mul(p, y), -1);
  const total = tf.add(tf.sum(p, -1), tf.sum(y, -1));
  return tf.sub(1, tf.div(tf.add(tf.mul(overlap, 2), 1), tf.add(total, 1)));
}

/** Cross-entropy of probabilities p against y, mean over the last axis. */
function crossEntropy(p: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const q = tf.clipByValue(p, 1e-5, 1 - 1e-5);
  return tf.neg(tf.mean(
    tf.add(
      tf.mul(y, tf.log(q)),
      tf.mul(tf.sub(1, y), tf.log(tf.sub(1, q))),
    ),
    -1,
  ));
}

/**
 * The loss of a batch.
 *
 * @param logits Mask logits of the samples, [B, N, pixels].
 * @param logWeights log of each sample's share of the mixture, [B, N].
 * @param target The user's mask, 0..1, [B, pixels].
 * @returns The loss, a scalar.
 */
export function alignmentLoss(
  logits: tf.Tensor,
  logWeights: tf.Tensor,
  target: tf.Tensor,
  options: LossOptions,
): tf.Scalar {
  const [B, N, pixels] = logits.shape;
  const y = tf.reshape(target, [B, 1, pixels!]);
  const p = tf.sigmoid(logits);
  const entropy = tf.mean(
    tf.sub(tf.softplus(logits), tf.mul(logits, y)),
    2,
  ); // [B, N]
  const cost = tf.add(entropy, tf.mul(diceLoss(p, y), options.dice));
  const paper = options.kind === "paper";
  const pi = tf.exp(logWeights);
  const shares = tf.reshape(paper ? stopGradient(pi) : pi, [B, 1, N!]);
  const mean = tf.reshape(tf.matMul(shares, p), [B, pixels!]);
  const meanEntropy = tf.mean(crossEntropy(mean, target));
  const meanDice = tf.mean(diceLoss(mean, target));
  const exponent = Math.min(pixels!, MOST_PIXELS) * options.temperature;

  if (paper) {
    const responsibilities = tf.softmax(
      tf.sub(logWeights, tf.mul(entropy, exponent)),
    );
    const error = tf.squaredDifference(pi, stopGradient(responsibilities));
    return tf.add(meanEntropy, tf.mean(error));
  }
  const evidence = tf.logSumExp(
    tf.sub(logWeights, tf.mul(cost, exponent)),
    1,
  ); // [B]
  const likelihood = tf.div(tf.mean(evidence), -exponent);
  const ofMean = tf.mul(
    tf.add(meanEntropy, tf.mul(meanDice, options.dice)),
    options.mean,
  );
  const ofEach = tf.mul(tf.mean(cost), options.each);
  return tf.add(likelihood, tf.add(ofMean, ofEach));
}

/** The same values, without a gradient. */
export function stopGradient(x: tf.Tensor): tf.Tensor {
  const identity = tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy) => tf.zerosLike(dy as tf.Tensor),
  }));
  return identity(x);
}
