/** The list of the weights that a config needs, and fresh values for them. */

import { sizeOf } from "../engine/tensors.ts";
import { createRandom } from "../random.ts";
import {
  embeddingSide,
  isTinyVit,
  lastUpscaling,
  MASK_CHANNELS,
  maskTokens,
  type ModelConfig,
  momentChannels,
  type VitConfig,
} from "./config.ts";
import { finderWidth, hasFinder } from "./region_finder.ts";
import { declareTinyVit } from "./tiny_vit.ts";
import type {
  HostWeights,
  WeightDeclaration,
  WeightDeclarations,
} from "./weights.ts";

/** Beginnings of the names of SPA's own weights. */
const SPA_NAMES = [
  "feedback_encoder.",
  "fusion.",
  "image_encoder.detail.",
  "mask_decoder.keep_choice",
  "mask_decoder.latent_token.",
  "preference_generator.",
  "prompt_encoder.click_map.",
];

/**
 * Lists every weight of a network: name, shape and initializer, in the order
 * of the flat training vector.
 *
 * @param config The network's config.
 * @returns Declarations by name.
 */
export function declareWeights(
  config: ModelConfig,
): Map<string, WeightDeclaration> {
  const { channels: L, latentChannels: d, components: M, sam } = config;
  const declared = new Map<string, WeightDeclaration>();

  const weight = (
    name: string,
    shape: number[],
    deviation: number,
    mean = 0,
    trainable = true,
  ) => {
    // without SAM's other networks, all weights beside a frozen encoder are
    // SPA's
    const ofSpa = isTinyVit(config.encoder) && !sam ||
      SPA_NAMES.some((start) => name.startsWith(start));
    const origin = ofSpa ? "spa" : "sam";
    declared.set(name, { shape, mean, deviation, trainable, origin });
  };
  /** `gain` 1 keeps the variance; smaller starts a residual branch quietly. */
  const linear = (name: string, inputs: number, outputs: number, gain = 1) => {
    weight(`${name}.weight`, [outputs, inputs], gain / Math.sqrt(inputs));
    weight(`${name}.bias`, [outputs], 0);
  };
  const norm = (name: string, width: number) => {
    weight(`${name}.weight`, [width], 0, 1);
    weight(`${name}.bias`, [width], 0);
  };
  const attention = (name: string, width: number, inner = width) => {
    for (const part of ["q_proj", "k_proj", "v_proj"]) {
      linear(`${name}.${part}`, width, inner);
    }
    linear(`${name}.out_proj`, inner, width);
  };
  const block = (name: string, width: number, mlp: number) => {
    norm(`${name}.norm1`, width);
    linear(`${name}.attn.qkv`, width, 3 * width);
    linear(`${name}.attn.proj`, width, width, 0.5);
    norm(`${name}.norm2`, width);
    linear(`${name}.mlp.lin1`, width, mlp);
    linear(`${name}.mlp.lin2`, mlp, width, 0.5);
  };
  const mlp = (name: string, widths: number[], lastGain = 1) => {
    for (let i = 0; i + 1 < widths.length; i++) {
      const gain = i + 2 < widths.length ? Math.SQRT2 : lastGain;
      linear(`${name}.layers.${i}`, widths[i], widths[i + 1], gain);
    }
  };

  const { encoder, decoder, feedback, patchSize: P } = config;
  const D = decoder.detailChannels;
  const detail = (inputs: number, outputs: number) => {
    linear("image_encoder.detail.0", inputs, D, Math.SQRT2);
    weight("image_encoder.detail.1.weight", [D, D, 3, 3], 0.47 / Math.sqrt(D));
    linear("image_encoder.detail.2", D, decoder.upscaling[0]);
    linear("image_encoder.detail.to_patch", 4 * D, outputs);
  };
  const visionTransformer = (
    start: string,
    { channels: E, depth, heads, mlpChannels }: VitConfig,
  ) => {
    const vit = typeof sam === "object" ? sam : undefined;
    weight(`${start}.patch_embed.proj.weight`, [E, 3, P, P], 1 / P);
    weight(`${start}.patch_embed.proj.bias`, [E], 0);
    const grid = vit?.positionSide ?? embeddingSide(config);
    weight(`${start}.pos_embed`, [1, grid, grid, E], 0.1);
    for (let i = 0; i < depth; i++) {
      const name = `${start}.blocks.${i}`;
      block(name, E, mlpChannels);
      if (!vit) continue;
      const side = vit.globalBlocks.includes(i) ? grid : vit.window;
      for (const axis of ["h", "w"]) {
        const shape = [2 * side - 1, E / heads];
        weight(`${name}.attn.rel_pos_${axis}`, shape, 0.02);
      }
    }
    weight(`${start}.neck.0.weight`, [L, E, 1, 1], 1 / Math.sqrt(E));
    norm(`${start}.neck.1`, L);
    weight(`${start}.neck.2.weight`, [L, L, 3, 3], 1 / (3 * Math.sqrt(L)));
    norm(`${start}.neck.3`, L);
  };
  if (isTinyVit(encoder)) {
    for (const [name, declaration] of declareTinyVit(config)) {
      declared.set(name, declaration);
    }
    const { neckChannels: N, stages, trunk } = encoder;
    if (trunk) {
      const features = { embedding: N, finer: stages[1].channels };
      for (const [name, width] of Object.entries(features)) {
        const start = `image_encoder.features.${name}`;
        weight(`${start}.mean`, [width], 0, 0, false);
        weight(`${start}.deviation`, [width], 0, 1, false);
      }
      visionTransformer("image_encoder.trunk", trunk);
      detail(N + 3 * (P / 2) ** 2, trunk.channels);
    }
  } else {
    visionTransformer("image_encoder", encoder);
    if (D > 0) detail(3 * (P / 2) ** 2, encoder.channels);
  }

  const gaussian =
    "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix";
  weight(gaussian, [2, L / 2], 1, 0, false);
  for (let i = 0; i < 4; i++) {
    weight(`prompt_encoder.point_embeddings.${i}.weight`, [1, L], 0.1);
  }
  weight("prompt_encoder.not_a_point_embed.weight", [1, L], 0.1);
  weight("prompt_encoder.no_mask_embed.weight", [1, L], 0.1);
  const [first, second] = feedback.maskHidden;
  const down = "prompt_encoder.mask_downscaling";
  const maskChannels = sam ? 1 : MASK_CHANNELS;
  weight(`${down}.0.weight`, [first, maskChannels, 2, 2], 0.25);
  weight(`${down}.0.bias`, [first], 0);
  norm(`${down}.1`, first);
  weight(`${down}.3.weight`, [second, first, 2, 2], 0.5 / Math.sqrt(first));
  weight(`${down}.3.bias`, [second], 0);
  norm(`${down}.4`, second);
  weight(`${down}.6.weight`, [L, second, 1, 1], 1 / Math.sqrt(second));
  weight(`${down}.6.bias`, [L], 0);
  if (sam) linear("feedback_encoder.maps", 16 * MASK_CHANNELS, L, 0.1);
  else linear("prompt_encoder.click_map", 16, L);
  const { channels: C, dilations } = feedback.mixing ??
    { channels: 0, dilations: [] };
  for (let i = 0; i < dilations.length; i++) {
    const name = `feedback_encoder.mixing.${i}`;
    norm(`${name}.norm`, L);
    weight(
      `${name}.conv1.weight`,
      [C, L, 3, 3],
      Math.SQRT2 / (3 * Math.sqrt(L)),
    );
    weight(`${name}.conv1.bias`, [C], 0);
    weight(`${name}.conv2.weight`, [L, C, 3, 3], 0); // a block begins as nothing
    weight(`${name}.conv2.bias`, [L], 0);
  }
  for (let i = 0; i < feedback.depth; i++) {
    const name = `feedback_encoder.blocks.${i}`;
    block(name, L, feedback.mlpChannels);
  }
  norm("feedback_encoder.norm", L);
  weight("feedback_encoder.pool.weight", [1, L], 1 / Math.sqrt(L));

  const G = config.generatorChannels;
  const hidden = [G, G, G, G, G];
  const generator = "preference_generator";
  const c = momentChannels(config);
  weight(`${generator}.anchor_means`, [M, c], 1);
  mlp(`${generator}.moments`, [4 * L, ...hidden, 2 * M * c]);
  mlp(`${generator}.weights`, [4 * L + M, ...hidden, M], 0.5);

  linear("fusion.layers.0", L + d, L, Math.SQRT2);
  linear("fusion.layers.1", L, L, Math.SQRT2);
  // small, so that a trained decoder starts with its own output
  linear("fusion.layers.2", L, L, sam ? 0.1 : Math.SQRT2);

  /** A softmax over pixels does not see its keys' bias; see two_way_transformer. */
  const attentionToImage = (name: string, width: number, inner: number) => {
    attention(name, width, inner);
    weight(`${name}.k_proj.bias`, [inner], 0, 0, false);
  };
  const transformer = "mask_decoder.transformer";
  const inner = L / decoder.attentionDownsample;
  if (sam) weight("mask_decoder.iou_token.weight", [1, L], 0.1);
  const masks = maskTokens(config);
  weight("mask_decoder.mask_tokens.weight", [masks, L], 0.1);
  linear("mask_decoder.latent_token", d, L, sam ? 0.1 : 1);
  for (let i = 0; i < decoder.depth; i++) {
    const layer = `${transformer}.layers.${i}`;
    attention(`${layer}.self_attn`, L);
    attentionToImage(`${layer}.cross_attn_token_to_image`, L, inner);
    attention(`${layer}.cross_attn_image_to_token`, L, inner);
    for (let k = 1; k <= 4; k++) norm(`${layer}.norm${k}`, L);
    linear(`${layer}.mlp.lin1`, L, decoder.mlpChannels);
    linear(`${layer}.mlp.lin2`, decoder.mlpChannels, L);
  }
  attentionToImage(`${transformer}.final_attn_token_to_image`, L, inner);
  norm(`${transformer}.norm_final_attn`, L);
  const [u1, u2] = decoder.upscaling;
  const up = "mask_decoder.output_upscaling";
  weight(`${up}.0.weight`, [L, u1, 2, 2], 1 / Math.sqrt(L));
  weight(`${up}.0.bias`, [u1], 0);
  if (!decoder.plainUpscaling) norm(`${up}.1`, u1);
  const r = lastUpscaling(config);
  weight(`${up}.3.weight`, [u1, u2, r, r], 1 / Math.sqrt(u1));
  weight(`${up}.3.bias`, [u2], 0);
  const hypernetwork = "mask_decoder.output_hypernetworks_mlps";
  mlp(`${hypernetwork}.0`, [L, L, L, u2]);
  // the other three masks and their IoU are SAM's alone, so that SPA's loss has
  // no gradient for them
  const plain = (name: string, last: number) => {
    for (let i = 0; i < 3; i++) {
      const outputs = i < 2 ? L : last;
      const layer = `${name}.layers.${i}`;
      weight(`${layer}.weight`, [outputs, L], 1 / Math.sqrt(L), 0, false);
      weight(`${layer}.bias`, [outputs], 0, 0, false);
    }
  };
  for (let i = 1; i < masks; i++) plain(`${hypernetwork}.${i}`, u2);
  if (sam) plain("mask_decoder.iou_prediction_head", masks);
  // the decoder takes its sigmoid, so that a share of 0.85 is kept at first
  weight("mask_decoder.keep_choice", [1], 0, Math.log(0.85 / 0.15));
  if (hasFinder(config)) {
    weight("region_finder.weight", [3, finderWidth(config)], 0, 0, false);
    weight("region_finder.bias", [3], 0, 0, false);
  }
  return declared;
}

/**
 * Draws fresh weights for a config.
 *
 * @param config The network's config.
 * @param seed Seed of the draw, any finite number; equal seeds give equal
 * weights.
 * @param only Names of the weights to draw. Default: all.
 * @returns The weights by name.
 * @throws {RangeError} When the seed is not finite.
 */
export function initializeWeights(
  config: ModelConfig,
  seed: number,
  only?: readonly string[],
): HostWeights {
  return drawWeights(declareWeights(config), seed, only);
}

/** Draws the weights that are declared; see `initializeWeights`. */
export function drawWeights(
  declared: WeightDeclarations,
  seed: number,
  only?: readonly string[],
): HostWeights {
  const random = createRandom(seed);
  const weights = new Map<
    string,
    { data: Float32Array; shape: readonly number[] }
  >();
  for (const [name, { shape, mean, deviation }] of declared) {
    if (only && !only.includes(name)) continue;
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) {
      data[i] = mean + (deviation === 0 ? 0 : deviation * random.normal());
    }
    weights.set(name, { data, shape });
  }
  return weights;
}
