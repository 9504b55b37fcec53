import { writeFileAtomic } from "../files.ts";
import type { Model } from "../model/model.ts";
import { writeSafetensors } from "./safetensors.ts";

/**
 * Saves a model as safetensors: its weights, and its config and metadata in
 * the header. The file is written whole or not at all.
 *
 * @param model The model.
 * @param path Where to; missing folders are made.
 * @param options `dtype`: "float16" (default; half the size, rounded to the
 * nearest) or "float32" (exact).
 * @throws {RangeError} When a weight is not finite, or too large for float16
 * (65520 and above).
 *
 * @example Save and load
 * ```ts
 * import { loadModel, saveModel } from "@spa-seg/spa";
 *
 * using model = await loadModel();
 * const path = `${await Deno.makeTempDir()}/model.safetensors`;
 * await saveModel(model, path);
 * using same = await loadModel(path);
 * ```
 */
export async function saveModel(
  model: Model,
  path: string | URL,
  { dtype = "float16" }: { dtype?: "float16" | "float32" } = {},
): Promise<void> {
  const metadata = { ...model.metadata, config: JSON.stringify(model.config) };
  const bytes = writeSafetensors(model.weights, metadata, { dtype });
  await writeFileAtomic(path, bytes);
}
