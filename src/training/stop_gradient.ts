import * as tf from "../engine/tf.ts";

/** The same values, without a gradient. */
export function stopGradient(x: tf.Tensor): tf.Tensor {
  const identity = tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy) => tf.zerosLike(dy as tf.Tensor),
  }));
  return identity(x);
}
