/** Adam on one flat vector, as a pure function. */

import * as tf from "../engine/tf.ts";

/** Parameters and Adam's moments, each a vector [P]. */
export interface OptimizerState {
  readonly parameters: tf.Tensor;
  readonly firstMoment: tf.Tensor;
  readonly secondMoment: tf.Tensor;
  /** Exponential moving average of the parameters. */
  readonly average: tf.Tensor;
}

/** The scalars that change from step to step. */
export interface StepScalars {
  readonly learningRate: tf.Tensor;
  /** See `biasCorrections`. */
  readonly firstCorrection: tf.Tensor;
  /** Likewise. */
  readonly secondCorrection: tf.Tensor;
  /** Share of the old average that is kept. */
  readonly averageDecay: tf.Tensor;
}

/** Adam's constants, `defaultAdam` by default. */
export interface AdamOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  /** Decoupled weight decay, relative to the learning rate. */
  readonly weightDecay?: number;
  /** Largest norm of the gradient; a longer one is scaled down. */
  readonly clipNorm?: number;
}

/** The constants of all training here. */
export const defaultAdam: Required<AdamOptions> = {
  beta1: 0.9,
  beta2: 0.98,
  weightDecay: 0.02,
  clipNorm: 1,
};

/**
 * The corrections of moments that start from 0, in the t-th step: 1 - beta1^t
 * and 1 - beta2^t (Kingma and Ba 2015, section 3).
 *
 * @param t The step, from 1.
 * @param options Those that `adamStep` is given.
 */
export function biasCorrections(
  t: number,
  { beta1 = defaultAdam.beta1, beta2 = defaultAdam.beta2 }: AdamOptions = {},
): { firstCorrection: number; secondCorrection: number } {
  return { firstCorrection: 1 - beta1 ** t, secondCorrection: 1 - beta2 ** t };
}

/**
 * One step of Adam with decoupled weight decay (Kingma and Ba 2015; Loshchilov
 * and Hutter 2019), after clipping the gradient's norm.
 *
 * @returns The next state and the gradient's norm before clipping.
 */
export function adamStep(
  state: OptimizerState,
  gradient: tf.Tensor,
  scalars: StepScalars,
  {
    beta1 = defaultAdam.beta1,
    beta2 = defaultAdam.beta2,
    weightDecay = defaultAdam.weightDecay,
    clipNorm = defaultAdam.clipNorm,
  }: AdamOptions = {},
): { state: OptimizerState; norm: tf.Tensor } {
  const norm = tf.sqrt(tf.sum(tf.square(gradient)));
  const factor = tf.minimum(1, tf.div(clipNorm, tf.add(norm, 1e-6)));
  const g = tf.mul(gradient, factor);
  const firstMoment = tf.add(
    tf.mul(state.firstMoment, beta1),
    tf.mul(g, 1 - beta1),
  );
  const secondMoment = tf.add(
    tf.mul(state.secondMoment, beta2),
    tf.mul(tf.square(g), 1 - beta2),
  );
  const { learningRate, firstCorrection, secondCorrection } = scalars;
  const step = tf.div(
    tf.div(firstMoment, firstCorrection),
    tf.add(tf.sqrt(tf.div(secondMoment, secondCorrection)), 1e-8),
  );
  const parameters = tf.sub(
    state.parameters,
    tf.mul(
      learningRate,
      tf.add(step, tf.mul(state.parameters, weightDecay)),
    ),
  );
  const average = tf.add(
    parameters,
    tf.mul(scalars.averageDecay, tf.sub(state.average, parameters)),
  );
  return {
    state: { parameters, firstMoment, secondMoment, average },
    norm,
  };
}
