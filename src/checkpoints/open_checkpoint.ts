/** Opens checkpoints: one file, shards by their index, or a folder of either. */

import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ByteSource, openFile, unpacked } from "./_byte_source.ts";
import { show } from "./_elements.ts";
import {
  type Checkpoint,
  FileCheckpoint,
  type TensorRecord,
} from "./checkpoint.ts";
import { openPth } from "./_pth.ts";
import { openSafetensors } from "./safetensors.ts";
import { InputError } from "../input_error.ts";

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
 * folder that holds one of these in Hugging Face's layout. The bytes of a file
 * decide its format, not its name; one packed by gzip is unpacked in memory.
 *
 * @param path Path or file URL of the file or folder.
 * @returns Its names and shapes, with tensors to be read one by one. Close it,
 * or declare it with `using`.
 * @throws {Deno.errors.NotFound} When there is no such file, or none of these
 * in the folder.
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

// One file

/** How a zip archive begins. */
const ZIP = "PK\x03\x04";
/** The number that PyTorch's earlier format pickles first. */
const LEGACY = "\x8a\x0al\xfc\x9cF\xf9 j";
/** How safetensors begin: a length of less than 2^32, then JSON. */
const SAFETENSORS = /^.{4}\0{4}\s*\{/s;
/** The mark of a tar archive, and its place. */
const TAR = "ustar";
const TAR_AT = 257;
const GZIP = "\x1f\x8b";

/** How to bring an earlier file of PyTorch into the format that is read. */
const ANEW =
  'save it anew there with torch.save(torch.load(path, map_location="cpu"), path)';

/** Opens one file, and closes it again if it is refused. */
export function openOne(path: string): FileCheckpoint {
  const file = openFile(path);
  try {
    return openSource(unpacked(file));
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Opens a checkpoint by its first bytes. */
export function openSource(source: ByteSource): FileCheckpoint {
  const start = source.read(0, Math.min(TAR_AT + TAR.length, source.size));
  const text = String.fromCharCode(...start);
  if (text.startsWith(ZIP)) return openPth(source);
  if (SAFETENSORS.test(text)) return openSafetensors(source);
  if (start[0] === 0x80 && start[1] >= 2 && start[1] <= 5) { // a pickle
    const isLegacy = text.slice(0, 32).includes(LEGACY);
    throw refuse(
      source,
      isLegacy
        ? `in the zip format of torch.save since PyTorch 1.6; ${ANEW}`
        : "safetensors or of torch.save; load it in Python and give its tensors to torch.save",
      isLegacy ? "the legacy format" : "a bare pickle",
    );
  }
  if (text.startsWith(TAR, TAR_AT)) {
    throw refuse(
      source,
      `a checkpoint itself; unpack it, or if PyTorch before 0.1.10 wrote it, ${ANEW}`,
      "a tar archive",
    );
  }
  if (text.startsWith(GZIP)) {
    throw refuse(source, "unpacked; use gunzip", "compressed by gzip");
  }
  if (text.startsWith("version https:/")) {
    throw refuse(
      source,
      "the file itself; fetch it with git lfs pull",
      "a Git LFS pointer",
    );
  }
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) {
    throw refuse(source, "safetensors or of torch.save", "a web page");
  }
  if (/^\{\s*"/.test(text)) {
    throw refuse(
      source,
      "a file of tensors, or the folder of shards",
      "JSON, such as an index without its shards",
    );
  }
  return openSafetensors(source);
}

function refuse(
  { name }: ByteSource,
  rule: string,
  current: string,
): RangeError {
  return new InputError(
    `Cannot open checkpoint ${name} as it must be ${rule}: current value is ${current}`,
  );
}

/*
 * Checkpoints in several files: an index names each tensor's file.
 *
 * Format: {"metadata": {...}, "weight_map": {tensor: file, ...}}, as written by
 * Hugging Face's `save_pretrained`.
 */

const MAX_INDEX_BYTES = 2 ** 24;
const MAX_SHARDS = 1000;

/**
 * Opens all the files of an index.
 *
 * @param path The index; its files lie beside it.
 * @throws {RangeError} When the index is no such JSON, names a file elsewhere,
 * or does not agree with what its files hold.
 */
async function openShards(path: string): Promise<FileCheckpoint> {
  const byName = await readIndex(path);
  const files = [...new Set(byName.values())];
  if (files.length > MAX_SHARDS) {
    throw refuseIndex(path, `name <= ${MAX_SHARDS} files`, files.length);
  }
  const shards: FileCheckpoint[] = [];
  const close = () => shards.forEach((shard) => shard.close());
  try {
    const records = new Map<string, TensorRecord>();
    const skipped = new Map<string, string>();
    for (const file of files) {
      const shard = openOne(join(dirname(path), file));
      shards.push(shard);
      for (const name of shard.names) {
        if (byName.get(name) !== file) {
          const rule = `say that ${show(name)} lies in ${show(file)}`;
          throw refuseIndex(path, rule, show(byName.get(name)));
        }
        records.set(name, shard.record(name));
      }
      for (const [name, problem] of shard.skipped) skipped.set(name, problem);
    }
    for (const [name, file] of byName) {
      if (records.has(name) || skipped.has(name)) continue;
      throw refuseIndex(path, `name what ${show(file)} holds`, show(name));
    }
    return new FileCheckpoint({
      format: shards[0].format,
      records,
      skipped,
      sources: [{ close }],
    });
  } catch (error) {
    close();
    throw error;
  }
}

/** The file of each tensor. */
async function readIndex(path: string): Promise<Map<string, string>> {
  const { size } = await Deno.stat(path);
  if (size > MAX_INDEX_BYTES) {
    throw refuseIndex(path, `be <= ${MAX_INDEX_BYTES} bytes`, size);
  }
  const text = await Deno.readTextFile(path);
  let map: unknown;
  try {
    map = JSON.parse(text).weight_map;
  } catch (cause) {
    throw refuseIndex(path, "be JSON", show(text), cause);
  }
  const entries = typeof map === "object" && map ? Object.entries(map) : [];
  if (entries.length === 0) {
    throw refuseIndex(path, "have a weight_map", show(map));
  }
  for (const [name, file] of entries) {
    const plain = typeof file === "string" && /^[\w.-]+$/.test(file) &&
      file === basename(file) && !file.startsWith(".");
    if (plain) continue;
    throw refuseIndex(
      path,
      `name a file beside it for ${show(name)}`,
      show(file),
    );
  }
  return new Map(entries);
}

function refuseIndex(
  path: string,
  rule: string,
  current: unknown,
  cause?: unknown,
): RangeError {
  return new InputError(
    `Cannot open checkpoint ${
      basename(path)
    } as it must ${rule}: current value is ${current}`,
    { cause },
  );
}
