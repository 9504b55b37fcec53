import { gunzipSync } from "node:zlib";

/** Whether bytes begin as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * What a gzip file holds; one that inflates beyond a limit is refused before more
 * is held.
 *
 * @param limit Bytes that it may hold at most.
 * @param refused Makes the error, of a longer stream or of a damaged one.
 */
export function gunzipWithin(
  bytes: Uint8Array,
  limit: number,
  refused: (longer: boolean, cause: unknown) => Error,
): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: limit });
  } catch (error) {
    const { code } = error as { code?: string };
    throw refused(code === "ERR_BUFFER_TOO_LARGE", error);
  }
}
