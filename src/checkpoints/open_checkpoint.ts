import { fileURLToPath } from "node:url";
import { openOne } from "./_open_source.ts";
import { openShards } from "./_shards.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** What a folder in Hugging Face's layout may hold, the preferred first. */
const IN_FOLDER = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
];

/**
 * Opens a checkpoint without reading its tensors: safetensors, PyTorch (`.pth`,
 * `.pt`, `.bin` of `torch.save`), the `.index.json` of either in shards, or a
 * folder that holds one of these in Hugging Face's layout. What a file is, is
 * told by its bytes, not by its name.
 *
 * @param path Path or file URL of the file or folder.
 * @returns Its names and shapes, with tensors to be read one by one. Close it,
 * or declare it with `using`.
 * @throws {Deno.errors.NotFound} When there is no such file, or none of these in
 * the folder.
 * @throws {RangeError} When it is no checkpoint, is damaged, or lies about its
 * content.
 *
 * @example What a checkpoint holds
 * ```ts
 * import { openCheckpoint } from "@spa-seg/spa/checkpoints";
 *
 * using checkpoint = await openCheckpoint("data/models/tiny.safetensors");
 * const [name] = checkpoint.names;
 * console.log(name, checkpoint.type(name), checkpoint.shape(name));
 * const { data } = await checkpoint.read(name);
 * ```
 */
export async function openCheckpoint(path: string | URL): Promise<Checkpoint> {
  const file = path instanceof URL || path.startsWith("file:")
    ? fileURLToPath(path)
    : path;
  const { isDirectory } = await Deno.stat(file).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(
      `Cannot open the checkpoint as its file must exist: current value is ${file}`,
    );
  });
  if (!isDirectory) {
    return file.endsWith(".index.json")
      ? await openShards(file)
      : openOne(file);
  }
  const names = new Set<string>();
  for await (const { name } of Deno.readDir(file)) names.add(name);
  const found = IN_FOLDER.find((name) => names.has(name));
  if (found !== undefined) return await openCheckpoint(`${file}/${found}`);
  throw new Deno.errors.NotFound(
    `Cannot open the checkpoint as the folder must hold one of ${
      IN_FOLDER.join(", ")
    }: current value is ${file}`,
  );
}
