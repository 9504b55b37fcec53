/**
 * Checkpoints in several files: an index names each tensor's file.
 *
 * Format: {"metadata": {...}, "weight_map": {tensor: file, ...}}, as written by
 * Hugging Face's `save_pretrained`.
 */

import { basename, dirname, join } from "node:path";
import { show } from "./_elements.ts";
import { openOne } from "./_open_source.ts";
import { FileCheckpoint, type TensorRecord } from "./_file_checkpoint.ts";

const MAX_INDEX_BYTES = 2 ** 24;
const MAX_SHARDS = 1000;

/**
 * Opens all the files of an index.
 *
 * @param path The index; its files lie beside it.
 * @throws {RangeError} When the index is no such JSON, names a file elsewhere,
 * or does not agree with what its files hold.
 */
export async function openShards(path: string): Promise<FileCheckpoint> {
  const byName = await readIndex(path);
  const files = [...new Set(byName.values())];
  if (files.length > MAX_SHARDS) {
    throw refuse(path, `name <= ${MAX_SHARDS} files`, files.length);
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
          throw refuse(path, rule, show(byName.get(name)));
        }
        records.set(name, shard.record(name));
      }
      for (const [name, problem] of shard.skipped) skipped.set(name, problem);
    }
    for (const [name, file] of byName) {
      if (records.has(name) || skipped.has(name)) continue;
      throw refuse(path, `name what ${show(file)} holds`, show(name));
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
    throw refuse(path, `be <= ${MAX_INDEX_BYTES} bytes`, size);
  }
  const text = await Deno.readTextFile(path);
  let map: unknown;
  try {
    map = JSON.parse(text).weight_map;
  } catch (cause) {
    throw refuse(path, "be JSON", show(text), cause);
  }
  const entries = typeof map === "object" && map ? Object.entries(map) : [];
  if (entries.length === 0) throw refuse(path, "have a weight_map", show(map));
  for (const [name, file] of entries) {
    const plain = typeof file === "string" && /^[\w.-]+$/.test(file) &&
      file === basename(file) && !file.startsWith(".");
    if (plain) continue;
    throw refuse(path, `name a file beside it for ${show(name)}`, show(file));
  }
  return new Map(entries);
}

function refuse(
  path: string,
  rule: string,
  current: unknown,
  cause?: unknown,
): RangeError {
  return new RangeError(
    `Cannot open checkpoint ${
      basename(path)
    } as it must ${rule}: current value is ${current}`,
    { cause },
  );
}
