/** Intensities as the image encoder takes them. */

import * as tf from "../engine/tf.ts";
import type { ModelConfig } from "./config.ts";

/** The least span that "min-max" stretches; MedSAM's. */
const MIN_SPAN = 1e-8;

/** Least and greatest value of an image, where the config stretches them. */
export function valueRange(
  { pixelScaling }: ModelConfig,
  values: ArrayLike<number>,
): { low: number; span: number } {
  if (pixelScaling !== "min-max") return { low: 0, span: 1 };
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return { low, span: Math.max(high - low, MIN_SPAN) };
}

/** An image [1, S, S, 3] with its last row and column repeated to the square's. */
function repeatEdges(image: tf.Tensor, height: tf.Tensor, width: tf.Tensor) {
  const at = tf.range(0, image.shape[1]!);
  const upTo = (size: tf.Tensor) =>
    tf.cast(tf.minimum(at, tf.sub(size, 1)), "int32") as tf.Tensor1D;
  return tf.gather(tf.gather(image, upTo(height), 1), upTo(width), 2);
}

/**
 * The same and the rest of the preprocessing as a part of a program: mean,
 * deviation, and zeros (SAM) or the image's edge where there is no image.
 *
 * @param config The network's config.
 * @param image An image at the top left of a square, [1, S, S, 3].
 * @param size Its height and width there, [2].
 * @returns [1, S, S, 3].
 */
export function normalizePixels(
  config: ModelConfig,
  image: tf.Tensor,
  size: tf.Tensor,
): tf.Tensor {
  const S = config.imageSize;
  const at = tf.range(0, S);
  const [height, width] = tf.split(size, 2);
  const inside = tf.logicalAnd(
    tf.reshape(tf.less(at, height), [1, S, 1, 1]),
    tf.reshape(tf.less(at, width), [1, 1, S, 1]),
  );
  let x = config.sam ? image : repeatEdges(image, height, width);
  if (config.pixelScaling === "min-max") {
    const low = tf.min(tf.where(inside, x, tf.scalar(Infinity)));
    const high = tf.max(tf.where(inside, x, tf.scalar(-Infinity)));
    x = tf.div(tf.sub(x, low), tf.maximum(tf.sub(high, low), MIN_SPAN));
  }
  x = tf.div(
    tf.sub(x, tf.tensor1d([...config.pixelMean])),
    tf.tensor1d([...config.pixelDeviation]),
  );
  return config.sam ? tf.where(inside, x, tf.scalar(0)) : x;
}
