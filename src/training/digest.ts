import { createHash } from "node:crypto";
import type { TrainingCase } from "./augment.ts";

/** Tells training data apart: the beginning of a digest of all images, masks and raters. */
export function digestOf(cases: readonly TrainingCase[]): string {
  const hash = createHash("sha256");
  for (const { image, masks, raters } of cases) {
    hash.update(JSON.stringify([raters, image.shape, masks.length]));
    for (const { data } of [image, ...masks]) {
      const { buffer, byteOffset, byteLength } = data as Float32Array;
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest("hex").slice(0, 16);
}
