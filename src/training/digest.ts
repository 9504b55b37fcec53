import { digest } from "../digest.ts";
import type { TrainingCase } from "./training_case.ts";

/** Tells training data apart: the beginning of a digest of all images, masks and raters. */
export function digestOf(cases: readonly TrainingCase[]): string {
  return digest(cases.flatMap(({ image, masks, raters }) => [
    JSON.stringify([raters, image.shape, masks.length]),
    ...[image, ...masks].map(({ data }) => data as Float32Array | Uint8Array),
  ]));
}
