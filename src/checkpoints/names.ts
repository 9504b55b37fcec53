/**
 * Names of SAM's weights: segment-anything's, which this module uses, and those
 * of Hugging Face's `SamModel`. Prefixes that training loops add ("module.",
 * "model.", "sam_model.") are recognized by the names behind them.
 *
 * Source: transformers/models/sam/convert_sam_to_hf.py.
 */

/**
 * Segment-anything's name, Hugging Face's name; `*` stands for any number. The
 * first line that matches the beginning of a name counts; parts that no line
 * names are equal in both.
 */
const TABLE: readonly (readonly [string, string])[] = [
  ["image_encoder.patch_embed.proj", "vision_encoder.patch_embed.projection"],
  ["image_encoder.blocks.*.norm1", "vision_encoder.layers.*.layer_norm1"],
  ["image_encoder.blocks.*.norm2", "vision_encoder.layers.*.layer_norm2"],
  ["image_encoder.blocks", "vision_encoder.layers"],
  ["image_encoder.neck.0", "vision_encoder.neck.conv1"],
  ["image_encoder.neck.1", "vision_encoder.neck.layer_norm1"],
  ["image_encoder.neck.2", "vision_encoder.neck.conv2"],
  ["image_encoder.neck.3", "vision_encoder.neck.layer_norm2"],
  ["image_encoder", "vision_encoder"],

  [
    "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
    "shared_image_embedding.positional_embedding",
  ],
  [ // the same weight a second time
    "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
    "prompt_encoder.shared_embedding.positional_embedding",
  ],
  ["prompt_encoder.point_embeddings", "prompt_encoder.point_embed"],
  ["prompt_encoder.mask_downscaling.0", "prompt_encoder.mask_embed.conv1"],
  [
    "prompt_encoder.mask_downscaling.1",
    "prompt_encoder.mask_embed.layer_norm1",
  ],
  ["prompt_encoder.mask_downscaling.3", "prompt_encoder.mask_embed.conv2"],
  [
    "prompt_encoder.mask_downscaling.4",
    "prompt_encoder.mask_embed.layer_norm2",
  ],
  ["prompt_encoder.mask_downscaling.6", "prompt_encoder.mask_embed.conv3"],

  ...[1, 2, 3, 4].map((k) =>
    [
      `mask_decoder.transformer.layers.*.norm${k}`,
      `mask_decoder.transformer.layers.*.layer_norm${k}`,
    ] as const
  ),
  [
    "mask_decoder.transformer.norm_final_attn",
    "mask_decoder.transformer.layer_norm_final_attn",
  ],
  ["mask_decoder.output_upscaling.0", "mask_decoder.upscale_conv1"],
  ["mask_decoder.output_upscaling.1", "mask_decoder.upscale_layer_norm"],
  ["mask_decoder.output_upscaling.3", "mask_decoder.upscale_conv2"],
  ...["output_hypernetworks_mlps.*", "iou_prediction_head"].flatMap((mlp) =>
    [
      [`mask_decoder.${mlp}.layers.0`, `mask_decoder.${mlp}.proj_in`],
      [`mask_decoder.${mlp}.layers.1`, `mask_decoder.${mlp}.layers.0`],
      [`mask_decoder.${mlp}.layers.2`, `mask_decoder.${mlp}.proj_out`],
    ] as const
  ),
];

/** What every SAM checkpoint holds, by the names of either. */
const LANDMARK =
  /^(?:.*\.)?(?=(?:image_encoder\.patch_embed\.(?:proj|seq\.0\.c)|vision_encoder\.patch_embed\.projection)\.weight$)/;

/** The table's lines as patterns, of either side. */
const PATTERNS = TABLE.map((line) =>
  line.map((beginning) => {
    const escaped = beginning.replaceAll(".", "\\.").replace("*", "(\\d+)");
    return new RegExp(`^${escaped}(?=\\.|$)`);
  })
);

/** Replaces one beginning of a name by another, numbers carried over. */
function translate(name: string, from: 0 | 1): string {
  for (const [i, patterns] of PATTERNS.entries()) {
    const match = name.match(patterns[from]);
    if (!match) continue;
    const beginning = TABLE[i][1 - from].replace("*", match[1]);
    return beginning + name.slice(match[0].length);
  }
  return name;
}

/**
 * Hugging Face's name of a SAM weight.
 *
 * @param name Segment-anything's name.
 * @returns Its name in `SamModel`; shared and unknown names unchanged.
 */
export function toHuggingFace(name: string): string {
  return translate(name, 0);
}

/**
 * Segment-anything's name of a SAM weight.
 *
 * @param name Hugging Face's name.
 * @returns Its name in segment-anything; names that both share, and unknown
 * ones, as they are.
 */
export function fromHuggingFace(name: string): string {
  return translate(name, 1);
}

/**
 * The networks that a checkpoint holds, by the prefix of all names of each: one
 * with an average of its weights has two, as "model." and "ema.".
 *
 * @param names A checkpoint's names.
 */
export function networkPrefixes(names: readonly string[]): string[] {
  return [
    ...new Set(
      names.map((name) => LANDMARK.exec(name)?.[0])
        .filter((prefix) => prefix !== undefined),
    ),
  ];
}

/**
 * Segment-anything's names for those of a checkpoint: segment-anything's, or
 * Hugging Face's, with or without a prefix before all of the network's.
 *
 * @param names A checkpoint's names.
 * @param prefix The network's prefix, by default the first there is.
 * @returns The checkpoint's name for each of segment-anything's, and the names
 * that have none: those without the prefix, such as an optimizer's, and a
 * weight's second name.
 */
export function renameAll(
  names: readonly string[],
  prefix: string = networkPrefixes(names)[0] ?? "",
): { renamed: Map<string, string>; others: string[] } {
  const hugging = names.some((name) =>
    name.startsWith(`${prefix}vision_encoder.`)
  );
  const renamed = new Map<string, string>();
  const others: string[] = [];
  for (const name of names) {
    const inside = name.slice(prefix.length);
    const target = hugging ? fromHuggingFace(inside) : inside;
    if (!name.startsWith(prefix) || renamed.has(target)) others.push(name);
    else renamed.set(target, name);
  }
  return { renamed, others };
}
