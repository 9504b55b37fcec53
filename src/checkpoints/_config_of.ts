/** Which network a checkpoint is of. */

import { basename } from "node:path";
import { isModelConfig } from "../model/check_config.ts";
import { compareWeights } from "../model/compare_weights.ts";
import { declareWeights } from "../model/declare_weights.ts";
import { type ModelConfig, presets } from "../model/config.ts";
import { InputError } from "../input_error.ts";

/**
 * The config that a file's metadata states.
 *
 * @throws {RangeError} When it is no config.
 */
export function parseConfig(text: string, source: string): ModelConfig {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw refuseConfig(source, text.slice(0, 80));
  }
  if (!isModelConfig(config)) throw refuseConfig(source, text.slice(0, 80));
  return config;
}

/** What is told by an image encoder's names. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/^image_encoder\.patch_embed\.seq\./, "TinyViT"],
  [/^image_encoder\.blocks\.\d+\.Adapter\./, "SAM-Med2D"],
];
const ADDITIONS: readonly (readonly [RegExp, string])[] = [
  [/lora/i, "LoRA weights"],
  [/\.(?!Adapter\.)\w*adapter/i, "adapters"],
];

/** A classifier's head, which TinyViT's checkpoints carry and no mask needs. */
const UNUSED = /^image_encoder\.(norm_head|head)\./;

/**
 * What kind of network weights are of, as far as their names tell: "SAM-Med2D at
 * 256 px", "ViT at 1024 px with LoRA weights"; undefined where nothing does.
 *
 * @param shapes The checkpoint's shapes, by segment-anything's names.
 */
export function familyOf(
  shapes: ReadonlyMap<string, readonly number[]>,
): string | undefined {
  const find = (kinds: typeof FAMILIES) =>
    kinds.find(([pattern]) =>
      [...shapes.keys()].some((name) => pattern.test(name))
    )?.[1];
  const positions = shapes.get("image_encoder.pos_embed");
  const patch = shapes.get("image_encoder.patch_embed.proj.weight")?.at(-1);
  const family = find(FAMILIES) ?? (positions && "ViT");
  if (family === undefined) return undefined;
  const size = positions?.length === 4 && patch
    ? ` at ${positions[1] * patch} px`
    : "";
  const addition = find(ADDITIONS);
  return `${family}${size}${addition ? ` with ${addition}` : ""}`;
}

/**
 * The weights that stand in a network's image encoder, or adapt any part of it,
 * and that the network does not know: without them it computes something else
 * than the checkpoint does.
 *
 * @param unexpected Names that the network does not know.
 */
export function alienWeights(unexpected: readonly string[]): string[] {
  return unexpected.filter((name) =>
    !UNUSED.test(name) &&
    (name.startsWith("image_encoder.") ||
      /^(prompt_encoder|mask_decoder)\./.test(name) &&
        ADDITIONS.some(([pattern]) => pattern.test(name)))
  );
}

/**
 * The preset whose image encoder a checkpoint without a config holds. MedSAM's
 * weights have the names and shapes of SAM's and differ in the intensities they
 * want, so for them the file's name counts.
 *
 * @param shapes The checkpoint's shapes, by segment-anything's names.
 * @param source Its path or URL.
 * @param drop Whether weights that no preset knows are passed over.
 * @throws {RangeError} When no preset fits.
 */
export function guessConfig(
  shapes: ReadonlyMap<string, readonly number[]>,
  source: string,
  drop = false,
): ModelConfig {
  const encoder = new Map(
    [...shapes].filter(([name]) => name.startsWith("image_encoder.")),
  );
  const file = basename(source.replace(/^(https?:[^?#]*).*/s, "$1"));
  for (const config of Object.values(presets)) {
    const report = compareWeights(declareWeights(config), encoder);
    const alien = drop ? [] : alienWeights(report.unexpected);
    const differs = report.misshapen.length + alien.length > 0 ||
      report.missing.some((name) => name.startsWith("image_encoder."));
    if (differs) continue;
    const isMedSam = config === presets["sam-vit-b"] && /medsam/i.test(file);
    return isMedSam ? presets["medsam-vit-b"] : config;
  }
  const family = familyOf(shapes);
  throw refuseConfig(
    source,
    `missing, and its ${shapes.size} tensors are those of ${
      family ? `${family} and of ` : ""
    }no preset (${Object.keys(presets).join(", ")})`,
  );
}

function refuseConfig(source: string, found: string): RangeError {
  return new InputError(
    `Cannot load the model ${source} as its metadata must hold its config as JSON, or the option config be given: current value is ${found}`,
  );
}
