import { constants, gunzipSync } from "node:zlib";
import { badFile } from "./_read_bytes.ts";

/** Whether bytes begin as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The beginning of what a gzip file holds, from the beginning of the file. It
 * stands in the first kibibytes of the file, so that no more is inflated: at
 * most some megabytes, whatever the file.
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
  try {
    return gunzipSync(bytes, { maxOutputLength: limit });
  } catch (error) {
    const bomb = (error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE";
    throw badFile(
      bomb
        ? `it must inflate to the ${limit} bytes of its header at most`
        : "its gzip stream must be complete and undamaged",
      bomb ? "a longer stream" : error,
      name,
      error,
    );
  }
}
