/** A trained baseline, and its file. */

import { checkConfig, isModelConfig } from "../model/check_config.ts";
import type { Checkpoint } from "../checkpoints/checkpoint.ts";
import { placeOf } from "../checkpoints/load_model.ts";
import { openCheckpoint } from "../checkpoints/open_checkpoint.ts";
import { writeSafetensors } from "../checkpoints/safetensors.ts";
import { writeFileAtomic } from "../files.ts";
import { Model } from "../model/model.ts";
import type { HostWeights, WeightDeclarations } from "../model/weights.ts";
import { drawWeights } from "../model/declare_weights.ts";
import type { BaselineConfig } from "./method.ts";
import { methodOf } from "./methods.ts";
import { InputError, InputTypeError } from "../input_error.ts";

/** A baseline with its weights. */
export interface Baseline {
  readonly config: BaselineConfig;
  /** All weights that its method declares. */
  readonly weights: HostWeights;
  /** Free-form facts: training data, recipe. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Whether a loaded value is a baseline, not a model of SPA. */
export function isBaseline(model: Model | Baseline): model is Baseline {
  return !(model instanceof Model);
}

/**
 * Saves a baseline as safetensors, rounded to float16 as `saveModel` does; the
 * header's `method` tells it from a model of SPA.
 */
export async function saveBaseline(
  { config, weights, metadata }: Baseline,
  path: string,
): Promise<void> {
  const { method } = config;
  const bytes = writeSafetensors(
    weights,
    { ...metadata, method, config: JSON.stringify(config) },
    { dtype: "float16" },
  );
  await writeFileAtomic(path, bytes);
}

/** The method of a model's file: "spa", or that of a baseline on disk. */
export async function methodOfFile(path: string): Promise<string> {
  const place = placeOf(path);
  if (/^https?:/.test(`${place}`)) return "spa";
  using checkpoint = await openCheckpoint(place);
  return checkpoint.metadata.method ?? "spa";
}

/**
 * Loads a baseline.
 *
 * @param path A file of `saveBaseline`.
 * @param method Another method that its weights are to be used with, as the
 * many boxes of `sam-u` with those of `box`.
 * @throws {RangeError} When the file is no baseline, is damaged, or its method
 * is unknown.
 * @throws {TypeError} When its weights are not those of the method.
 */
export async function loadBaseline(
  path: string,
  method?: string,
): Promise<Baseline> {
  using checkpoint = await openCheckpoint(path);
  const { config: stated, method: _, ...metadata } = checkpoint.metadata;
  const found = parseConfig(stated, path);
  const config = { ...found, method: method ?? found.method };
  const declared = methodOf(config).declare(config);
  const { weights, missing, unexpected } = await readDeclared(
    checkpoint,
    declared,
  );
  if (missing.length + unexpected.length > 0) {
    throw new InputTypeError(
      `Cannot load the baseline ${path} as its weights must be those of the method ${config.method}: current value has ${missing.length} missing (${
        missing.slice(0, 3)
      }) and ${unexpected.length} unexpected (${unexpected.slice(0, 3)})`,
    );
  }
  return { config, weights, metadata };
}

function parseConfig(text: string | undefined, path: string): BaselineConfig {
  let config: Partial<BaselineConfig> | null;
  try {
    config = JSON.parse(text ?? "null");
  } catch {
    config = null;
  }
  const { method, network, raters, names } = config ?? {};
  if (
    typeof method === "string" && isModelConfig(network) &&
    Number.isInteger(raters) && raters! >= 1 && raters! <= 64 &&
    (names === undefined || Array.isArray(names) && names.length === raters)
  ) {
    checkConfig(network);
    return { method, network, raters: raters!, ...(names && { names }) };
  }
  throw new InputError(
    `Cannot load the baseline ${path} as its metadata must hold its config as JSON: current value is ${
      text?.slice(0, 80)
    }`,
  );
}

/** The declared weights that a file has, with the declared shapes. */
async function readDeclared(
  checkpoint: Checkpoint,
  declared: WeightDeclarations,
) {
  const names = new Set(checkpoint.names);
  const weights = new Map<
    string,
    { data: Float32Array; shape: readonly number[] }
  >();
  for (const [name, { shape }] of declared) {
    if (!names.has(name) || `${checkpoint.shape(name)}` !== `${shape}`) {
      continue;
    }
    const { data } = await checkpoint.read(name);
    weights.set(name, { data: data as Float32Array, shape });
  }
  return {
    weights,
    missing: [...declared.keys()].filter((name) => !weights.has(name)),
    unexpected: [...names].filter((name) => !weights.has(name)),
  };
}

/**
 * Weights to start a method's training from: those of a file, by name, and
 * fresh ones for those that it lacks.
 *
 * @param path A model of SPA on the same backbone, or a baseline.
 * @returns The weights, and the recipe that the file's were trained by, as
 * JSON.
 * @throws {RangeError} When the file has none of the method's weights.
 */
export async function initialWeights(
  path: string,
  config: BaselineConfig,
  seed: number,
): Promise<{ weights: HostWeights; recipe: string }> {
  const declared = methodOf(config).declare(config);
  using checkpoint = await openCheckpoint(placeOf(path));
  const { weights, missing } = await readDeclared(checkpoint, declared);
  if (weights.size === 0) {
    throw new InputError(
      `Cannot start from ${path} as it must have weights of the method ${config.method}: current value has none of its ${declared.size}`,
    );
  }
  return {
    weights: new Map([...weights, ...drawWeights(declared, seed, missing)]),
    recipe: checkpoint.metadata.recipe ?? "unknown",
  };
}
