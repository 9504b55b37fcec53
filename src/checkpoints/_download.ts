/** Files of the web, each fetched once and kept. */

import { basename, join } from "node:path";
import { openOne } from "./open_checkpoint.ts";
import { EnvironmentError } from "../input_error.ts";

/** How far a load is. */
export interface LoadProgress {
  /** The current action. */
  readonly phase: "download" | "read";
  /**
   * Bytes done so far: of the file during a download, of its weights as float32
   * during reading.
   */
  readonly bytes: number;
  /** All the bytes to do, where known. */
  readonly total?: number;
}

const MAX_BYTES = 2 ** 34;
/** Milliseconds without a byte after which a download is given up. */
const STALL = 60_000;

/**
 * Gives the local path of a checkpoint on the web. It is fetched under a
 * temporary name and renamed when it is whole and opens as a checkpoint; a file
 * that is there already is used without asking the server again.
 *
 * @param url Where it is.
 * @param folder Where files are kept.
 * @param onProgress Called as bytes arrive.
 * @throws {Error} When the server does not answer 200, sends a web page, less
 * or more than it announced, more than 16 GB, or nothing for a minute.
 * @throws {RangeError} When what it sends is no checkpoint.
 */
export async function download(
  url: URL,
  folder: string,
  onProgress?: (progress: LoadProgress) => void,
): Promise<string> {
  const path = join(folder, await cacheName(url));
  if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) {
    return path;
  }
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  await Deno.mkdir(folder, { recursive: true });
  try {
    await fetchTo(url, temporary, onProgress);
    openOne(temporary).close();
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
  return path;
}

/** A name that no two URLs share and that a person can read. */
async function cacheName(url: URL): Promise<string> {
  const bytes = new TextEncoder().encode(url.href);
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  const readable = basename(url.pathname).replaceAll(/[^\w.-]/g, "_");
  return `${new Uint8Array(hash).toHex().slice(0, 16)}-${readable.slice(-80)}`;
}

async function fetchTo(
  url: URL,
  path: string,
  onProgress?: (progress: LoadProgress) => void,
): Promise<void> {
  const stalled = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(
      () => stalled.abort(refuse(url, "the server must send on", "silence")),
      STALL,
    );
  };
  restart();
  try {
    const response = await fetch(url, { signal: stalled.signal });
    const total = await announced(url, response);
    using file = await Deno.create(path);
    const writer = file.writable.getWriter();
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      restart();
      bytes += chunk.length;
      if (bytes > (total ?? MAX_BYTES)) break;
      await writer.write(chunk);
      onProgress?.({ phase: "download", bytes, total });
    }
    await writer.close();
    if (bytes > (total ?? MAX_BYTES) || bytes !== (total ?? bytes)) {
      throw refuse(
        url,
        `the server must send ${total ?? `<= ${MAX_BYTES}`} bytes`,
        bytes,
      );
    }
  } finally {
    clearTimeout(timer);
  }
}

/** The bytes that a good answer announces. */
async function announced(
  url: URL,
  response: Response,
): Promise<number | undefined> {
  const { status, headers } = response;
  const type = headers.get("content-type") ?? "";
  const length = headers.get("content-length");
  const encoded = headers.has("content-encoding");
  const total = length === null || encoded ? undefined : Number(length);
  const problem = status !== 200
    ? refuse(url, "the server must answer 200", status)
    : type.startsWith("text/html")
    ? refuse(url, "the server must send a checkpoint", type)
    : total !== undefined && !(total <= MAX_BYTES)
    ? refuse(url, `the server must send <= ${MAX_BYTES} bytes`, length)
    : undefined;
  if (!problem) return total;
  await response.body?.cancel();
  throw problem;
}

function refuse(url: URL, rule: string, current: unknown): Error {
  return new EnvironmentError(
    `Cannot load the model ${url} as ${rule}: current value is ${current}`,
  );
}
