import { digest } from "../digest.ts";
import { idOf, type TrainingCase } from "./training_case.ts";

/** Tells training data apart: the beginning of a digest of all images, masks and raters. */
export function digestOf(cases: readonly TrainingCase[]): string {
  return digest(cases.map((item) => `${item.set ?? ""} ${idOf(item)}\n`));
}
