/** Which network a checkpoint is of. */

import { basename } from "node:path";
import { isModelConfig } from "../model/check_config.ts";
import { compareWeights } from "../model/compare_weights.ts";
import { declareWeights } from "../model/declare_weights.ts";
import { type ModelConfig, presets } from "../model/config.ts";

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

/** Networks that are told by their image encoder's names. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/^image_encoder\.patch_embed\.seq\./, "TinyViT"],
  [/^image_encoder\.blocks\.\d+\.Adapter\./, "SAM-Med2D"],
];

/**
 * The preset whose image encoder a checkpoint without a config holds. MedSAM's
 * weights have the names and shapes of SAM's and differ in the intensities they
 * want, so for them the file's name counts.
 *
 * @param shapes The checkpoint's shapes, by segment-anything's names.
 * @param source Its path or URL.
 * @throws {RangeError} When no preset fits.
 */
export function guessConfig(
  shapes: ReadonlyMap<string, readonly number[]>,
  source: string,
): ModelConfig {
  const encoder = new Map(
    [...shapes].filter(([name]) => name.startsWith("image_encoder.")),
  );
  const file = basename(source.replace(/^(https?:[^?#]*).*/s, "$1"));
  for (const config of Object.values(presets)) {
    const report = compareWeights(declareWeights(config), encoder);
    const differs = report.misshapen.length + report.unexpected.length > 0 ||
      report.missing.some((name) => name.startsWith("image_encoder."));
    if (differs) continue;
    const isMedSam = config === presets["sam-vit-b"] && /medsam/i.test(file);
    return isMedSam ? presets["medsam-vit-b"] : config;
  }
  const family = FAMILIES.find(([pattern]) =>
    [...encoder.keys()].some((name) => pattern.test(name))
  );
  throw refuseConfig(
    source,
    `missing, and its ${shapes.size} tensors are those of ${
      family ? `${family[1]} and of ` : ""
    }no preset (${Object.keys(presets).join(", ")})`,
  );
}

function refuseConfig(source: string, found: string): RangeError {
  return new RangeError(
    `Cannot load the model ${source} as its metadata must hold its config as JSON, or the option config be given: current value is ${found}`,
  );
}
