import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import {
  encodeFeedback,
  encodePrompts,
  gridPositions,
  PointLabel,
} from "../../src/model/prompt_encoder.ts";
import { assertClose } from "../helpers/engine_helpers.ts";
import {
  asTensors,
  noisyWeights,
  normalTensor,
  smallConfig,
} from "../helpers/small_model.ts";

tf.enableProdMode();
await tf.setBackend("cpu");

const { channels: L, imageSize: S } = smallConfig; // 16 and 32; h = 4
const host = noisyWeights(smallConfig);
const gaussian =
  host.get("prompt_encoder.pe_layer.positional_encoding_gaussian_matrix")!.data;

/** SAM's `PositionEmbeddingRandom` at (x, y) in 0..1. */
function position(x: number, y: number): number[] {
  const phases = Array.from(
    { length: L / 2 },
    (_, i) =>
      2 * Math.PI *
      ((2 * x - 1) * gaussian[i] + (2 * y - 1) * gaussian[L / 2 + i]),
  );
  return [...phases.map(Math.sin), ...phases.map(Math.cos)];
}

const embedding = (name: string) => [
  ...host.get(`prompt_encoder.${name}.weight`)!.data,
];
const plus = (a: number[], b: number[]) => a.map((value, i) => value + b[i]);

/** Prompts of one image without a mask. */
function prompts(
  points: number[][],
  labels: number[],
  extra: { mask?: tf.Tensor; clicks?: tf.Tensor; hasMask?: number } = {},
) {
  return encodePrompts(asTensors(host), smallConfig, {
    points: tf.tensor(points.flat(), [1, points.length, 2]),
    labels: tf.tensor(labels, [1, labels.length]),
    mask: extra.mask ?? tf.zeros([1, 16, 16, 4]),
    clicks: extra.clicks ?? tf.zeros([1, 16, 16, 1]),
    hasMask: tf.tensor1d([extra.hasMask ?? 0]),
  });
}

Deno.test("gridPositions() encodes the centers of the grid's cells, row by row", () => {
  const actual = tf.tidy(() =>
    gridPositions(asTensors(host), smallConfig).dataSync()
  );
  const expected = Array.from(
    { length: 16 },
    (_, i) => position((i % 4 + 0.5) / 4, (Math.floor(i / 4) + 0.5) / 4),
  ).flat();
  assertClose(actual, expected, 1e-5);
});

Deno.test("encodePrompts() embeds each point as SAM does: position and label", () => {
  tf.tidy(() => {
    const points = [[0, 0], [31, 15], [7.5, 20], [3, 30], [5, 5], [9, 9]];
    const labels = [
      PointLabel.positive,
      PointLabel.negative,
      PointLabel.boxTopLeft,
      PointLabel.boxBottomRight,
      PointLabel.padding,
      PointLabel.empty,
    ];
    const { sparse, filled } = prompts(points, labels);
    // pixel centers: half a pixel to the right and below, over the side
    const at = (i: number) =>
      position((points[i][0] + 0.5) / S, (points[i][1] + 0.5) / S);
    const expected = [
      plus(at(0), embedding("point_embeddings.1")),
      plus(at(1), embedding("point_embeddings.0")),
      plus(at(2), embedding("point_embeddings.2")),
      plus(at(3), embedding("point_embeddings.3")),
      embedding("not_a_point_embed"),
      new Array(L).fill(0),
    ];
    assertClose(sparse.dataSync(), expected.flat(), 1e-5);
    assert.deepEqual([...filled.dataSync()], [1, 1, 1, 1, 1, 0]);
  });
});

Deno.test("encodePrompts() gives every cell no_mask_embed where there is no mask", () => {
  tf.tidy(() => {
    const mask = normalTensor([1, 16, 16, 4], 1); // not looked at
    const { dense } = prompts([[3, 3]], [1], { mask });
    const bias = [...host.get("prompt_encoder.click_map.bias")!.data];
    const cell = plus(embedding("no_mask_embed"), bias);
    assert.deepEqual(dense.shape, [1, 16, L]);
    assertClose(
      dense.dataSync(),
      Array.from({ length: 16 }, () => cell).flat(),
      1e-5,
    );
  });
});

Deno.test("encodePrompts() embeds a mask with SAM's strided convolutions", () => {
  tf.tidy(() => {
    const weights = asTensors(host);
    const name = "prompt_encoder.mask_downscaling";
    const mask = normalTensor([1, 16, 16, 4], 2);
    const clicks = normalTensor([1, 16, 16, 1], 3);
    let x = mask;
    for (const [convolution, normalization] of [[0, 1], [3, 4]]) {
      const kernel = weights[`${name}.${convolution}.weight`];
      x = tf.add(
        tf.conv2d(
          x as tf.Tensor4D,
          tf.transpose(kernel, [2, 3, 1, 0]) as tf.Tensor4D,
          2,
          "valid",
        ),
        weights[`${name}.${convolution}.bias`],
      );
      const { mean, variance } = tf.moments(x, -1, true);
      x = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-6)));
      x = tf.add(
        tf.mul(x, weights[`${name}.${normalization}.weight`]),
        weights[`${name}.${normalization}.bias`],
      );
      x = tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.div(x, Math.SQRT2))));
    }
    const last = tf.transpose(weights[`${name}.6.weight`], [2, 3, 1, 0]);
    const ofMask = tf.add(
      tf.conv2d(x as tf.Tensor4D, last as tf.Tensor4D, 1, "valid"),
      weights[`${name}.6.bias`],
    );
    // clicks: a linear layer on each cell's 4 x 4 pixels
    const matrix = weights["prompt_encoder.click_map.weight"]; // [L, 16]
    const kernel = tf.reshape(tf.transpose(matrix), [4, 4, 1, L]);
    const ofClicks = tf.add(
      tf.conv2d(clicks as tf.Tensor4D, kernel as tf.Tensor4D, 4, "valid"),
      weights["prompt_encoder.click_map.bias"],
    );
    const expected = tf.add(ofMask, ofClicks);
    const { dense } = prompts([[3, 3]], [1], { mask, clicks, hasMask: 1 });
    assertClose(dense.dataSync(), expected.dataSync(), 1e-5);
  });
});

Deno.test("encodeFeedback() pools filled slots only, and any number of empty ones", () => {
  tf.tidy(() => {
    const weights = asTensors(host);
    const image = normalTensor([1, 4, 4, L], 4);
    const pooled = (points: number[][], labels: number[]) =>
      encodeFeedback(weights, smallConfig, image, prompts(points, labels))
        .pooled.dataSync();
    const { positive, empty } = PointLabel;
    const one = pooled([[3, 4]], [positive]);
    assert.equal(one.length, 4 * L);
    const padded = pooled([[3, 4], [0, 0], [9, 9], [1, 1]], [
      positive,
      empty,
      empty,
      empty,
    ]);
    assertClose(padded, one, 1e-6);
    // the second quarter is the mean token
    const token = plus(
      position(3.5 / S, 4.5 / S),
      embedding("point_embeddings.1"),
    );
    assertClose(one.subarray(L, 2 * L), token, 1e-5);
  });
});
