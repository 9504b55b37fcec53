/**
 * The probabilistic U-Net (Kohl et al., 2018): a latent of six numbers, whose
 * prior sees the image and whose posterior, in training, the mask as well, joins
 * the U-Net's last features. Samples of the prior give a mask each.
 */

import * as tf from "../engine/tf.ts";
import { linear } from "../model/layers.ts";
import { maskSide } from "../model/config.ts";
import { sizeOf } from "../engine/tensors.ts";
import type { Weights } from "../model/weights.ts";
import { packPixels } from "./backbone.ts";
import { drawRater } from "./examples.ts";
import type { BaselineConfig, Inputs, Method } from "./method.ts";
import {
  declare,
  declareDecoder,
  declareEncoder,
  declareLinear,
  decode,
  encode,
  imagePatches,
  patchChannels,
  widthsOf,
} from "./unet_network.ts";

/** Channels of the latent. */
const LATENT = 6;

/** Weight of the divergence beside the cross-entropy summed over pixels. */
const BETA = 10;

/** A Gaussian with a diagonal covariance, [B, LATENT] each. */
interface Gaussian {
  readonly mean: tf.Tensor;
  readonly logDeviation: tf.Tensor;
}

/** The Gaussian that an encoder sees in [B, m, m, c]. */
function gaussianOf(weights: Weights, name: string, x: tf.Tensor): Gaussian {
  const features = encode(weights, `${name}.encoder`, x).at(-1)!;
  const pooled = tf.mean(features, [1, 2]);
  const moments = linear(weights, `${name}.moments`, pooled);
  const [mean, logDeviation] = tf.split(moments, 2, 1);
  return { mean, logDeviation };
}

/** KL(posterior || prior), [B]. */
function divergence(posterior: Gaussian, prior: Gaussian): tf.Tensor {
  const ratio = tf.sub(posterior.logDeviation, prior.logDeviation);
  const distance = tf.mul(
    tf.sub(posterior.mean, prior.mean),
    tf.exp(tf.neg(prior.logDeviation)),
  );
  const terms = tf.sub(
    tf.mul(tf.add(tf.exp(tf.mul(ratio, 2)), tf.square(distance)), 0.5),
    tf.add(ratio, 0.5),
  );
  return tf.sum(terms, 1);
}

/** The logits of samples, [B, n, m, m]; noise is standard normal, [B, n, LATENT]. */
function sampleLogits(
  weights: Weights,
  { network }: BaselineConfig,
  patches: tf.Tensor,
  { mean, logDeviation }: Gaussian,
  noise: tf.Tensor,
): tf.Tensor {
  const side = maskSide(network);
  const [B, n] = noise.shape;
  const latents = tf.add(
    tf.expandDims(mean, 1),
    tf.mul(tf.expandDims(tf.exp(logDeviation), 1), noise),
  );
  const features = encode(weights, "unet.encoder", patches);
  const decoded = decode(weights, "unet.decoder", features);
  // a linear layer over [features ; latent], without building the two together
  const ofImage = linear(weights, "fusion.image", decoded);
  const ofLatent = linear(weights, "fusion.latent", latents);
  let x: tf.Tensor = tf.relu(tf.add(
    tf.reshape(ofImage, [B, 1, side * side, -1]),
    tf.expandDims(ofLatent, 2),
  ));
  x = tf.relu(linear(weights, "fusion.1", x));
  return tf.reshape(linear(weights, "head", x), [B, n!, side, side]);
}

/** The prior of images. */
function priorOf(
  weights: Weights,
  { network }: BaselineConfig,
  { pixels }: Inputs,
): { patches: tf.Tensor; prior: Gaussian } {
  const patches = imagePatches(network, pixels);
  return { patches, prior: gaussianOf(weights, "prior", patches) };
}

export const probabilisticUNet: Method = {
  interaction: "none",
  declare: ({ network }) => {
    const c = patchChannels(network);
    const widths = widthsOf(network);
    const [finest, coarsest] = [widths[0], widths.at(-1)!];
    return declare(
      declareEncoder("unet.encoder", network, c),
      declareDecoder("unet.decoder", network),
      declareLinear("fusion.image", finest, finest),
      declareLinear("fusion.latent", LATENT, finest),
      declareLinear("fusion.1", finest, finest),
      declareLinear("head", finest, 1),
      ...[["prior", c] as const, ["posterior", c + 1] as const].flatMap((
        [name, inputs],
      ) => [
        declareEncoder(`${name}.encoder`, network, inputs),
        declareLinear(`${name}.moments`, coarsest, 2 * LATENT),
      ]),
    );
  },
  draw: drawRater,
  pack: ({ network }, examples, samples, random) => {
    const shape = [examples.length, samples, LATENT];
    const noise = Float32Array.from(
      { length: sizeOf(shape) },
      () => random.normal(),
    );
    const pixels = packPixels(network, examples);
    return { pixels, noise: { data: noise, shape } };
  },
  logits: (weights, config, inputs) => {
    const { patches, prior } = priorOf(weights, config, inputs);
    return sampleLogits(weights, config, patches, prior, inputs.noise);
  },
  learn: (weights, config, inputs, target) => {
    const { patches, prior } = priorOf(weights, config, inputs);
    const side = maskSide(config.network);
    const mask = tf.reshape(target, [target.shape[0], side, side, 1]);
    const posterior = gaussianOf(
      weights,
      "posterior",
      tf.concat([patches, mask], 3),
    );
    const apart = tf.mean(divergence(posterior, prior));
    return {
      logits: sampleLogits(weights, config, patches, posterior, inputs.noise),
      penalty: tf.mul(apart, BETA / side ** 2),
    };
  },
};
