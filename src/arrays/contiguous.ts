// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";

/** The typed arrays that images, probability maps and masks are kept in. */
export type Values = Float32Array | Uint8Array;

/**
 * Row-major values without gaps, which hot loops can index directly.
 *
 * An ndarray may be a view: transposed, flipped, a window of a larger one. Such
 * a view is copied; a contiguous array is returned unchanged.
 *
 * @param array Any ndarray, of any number of dimensions.
 * @returns The same values; `data[i * width + j]` is element (i, j).
 */
export function contiguous<T extends Values>(array: NdArray<T>): NdArray<T> {
  const size = array.shape.reduce((product, side) => product * side, 1);
  let step = 1;
  let dense = array.offset === 0 && array.data.length === size;
  for (let axis = array.shape.length - 1; axis >= 0; axis--) {
    if (array.shape[axis] > 1 && array.stride[axis] !== step) dense = false;
    step *= array.shape[axis];
  }
  if (dense) return array;

  const { data, shape, stride } = array;
  const values =
    (data instanceof Float32Array
      ? new Float32Array(size)
      : new Uint8Array(size)) as T;
  const index = new Array<number>(shape.length).fill(0);
  let source = array.offset;
  for (let target = 0; target < size; target++) {
    values[target] = data[source];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += stride[axis];
      if (++index[axis] < shape[axis]) break;
      source -= stride[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return ndarray(values, shape.slice());
}
