import type { ModelConfig } from "../model/config.ts";
import { isModelConfig } from "../model/check_config.ts";
import { Model } from "../model/model.ts";
import { readSafetensors } from "./safetensors.ts";

/** The weights that come with the module. */
const SHIPPED = new URL("../../data/models/tiny.safetensors", import.meta.url);

/** Reads a config from a file's metadata. */
function parseConfig(text: string | undefined, source: string): ModelConfig {
  const refuse = (found: string) =>
    new RangeError(
      `Cannot load the model ${source} as its metadata must hold its config as JSON: current value is ${found}`,
    );
  if (text === undefined) throw refuse("missing");
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw refuse(text.slice(0, 80));
  }
  if (!isModelConfig(config)) throw refuse(text.slice(0, 80));
  return config;
}

/** The bytes of a path or URL. */
async function readBytes(source: string | URL): Promise<Uint8Array> {
  const url = source instanceof URL
    ? source
    : /^(https?|file):/.test(source)
    ? new URL(source)
    : undefined;
  if (!url || url.protocol === "file:") {
    return await Deno.readFile(url ?? source).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new Deno.errors.NotFound(
        `Cannot load the model as its file must exist: current value is ${source}`,
      );
    });
  }
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(
      `Cannot load the model ${source} as the server must answer 200: current value is ${response.status}`,
    );
  }
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * Loads a model.
 *
 * @param source Path or URL of a file of `saveModel`; by default the weights
 * that come with the module (preset `tiny`).
 * @returns The model, with the file's metadata.
 * @throws {Deno.errors.NotFound} When the file does not exist.
 * @throws {RangeError} When the file is no safetensors file, lies about its
 * content, holds a value that is not finite, or has no config.
 * @throws {TypeError} When its weights are not those of its config.
 */
export async function loadModel(
  source: string | URL = SHIPPED,
): Promise<Model> {
  const { tensors, metadata } = readSafetensors(await readBytes(source));
  const { config: text, ...facts } = metadata;
  const config = parseConfig(text, `${source}`);
  const weights = new Map<
    string,
    { data: Float32Array; shape: readonly number[] }
  >();
  for (const [name, { data, shape }] of tensors) {
    if (!(data instanceof Float32Array)) {
      throw new RangeError(
        `Cannot load the model ${source} as weight "${name}" must be of floats: current type is ${data.constructor.name}`,
      );
    }
    weights.set(name, { data, shape });
  }
  return new Model(config, weights, facts);
}
