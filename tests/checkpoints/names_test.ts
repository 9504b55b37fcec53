import assert from "node:assert/strict";
import {
  fromHuggingFace,
  renameAll,
  toHuggingFace,
} from "../../src/checkpoints/names.ts";

/** Pairs as transformers/models/sam/convert_sam_to_hf.py makes them. */
const PAIRS: [string, string][] = [
  ["image_encoder.pos_embed", "vision_encoder.pos_embed"],
  [
    "image_encoder.patch_embed.proj.bias",
    "vision_encoder.patch_embed.projection.bias",
  ],
  [
    "image_encoder.blocks.11.norm2.weight",
    "vision_encoder.layers.11.layer_norm2.weight",
  ],
  [
    "image_encoder.blocks.0.attn.qkv.weight",
    "vision_encoder.layers.0.attn.qkv.weight",
  ],
  [
    "image_encoder.blocks.3.attn.rel_pos_h",
    "vision_encoder.layers.3.attn.rel_pos_h",
  ],
  [
    "image_encoder.blocks.10.mlp.lin1.bias",
    "vision_encoder.layers.10.mlp.lin1.bias",
  ],
  ["image_encoder.neck.0.weight", "vision_encoder.neck.conv1.weight"],
  ["image_encoder.neck.1.bias", "vision_encoder.neck.layer_norm1.bias"],
  ["image_encoder.neck.2.weight", "vision_encoder.neck.conv2.weight"],
  ["image_encoder.neck.3.weight", "vision_encoder.neck.layer_norm2.weight"],
  [
    "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
    "shared_image_embedding.positional_embedding",
  ],
  [
    "prompt_encoder.point_embeddings.3.weight",
    "prompt_encoder.point_embed.3.weight",
  ],
  [
    "prompt_encoder.not_a_point_embed.weight",
    "prompt_encoder.not_a_point_embed.weight",
  ],
  [
    "prompt_encoder.no_mask_embed.weight",
    "prompt_encoder.no_mask_embed.weight",
  ],
  [
    "prompt_encoder.mask_downscaling.4.weight",
    "prompt_encoder.mask_embed.layer_norm2.weight",
  ],
  [
    "prompt_encoder.mask_downscaling.6.bias",
    "prompt_encoder.mask_embed.conv3.bias",
  ],
  ["mask_decoder.iou_token.weight", "mask_decoder.iou_token.weight"],
  ["mask_decoder.mask_tokens.weight", "mask_decoder.mask_tokens.weight"],
  [
    "mask_decoder.transformer.layers.1.norm4.bias",
    "mask_decoder.transformer.layers.1.layer_norm4.bias",
  ],
  [
    "mask_decoder.transformer.layers.0.cross_attn_image_to_token.out_proj.weight",
    "mask_decoder.transformer.layers.0.cross_attn_image_to_token.out_proj.weight",
  ],
  [
    "mask_decoder.transformer.layers.0.mlp.lin2.weight",
    "mask_decoder.transformer.layers.0.mlp.lin2.weight",
  ],
  [
    "mask_decoder.transformer.norm_final_attn.weight",
    "mask_decoder.transformer.layer_norm_final_attn.weight",
  ],
  [
    "mask_decoder.output_upscaling.0.weight",
    "mask_decoder.upscale_conv1.weight",
  ],
  [
    "mask_decoder.output_upscaling.1.bias",
    "mask_decoder.upscale_layer_norm.bias",
  ],
  ["mask_decoder.output_upscaling.3.bias", "mask_decoder.upscale_conv2.bias"],
  [
    "mask_decoder.output_hypernetworks_mlps.2.layers.0.weight",
    "mask_decoder.output_hypernetworks_mlps.2.proj_in.weight",
  ],
  [
    "mask_decoder.output_hypernetworks_mlps.2.layers.1.weight",
    "mask_decoder.output_hypernetworks_mlps.2.layers.0.weight",
  ],
  [
    "mask_decoder.output_hypernetworks_mlps.2.layers.2.bias",
    "mask_decoder.output_hypernetworks_mlps.2.proj_out.bias",
  ],
  [
    "mask_decoder.iou_prediction_head.layers.1.bias",
    "mask_decoder.iou_prediction_head.layers.0.bias",
  ],
  [
    "mask_decoder.iou_prediction_head.layers.2.bias",
    "mask_decoder.iou_prediction_head.proj_out.bias",
  ],
];

Deno.test("Hugging Face's names and segment-anything's turn into each other", () => {
  for (const [segmentAnything, huggingFace] of PAIRS) {
    assert.equal(toHuggingFace(segmentAnything), huggingFace);
    assert.equal(fromHuggingFace(huggingFace), segmentAnything);
  }
});

Deno.test("the same weight's second name at Hugging Face is known", () => {
  const name = "prompt_encoder.shared_embedding.positional_embedding";
  assert.equal(
    fromHuggingFace(name),
    "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
  );
  const { renamed, others } = renameAll([
    ...PAIRS.map(([, huggingFace]) => huggingFace),
    "vision_encoder.patch_embed.projection.weight",
    name,
  ]);
  assert.equal(renamed.size, PAIRS.length + 1);
  assert.deepEqual(others, [name]);
});

Deno.test("names of no SAM weight stay as they are", () => {
  for (const name of ["", "fusion.layers.0.bias", "image_encoders.blocks.0"]) {
    assert.equal(toHuggingFace(name), name);
    assert.equal(fromHuggingFace(name), name);
  }
});

Deno.test("renameAll() takes away the prefix of the network, and of nothing else", () => {
  for (
    const prefix of ["", "module.", "model.", "model.module.", "sam_model."]
  ) {
    for (const side of [0, 1]) {
      const landmark = side === 0
        ? "image_encoder.patch_embed.proj.weight"
        : "vision_encoder.patch_embed.projection.weight";
      const own = [landmark, ...PAIRS.map((pair) => pair[side])];
      const names = own.map((name) => prefix + name);
      const { renamed, others } = renameAll(["epoch", ...names]);
      const first = "image_encoder.patch_embed.proj.weight";
      assert.equal(renamed.get(first), prefix + landmark);
      for (const [i, [target]] of PAIRS.entries()) {
        assert.equal(renamed.get(target), names[i + 1]);
      }
      const kept = prefix === "" ? [] : ["epoch"];
      assert.deepEqual(others, kept);
    }
  }
});
