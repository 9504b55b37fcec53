import { createHash } from "node:crypto";
import type { HostWeights } from "./weights.ts";

/** Tells models apart: the beginning of a digest of all weights. */
export function fingerprint(
  { weights }: { readonly weights: HostWeights },
): string {
  const hash = createHash("sha256");
  for (const [name, { data, shape }] of weights) {
    hash.update(`${name} ${shape}`);
    hash.update(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
  }
  return hash.digest("hex").slice(0, 16);
}
