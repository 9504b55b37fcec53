import { fileURLToPath } from "node:url";
import { constants, gunzipSync } from "node:zlib";
import { gunzipWithin } from "../gunzip.ts";
import { EnvironmentError, InputTypeError } from "../input_error.ts";

/** Where an image comes from: a path, a URL (file, http, https, data) or the bytes of a file. */
export type ImageSource = string | URL | Uint8Array;

/** How an error names a source. */
export function nameOf(source: ImageSource): string {
  return source instanceof Uint8Array
    ? `${source.length} bytes`
    : String(source).slice(0, 200);
}

/** Libraries say the same for every strip and tile: once is enough. */
function brief(value: unknown): string {
  const lines = new Set(String(value).split("\n").map((line) => line.trim()));
  const text = [...lines].join("\n");
  return text.length > 500 ? `${text.slice(0, 500)} ...` : text;
}

/** The error of a file that is not what it must be. */
export function badFile(
  what: string,
  value: unknown,
  name: string,
  cause?: unknown,
): TypeError {
  return new InputTypeError(
    `Cannot read image as ${what}: current value is ${brief(value)} (${name})`,
    { cause },
  );
}

/** Refuses an image without any number: it would be black. */
export function checkFinite(
  values: Float32Array | Uint8Array,
  name: string,
): void {
  if (values instanceof Uint8Array || values.some(Number.isFinite)) return;
  throw badFile(
    "an image must have finite values",
    "none but NaN or infinity",
    name,
  );
}

/** A volume of more voxels than this is refused unless the caller says otherwise: 512 MiB of values. */
export const MAX_VOXELS = 2 ** 27;

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
    throw new EnvironmentError(
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

/**
 * The beginning of the content of a gzip file. The file's first kibibytes hold it,
 * and no more is inflated: at most some megabytes, whatever the file.
 */
export function gunzipHead(bytes: Uint8Array, name: string): Uint8Array {
  try {
    return gunzipSync(bytes.subarray(0, 4096), {
      finishFlush: constants.Z_SYNC_FLUSH,
    });
  } catch (error) {
    throw badFile("its gzip stream must be undamaged", error, name, error);
  }
}

/** What a gzip file holds; a file that inflates beyond `limit` bytes is an error, found before more is held. */
export function gunzip(
  bytes: Uint8Array,
  limit: number,
  name: string,
): Uint8Array {
  return gunzipWithin(bytes, limit, (longer, cause) =>
    badFile(
      longer
        ? `it must inflate to the ${limit} bytes of its header at most`
        : "its gzip stream must be complete and undamaged",
      longer ? "a longer stream" : cause,
      name,
      cause,
    ));
}

/** A sample type: how many bytes, and how one is read. */
export interface SampleType {
  bytes: number;
  read(view: DataView, offset: number, little: boolean): number;
}

/** The sample types of NIfTI and NPY files by NPY's names. 64-bit integers are read to 53 bits. */
export const SAMPLES = {
  i1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  u1: { bytes: 1, read: (view, at) => view.getUint8(at) },
  i2: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  u2: { bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  i4: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  u4: { bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  i8: {
    bytes: 8,
    read: (view, at, little) => Number(view.getBigInt64(at, little)),
  },
  u8: {
    bytes: 8,
    read: (view, at, little) => Number(view.getBigUint64(at, little)),
  },
  f2: { bytes: 2, read: (view, at, little) => view.getFloat16(at, little) },
  f4: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
} satisfies Record<string, SampleType>;

/** `count` samples from the beginning of `bytes`, each times `slope` plus `intercept` in double precision. */
export function readSamples(
  bytes: Uint8Array,
  { count, type, little, slope = 1, intercept = 0 }: {
    count: number;
    type: SampleType;
    little: boolean;
    slope?: number;
    intercept?: number;
  },
): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    values[i] = type.read(view, i * type.bytes, little) * slope + intercept;
  }
  return values;
}
