import { fileURLToPath } from "node:url";
import { MAX_VOXELS } from "./_volume_header.ts";

/** Where an image comes from: a path, a URL (file, http, https, data) or the bytes of a file. */
export type ImageSource = string | URL | Uint8Array;

/** How an error names a source. */
export function nameOf(source: ImageSource): string {
  return source instanceof Uint8Array
    ? `${source.length} bytes`
    : String(source).slice(0, 200);
}

/** The error of a file that is not what it must be. */
export function badFile(
  what: string,
  value: unknown,
  name: string,
  cause?: unknown,
): TypeError {
  return new TypeError(
    `Cannot read image as ${what}: current value is ${value} (${name})`,
    { cause },
  );
}

/** No more is fetched: the largest volume, in 64-bit values. */
const MAX_FETCHED = 8 * MAX_VOXELS;

/** The bytes of `source`; of a remote one at most `limit`. */
export async function readBytes(
  source: ImageSource,
  limit = MAX_FETCHED,
): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const remote = /^(https?|data):/.test(String(source));
  try {
    if (remote) return await fetchBytes(source, limit);
    const text = String(source);
    return await Deno.readFile(text.startsWith("file:") ? new URL(text) : text);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Deno.errors.NotFound(
        `Cannot read image as the file must exist: current value is ${
          nameOf(source)
        }`,
      );
    }
    throw new Error(
      `Cannot read image as its source must be readable: current value is ${
        nameOf(source)
      } (${error instanceof Error ? error.message : error})`,
      { cause: error },
    );
  }
}

/** What a server sends; found to be too much before more is held. */
async function fetchBytes(
  source: string | URL,
  limit: number,
): Promise<Uint8Array> {
  const response = await fetch(source);
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`${response.status} ${response.statusText}`);
  }
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > limit) throw new Error(`longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return bytes;
}

/** The path of `source` where it is a folder. */
export async function folderOf(
  source: ImageSource,
): Promise<string | undefined> {
  if (source instanceof Uint8Array) return undefined;
  const text = String(source);
  if (/^(https?|data):/.test(text)) return undefined;
  const path = text.startsWith("file:") ? fileURLToPath(text) : text;
  const found = await Deno.stat(path).catch(() => undefined);
  return found?.isDirectory ? path : undefined;
}

/** Bytes that hold the header of all but unusual files. */
const HEAD = 2 ** 16;

/** The first bytes of a file. */
export async function readHead(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const bytes = new Uint8Array(Math.min(size, HEAD));
  let filled = 0;
  while (filled < bytes.length) {
    const read = await file.read(bytes.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}
