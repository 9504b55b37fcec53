import { createHash } from "node:crypto";

/** The beginning of a SHA-256 digest of texts and values, one after another. */
export function digest(
  parts: Iterable<string | Float32Array | Uint8Array>,
): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, 16);
}

/**
 * A text as a whole number below 2^48, which names a sub-stream of
 * `createRandom()`: another for another text.
 */
export function digestNumber(text: string): number {
  return parseInt(digest([text]).slice(0, 12), 16);
}
