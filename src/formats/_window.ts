// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";

/** Percentiles are of about this many values at most, evenly strided. */
const SAMPLE = 2 ** 20;

/**
 * The 0.5th and 99.5th percentile of an array, or its smallest and largest value
 * where these coincide. Values that are not finite do not count.
 */
export function percentileWindow(
  array: NdArray<Float32Array>,
): [low: number, high: number] {
  const stride = Math.ceil(array.size / SAMPLE);
  const sorted = strided(array, stride).filter(Number.isFinite).sort();
  const last = sorted.length - 1;
  if (last < 0) return [0, 1];
  const percentile = (p: number) => {
    // Linear between neighbours, as numpy.percentile does.
    const position = last * p / 100;
    const below = Math.floor(position);
    const next = sorted[Math.min(below + 1, last)];
    return sorted[below] + (position - below) * (next - sorted[below]);
  };
  const low = percentile(0.5);
  const high = percentile(99.5);
  return low < high ? [low, high] : [sorted[0], sorted[last]];
}

/** Every `stride`-th value, in row-major order. */
function strided(array: NdArray<Float32Array>, stride: number): Float32Array {
  const { shape, stride: steps, data, offset } = array;
  const picked = new Float32Array(Math.ceil(array.size / stride));
  for (let i = 0; i < picked.length; i++) {
    let rest = i * stride;
    let at = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += steps[axis] * (rest % shape[axis]);
      rest = Math.floor(rest / shape[axis]);
    }
    picked[i] = data[at];
  }
  return picked;
}
