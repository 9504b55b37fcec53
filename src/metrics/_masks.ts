// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { InputError } from "../input_error.ts";

/** Refuses two arrays of different shapes, naming both. */
export function checkSameShape(
  metric: string,
  one: { shape: readonly number[] },
  other: { shape: readonly number[] },
): void {
  const same = one.shape.length === other.shape.length &&
    one.shape.every((side, axis) => side === other.shape[axis]);
  if (!same) {
    throw new InputError(
      `Cannot compute ${metric} as both arrays must have the same shape: current value is [${one.shape}] and [${other.shape}]`,
    );
  }
}

/** How many pixels are in the first mask, in the second, and in both. */
export function countOverlap(
  metric: string,
  one: NdArray<Uint8Array>,
  other: NdArray<Uint8Array>,
): { one: number; other: number; both: number } {
  checkSameShape(metric, one, other);
  const a = contiguous(one).data;
  const b = contiguous(other).data;
  const counts = { one: 0, other: 0, both: 0 };
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== 0) {
      counts.one++;
      if (b[i] !== 0) counts.both++;
    }
    if (b[i] !== 0) counts.other++;
  }
  return counts;
}

/** A score for every sample (row) with every annotation (column), row-major. */
export function scorePairs(
  metric: string,
  samples: readonly NdArray<Uint8Array>[],
  annotations: readonly NdArray<Uint8Array>[],
  score: (one: NdArray<Uint8Array>, other: NdArray<Uint8Array>) => number,
): Float64Array {
  for (const [name, list] of Object.entries({ samples, annotations })) {
    if (list.length === 0) {
      throw new InputError(
        `Cannot compute ${metric} as ${name} must hold at least one mask: current value is []`,
      );
    }
  }
  const columns = annotations.map((annotation) => contiguous(annotation));
  const scores = new Float64Array(samples.length * columns.length);
  samples.forEach((sample, row) => {
    const mask = contiguous(sample);
    columns.forEach((column, k) => {
      scores[row * columns.length + k] = score(mask, column);
    });
  });
  return scores;
}
