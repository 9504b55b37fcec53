import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import type { ModelConfig, VitConfig } from "../../src/model/config.ts";
import { encodeImage } from "../../src/model/image_encoder.ts";
import { transformerBlock } from "../../src/model/layers.ts";
import type { Weights } from "../../src/model/weights.ts";
import { assertClose } from "../helpers/engine_helpers.ts";
import {
  asTensors,
  noisyWeights,
  normalTensor,
  smallConfig,
  withDecoder,
} from "../helpers/small_model.ts";

tf.enableProdMode();
await tf.setBackend("cpu");

/** A convolution with PyTorch's kernel [out, in, k, k]. */
function convolve(
  x: tf.Tensor,
  kernel: tf.Tensor,
  stride: number,
  padding: "same" | "valid",
): tf.Tensor {
  const order = tf.transpose(kernel, [2, 3, 1, 0]) as tf.Tensor4D;
  return tf.conv2d(x as tf.Tensor4D, order, stride, padding);
}

/** SAM's LayerNorm2d. */
function norm(weights: Weights, name: string, x: tf.Tensor): tf.Tensor {
  const { mean, variance } = tf.moments(x, -1, true);
  const normal = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-6)));
  return tf.add(
    tf.mul(normal, weights[`${name}.weight`]),
    weights[`${name}.bias`],
  );
}

/** segment-anything's ImageEncoderViT, from patch tokens on. */
function encodeTokens(
  weights: Weights,
  config: ModelConfig,
  tokens: tf.Tensor,
): tf.Tensor {
  const { channels: E, depth, heads } = config.encoder as VitConfig;
  let x: tf.Tensor = tf.reshape(tokens, [-1, 16, E]);
  for (let i = 0; i < depth; i++) {
    x = transformerBlock(weights, `image_encoder.blocks.${i}`, x, heads);
  }
  x = tf.reshape(x, [-1, 4, 4, E]);
  x = convolve(x, weights["image_encoder.neck.0.weight"], 1, "valid");
  x = norm(weights, "image_encoder.neck.1", x);
  x = convolve(x, weights["image_encoder.neck.2.weight"], 1, "same");
  return norm(weights, "image_encoder.neck.3", x);
}

/** Patches to tokens by SAM's PatchEmbed, a convolution of stride P. */
function embedPatches(weights: Weights, pixels: tf.Tensor): tf.Tensor {
  const name = "image_encoder.patch_embed.proj";
  const patches = tf.add(
    convolve(pixels, weights[`${name}.weight`], 8, "valid"),
    weights[`${name}.bias`],
  );
  return tf.add(patches, weights["image_encoder.pos_embed"]);
}

Deno.test("encodeImage() is segment-anything's ViT with its neck", () => {
  const config = withDecoder({ detailChannels: 0 });
  tf.tidy(() => {
    const weights = asTensors(noisyWeights(config));
    const pixels = normalTensor([2, 32, 32, 3], 1);
    const { embedding, detail } = encodeImage(weights, config, pixels);
    const expected = encodeTokens(
      weights,
      config,
      embedPatches(weights, pixels),
    );
    assert.equal(detail, undefined);
    assert.deepEqual(embedding.shape, [2, 4, 4, config.channels]);
    assertClose(embedding.dataSync(), expected.dataSync(), 1e-5);
  });
});

Deno.test("encodeImage() adds a convolutional network's features at twice the resolution", () => {
  const config = smallConfig;
  tf.tidy(() => {
    const weights = asTensors(noisyWeights(config));
    const pixels = normalTensor([2, 32, 32, 3], 2);
    const gelu = (x: tf.Tensor) =>
      tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.div(x, Math.SQRT2))));
    /** A linear layer on each block of side x side pixels, channels outermost. */
    const blocks = (
      x: tf.Tensor,
      name: string,
      side: number,
      order: number[],
      shape: number[],
    ) => {
      const matrix = tf.reshape(weights[`${name}.weight`], shape);
      const kernel = tf.transpose(matrix, order) as tf.Tensor4D;
      return tf.add(
        tf.conv2d(x as tf.Tensor4D, kernel, side, "valid"),
        weights[`${name}.bias`],
      );
    };
    const name = "image_encoder.detail";
    const D = config.decoder.detailChannels;
    const E = (config.encoder as VitConfig).channels;
    let x = gelu(blocks(pixels, `${name}.0`, 4, [2, 3, 1, 0], [D, 3, 4, 4]));
    x = gelu(convolve(x, weights[`${name}.1.weight`], 1, "same")); // [2, 8, 8, D]
    const tokens = tf.add(
      embedPatches(weights, pixels),
      // the four pixels of a cell side by side, channels innermost
      blocks(x, `${name}.to_patch`, 2, [1, 2, 3, 0], [E, 2, 2, D]),
    );
    const features = blocks(x, `${name}.2`, 1, [2, 3, 1, 0], [10, D, 1, 1]);
    const expected = features.arraySync() as number[][][][];

    const { embedding, detail } = encodeImage(weights, config, pixels);
    assertClose(
      embedding.dataSync(),
      encodeTokens(weights, config, tokens).dataSync(),
      1e-5,
    );
    // block order: cells row by row, in each its four pixels row by row
    assert.deepEqual(detail!.shape, [2, 16, 4 * 10]);
    const inOrder = expected.flatMap((image) =>
      Array.from({ length: 16 }, (_, cell) => {
        const [top, left] = [2 * Math.floor(cell / 4), 2 * (cell % 4)];
        return [
          ...image[top].slice(left, left + 2).flat(),
          ...image[top + 1].slice(left, left + 2).flat(),
        ];
      }).flat()
    );
    assertClose(detail!.dataSync(), inOrder, 1e-5);
  });
});
