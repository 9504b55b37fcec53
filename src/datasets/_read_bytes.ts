import { fileURLToPath } from "node:url";

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

/** The bytes of `source`. */
export async function readBytes(source: ImageSource): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const remote = /^(https?|data):/.test(String(source));
  try {
    if (remote) {
      const response = await fetch(source);
      if (response.ok) return new Uint8Array(await response.arrayBuffer());
      await response.body?.cancel();
      throw new Error(`${response.status} ${response.statusText}`);
    }
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
      }`,
      { cause: error },
    );
  }
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

/** At most the first `count` bytes of a file. */
export async function readHead(
  path: string,
  count: number,
): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const bytes = new Uint8Array(Math.min(size, count));
  let filled = 0;
  while (filled < bytes.length) {
    const read = await file.read(bytes.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}
