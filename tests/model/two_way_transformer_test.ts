import * as tf from "../../src/engine/tf.ts";
import {
  attendPixelsToTokens,
  attendTokensToPixels,
} from "../../src/model/two_way_transformer.ts";
import type { Weights } from "../../src/model/weights.ts";
import { assertClose } from "../helpers/engine_helpers.ts";
import { normalTensor } from "../helpers/small_model.ts";

tf.enableProdMode();
await tf.setBackend("cpu");

const [S, T, n, L, inner] = [3, 5, 7, 12, 8];

/** All four projections, biases and all. */
function attentionWeights(): Weights {
  const weights: Record<string, tf.Tensor> = {};
  ["q_proj", "k_proj", "v_proj"].forEach((part, i) => {
    weights[`a.${part}.weight`] = normalTensor([inner, L], 10 + i);
    weights[`a.${part}.bias`] = normalTensor([inner], 20 + i);
  });
  weights["a.out_proj.weight"] = normalTensor([L, inner], 30);
  weights["a.out_proj.bias"] = normalTensor([L], 31);
  return weights;
}

/** segment-anything's `Attention`: projects queries, keys and values. */
function plainAttention(
  weights: Weights,
  heads: number,
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  mask?: tf.Tensor,
): tf.Tensor {
  const project = (name: string, x: tf.Tensor) => {
    const matrix = weights[`a.${name}.weight`];
    const rows = tf.reshape(x, [-1, x.shape[2]!]);
    const y = tf.matMul(rows, matrix, false, true);
    return tf.reshape(tf.add(y, weights[`a.${name}.bias`]), [
      x.shape[0],
      x.shape[1]!,
      matrix.shape[0],
    ]);
  };
  const split = (x: tf.Tensor) =>
    tf.transpose(
      tf.reshape(x, [x.shape[0], x.shape[1]!, heads, -1]),
      [0, 2, 1, 3],
    );
  const [Q, K, V] = [
    split(project("q_proj", q)),
    split(project("k_proj", k)),
    split(project("v_proj", v)),
  ];
  let scores: tf.Tensor = tf.div(
    tf.matMul(Q, K, false, true),
    Math.sqrt(inner / heads),
  );
  if (mask) scores = tf.add(scores, mask);
  const out = tf.transpose(tf.matMul(tf.softmax(scores), V), [0, 2, 1, 3]);
  return project("out_proj", tf.reshape(out, [S, -1, inner]));
}

for (const heads of [1, 2, 4]) {
  Deno.test(`attendTokensToPixels() is SAM's attention with ${heads} heads`, () => {
    tf.tidy(() => {
      const weights = attentionWeights();
      const tokens = normalTensor([S, T, L], 1);
      const pixels = normalTensor([S, n, L], 2);
      const placed = tf.add(pixels, normalTensor([n, L], 3));
      const expected = plainAttention(
        weights,
        heads,
        tokens,
        placed,
        pixels,
      );
      const actual = attendTokensToPixels(
        weights,
        "a",
        tokens,
        pixels,
        placed,
        heads,
      );
      assertClose(actual.shape, expected.shape, 0);
      assertClose(actual.dataSync(), expected.dataSync(), 1e-5);
    });
  });

  Deno.test(`attendPixelsToTokens() is SAM's attention with ${heads} heads, masked tokens left out`, () => {
    tf.tidy(() => {
      const weights = attentionWeights();
      const placed = normalTensor([S, n, L], 4);
      const keys = normalTensor([S, T, L], 6);
      const tokens = normalTensor([S, T, L], 7);
      // another token left out in each sample, in the second one two
      // deno-fmt-ignore
      const mask = tf.tensor([
        0, 0, 0, 0, -1e9,
        0, -1e9, 0, -1e9, 0,
        0, 0, 0, 0, 0,
      ], [S, 1, 1, T]);
      const expected = plainAttention(
        weights,
        heads,
        placed,
        keys,
        tokens,
        mask,
      );
      const actual = attendPixelsToTokens(
        weights,
        "a",
        placed,
        keys,
        tokens,
        mask,
        heads,
      );
      assertClose(actual.shape, expected.shape, 0);
      assertClose(actual.dataSync(), expected.dataSync(), 1e-5);
    });
  });
}
