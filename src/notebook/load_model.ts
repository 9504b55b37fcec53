import {
  loadModel as loadQuietly,
  type LoadModelOptions,
} from "../checkpoints/load_model.ts";
import type { Model } from "../model/model.ts";
import { isWatched, loadingBars } from "./progress.ts";

/**
 * Loads a model: a file of `saveModel`, or SAM and MedSAM weights as PyTorch
 * `.pth`, safetensors, or a folder in Hugging Face's layout. On top of a SAM
 * checkpoint, what SPA adds is drawn afresh and must be trained.
 *
 * In a notebook and on a terminal, a download or a file that takes more than a
 * second shows a bar; an `onProgress` of your own replaces it.
 *
 * @param source Path or URL, or the name of weights that come with the module:
 * "small" (default), for images of many kinds, or "tiny", whose first proposal
 * takes a third of the time, for lung nodules in CT. A file of your own with such a
 * name is "./tiny". A file of http is downloaded once and kept.
 * @param options See {@linkcode LoadModelOptions}.
 * @returns The model, with the file's metadata.
 * @throws {Deno.errors.NotFound} When the file does not exist.
 * @throws {RangeError} When the file is no checkpoint, is damaged, lies about
 * its content, holds a value that is not finite, or has no config and none is
 * given, or there is no preset of the name given.
 * @throws {TypeError} When its weights are those of another network.
 * @throws {Error} When a download fails, or brings nothing for a minute.
 *
 * @example The shipped model
 * ```ts
 * import { loadModel } from "@spa-seg/spa";
 *
 * using model = await loadModel(); // or "sam_vit_b_01ec64.pth", say
 * model.config.name; // "small"
 * ```
 */
export async function loadModel(
  source?: string | URL,
  options: LoadModelOptions = {},
): Promise<Model> {
  if (options.onProgress || !isWatched()) {
    return await loadQuietly(source, options);
  }
  const { onProgress, finish } = loadingBars();
  try {
    return await loadQuietly(source, { ...options, onProgress });
  } finally {
    finish();
  }
}
