/** The decoder against segment-anything's own formulation of it. */
import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import {
  embeddingSide,
  maskSide,
  type ModelConfig,
} from "../../src/model/config.ts";
import { decodeMasks } from "../../src/model/mask_decoder.ts";
import { gridPositions } from "../../src/model/prompt_encoder.ts";
import type { Weights } from "../../src/model/weights.ts";
import { assertClose } from "../helpers/engine_helpers.ts";
import {
  asTensors,
  noisyWeights,
  normalTensor,
  withDecoder,
} from "../helpers/small_model.ts";

tf.enableProdMode();
await tf.setBackend("cpu");

const up = "mask_decoder.output_upscaling";

/** Inputs of the decoder for B images, N samples and T prompt slots. */
function decoderInputs(config: ModelConfig, B: number, N: number, T: number) {
  const { channels: L, latentChannels: d, decoder } = config;
  const h = embeddingSide(config);
  const n = h * h;
  const image = normalTensor([B, n, L], 1);
  const dense = normalTensor([B, n, L], 3);
  return {
    feedback: {
      image,
      base: tf.add(image, dense),
      pooled: tf.zeros([B, 4 * L]),
    },
    prompts: {
      sparse: normalTensor([B, T, L], 2),
      filled: tf.ones([B, T]),
      dense,
    },
    latents: normalTensor([B, N, d], 4),
    choice: normalTensor([B, maskSide(config), maskSide(config)], 5),
    hasMask: tf.zeros([B]),
    shares: tf.fill([B, N], 1 / N),
    detail: decoder.detailChannels > 0
      ? normalTensor([B, n, 4 * decoder.upscaling[0]], 6)
      : undefined,
  };
}

type Inputs = ReturnType<typeof decoderInputs>;

/** One sample of one image, as segment-anything decodes it: [m, m]. */
function decodeAsSAM(
  weights: Weights,
  config: ModelConfig,
  inputs: Inputs,
  b: number,
  s: number,
): tf.Tensor {
  const { channels: L, decoder } = config;
  const h = embeddingSide(config);
  const n = h * h;
  const of = (x: tf.Tensor, i: number) => tf.unstack(x)[i];
  const linear = (name: string, x: tf.Tensor) =>
    tf.add(
      tf.matMul(x, weights[`${name}.weight`], false, true),
      weights[`${name}.bias`],
    );
  const norm = (name: string, x: tf.Tensor, epsilon: number) => {
    const { mean, variance } = tf.moments(x, -1, true);
    const normal = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon)));
    return tf.add(
      tf.mul(normal, weights[`${name}.weight`]),
      weights[`${name}.bias`],
    );
  };
  const gelu = (x: tf.Tensor) =>
    tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.div(x, Math.SQRT2))));
  const attention = (
    name: string,
    q: tf.Tensor,
    k: tf.Tensor,
    v: tf.Tensor,
  ) => {
    const [Q, K, V] = [["q", q] as const, ["k", k] as const, ["v", v] as const]
      .map(([part, x]) => {
        const y = linear(`${name}.${part}_proj`, x);
        const split = tf.reshape(y, [y.shape[0], decoder.heads, -1]);
        return tf.transpose(split, [1, 0, 2]);
      });
    const scores = tf.div(
      tf.matMul(Q, K, false, true),
      Math.sqrt(Q.shape[2]!),
    );
    const out = tf.transpose(tf.matMul(tf.softmax(scores), V), [1, 0, 2]);
    return linear(`${name}.out_proj`, tf.reshape(out, [q.shape[0], -1]));
  };

  const z = tf.reshape(of(of(inputs.latents, b), s), [1, -1]);
  const e = of(inputs.feedback.image, b);
  let fused = tf.concat([e, tf.tile(z, [n, 1])], 1);
  for (let i = 0; i < 3; i++) {
    fused = tf.relu(linear(`fusion.layers.${i}`, fused));
  }
  let image = tf.add(tf.add(fused, e), of(inputs.prompts.dense, b));
  const positions = gridPositions(weights, config);
  const prompts = tf.concat([
    weights["mask_decoder.mask_tokens.weight"],
    linear("mask_decoder.latent_token", z),
    of(inputs.prompts.sparse, b),
  ], 0);

  // segment-anything's TwoWayTransformer.forward
  const name = "mask_decoder.transformer";
  let tokens = prompts;
  for (let i = 0; i < decoder.depth; i++) {
    const layer = `${name}.layers.${i}`;
    if (i === 0) {
      tokens = attention(`${layer}.self_attn`, tokens, tokens, tokens);
    } else {
      const q = tf.add(tokens, prompts);
      tokens = tf.add(tokens, attention(`${layer}.self_attn`, q, q, tokens));
    }
    tokens = norm(`${layer}.norm1`, tokens, 1e-5);
    let q = tf.add(tokens, prompts);
    let k = tf.add(image, positions);
    const toImage = `${layer}.cross_attn_token_to_image`;
    tokens = tf.add(tokens, attention(toImage, q, k, image));
    tokens = norm(`${layer}.norm2`, tokens, 1e-5);
    const hidden = tf.relu(linear(`${layer}.mlp.lin1`, tokens));
    tokens = tf.add(tokens, linear(`${layer}.mlp.lin2`, hidden));
    tokens = norm(`${layer}.norm3`, tokens, 1e-5);
    q = tf.add(tokens, prompts);
    k = tf.add(image, positions);
    const toTokens = `${layer}.cross_attn_image_to_token`;
    image = tf.add(image, attention(toTokens, k, q, tokens));
    image = norm(`${layer}.norm4`, image, 1e-5);
  }
  const q = tf.add(tokens, prompts);
  const k = tf.add(image, positions);
  const last = `${name}.final_attn_token_to_image`;
  tokens = tf.add(tokens, attention(last, q, k, image));
  tokens = norm(`${name}.norm_final_attn`, tokens, 1e-5);

  // MaskDecoder.predict_masks; PyTorch's kernels are [in, out, r, r]
  const transposed = (x: tf.Tensor, layer: string) => {
    const [side, , inputs] = x.shape;
    const kernel = weights[`${up}.${layer}.weight`];
    const [, outputs, r] = kernel.shape as number[];
    const y = tf.conv2dTranspose(
      tf.reshape(x, [1, side, side, inputs!]) as tf.Tensor4D,
      tf.transpose(kernel, [2, 3, 1, 0]) as tf.Tensor4D,
      [1, r * side, r * side, outputs],
      r,
      "valid",
    );
    return tf.reshape(tf.add(y, weights[`${up}.${layer}.bias`]), [
      r * side,
      r * side,
      outputs,
    ]);
  };
  let x = transposed(tf.reshape(image, [h, h, L]), "0");
  if (inputs.detail) {
    // block order: the four pixels of each cell, row by row
    const cells = tf.reshape(of(inputs.detail, b), [h, h, 2, 2, -1]);
    const placed = tf.transpose(cells, [0, 2, 1, 3, 4]);
    x = tf.add(x, tf.reshape(placed, x.shape));
  }
  x = decoder.plainUpscaling ? tf.relu(x) : gelu(norm(`${up}.1`, x, 1e-6));
  x = transposed(x, "3");
  if (!decoder.plainUpscaling) x = gelu(x);

  let filter: tf.Tensor = tf.slice(tokens, [0, 0], [1, L]);
  for (let i = 0; i < 3; i++) {
    filter = linear(
      `mask_decoder.output_hypernetworks_mlps.0.layers.${i}`,
      filter,
    );
    if (i < 2) filter = tf.relu(filter);
  }
  return tf.sum(tf.mul(x, tf.reshape(filter, [1, 1, -1])), -1);
}

