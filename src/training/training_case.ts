/** Cases to train on, in memory. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";

/** A case in memory. */
export interface TrainingCase {
  /** [H, W, C], 0..1, C 1 or 3. */
  readonly image: NdArray<Float32Array>;
  /** The raters' masks, [H, W] each, 0 or 1; empty ones are passed over. */
  readonly masks: readonly NdArray<Uint8Array>[];
  /**
   * The names of the masks' raters, where a name is the same person in every
   * case; without them nobody knows who drew what.
   */
  readonly raters?: readonly string[];
}

/** Whether a rater marked anything in a case. */
export function isMarked({ masks }: Pick<TrainingCase, "masks">): boolean {
  return masks.some((mask) => contiguous(mask).data.some((value) => value > 0));
}

/**
 * The cases in memory order, as drawing takes them.
 *
 * @throws {RangeError} When there are cases, and all masks of all are empty.
 */
export function orderCases(cases: readonly TrainingCase[]): TrainingCase[] {
  const ordered = cases.map(({ image, masks, ...rest }) => ({
    ...rest,
    image: contiguous(image),
    masks: masks.map((mask) => contiguous(mask)),
  }));
  if (cases.length === 0 || ordered.some(isMarked)) return ordered;
  throw new RangeError(
    `Cannot train as a case must have a mask that is not empty: current value is ${cases.length} cases without`,
  );
}