const variants: [string, Partial<ModelConfig["decoder"]>][] = [
  ["plain upscaling and details", {}],
  ["plain upscaling, without details", { detailChannels: 0 }],
  ["plain upscaling by two, then by four", { lastUpscaling: 4 }],
  ["SAM's upscaling and details", { plainUpscaling: false }],
  [
    "SAM's upscaling, without details, one layer",
    { plainUpscaling: false, detailChannels: 0, depth: 1 },
  ],
];

for (const [variant, decoder] of variants) {
  Deno.test(`decodeMasks() is segment-anything's decoder: ${variant}`, () => {
    const config = withDecoder(decoder);
    tf.tidy(() => {
      const weights = asTensors(noisyWeights(config));
      const inputs = decoderInputs(config, 2, 3, 4);
      const logits = decodeMasks(weights, config, inputs);
      const side = decoder.lastUpscaling ? 32 : 16;
      assert.deepEqual(logits.shape, [2, 3, side, side]);
      const expected = tf.stack(
        [0, 1].flatMap((b) =>
          [0, 1, 2].map((s) => decodeAsSAM(weights, config, inputs, b, s))
        ),
      ).dataSync();
      const deviation = Math.sqrt(
        [...expected].reduce((sum, v) => sum + v * v, 0) / expected.length,
      );
      assert.ok(deviation > 0.1, `logits of ${deviation} tell nothing apart`);
      assertClose(logits.dataSync(), expected, 1e-5);
    });
  });
}

Deno.test("decodeMasks() does not see prompt slots that nobody filled", () => {
  const config = withDecoder({});
  tf.tidy(() => {
    const weights = asTensors(noisyWeights(config));
    const four = decoderInputs(config, 2, 3, 4);
    const { sparse, filled, dense } = four.prompts;
    const prompts = {
      sparse: tf.concat([sparse, normalTensor([2, 4, 16], 8)], 1),
      filled: tf.concat([filled, tf.zeros([2, 4])], 1),
      dense,
    };
    const eight = decodeMasks(weights, config, { ...four, prompts });
    const expected = decodeMasks(weights, config, four).dataSync();
    assertClose(eight.dataSync(), expected, 1e-6);
    const seen = { ...prompts, filled: tf.ones([2, 8]) };
    const other = decodeMasks(weights, config, { ...four, prompts: seen });
    assert.throws(() => assertClose(other.dataSync(), expected, 1e-3));
  });
});

Deno.test("decodeMasks() moves the weighted mean logit to the choice by the learned share", () => {
  const config = withDecoder({});
  const area = 16 * 16;
  tf.tidy(() => {
    const weights = {
      ...asTensors(noisyWeights(config)),
      "mask_decoder.keep_choice": tf.tensor1d([Math.log(3)]), // share 3 / 4
    };
    const inputs = decoderInputs(config, 2, 3, 4);
    const shares = [[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]];
    const before = decodeMasks(weights, config, inputs).dataSync();
    const after = decodeMasks(weights, config, {
      ...inputs,
      hasMask: tf.tensor1d([1, 0]),
      shares: tf.tensor2d(shares),
    }).dataSync();
    const choice = inputs.choice.dataSync();
    const expected = before.map((logit, i) => {
      const [b, p] = [Math.floor(i / (3 * area)), i % area];
      if (b === 1) return logit; // no choice for the second image
      const mean = shares[0].reduce(
        (sum, share, s) => sum + share * before[s * area + p],
        0,
      );
      return logit + 0.75 * (choice[p] - mean);
    });
    assertClose(after, expected, 1e-5);
  });
});
