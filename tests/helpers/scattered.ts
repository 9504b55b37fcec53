// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import type { Values } from "../../src/arrays/contiguous.ts";

/**
 * The same array as a view: its axes in memory the other way round, the last one
 * backwards, every second value something else.
 */
export function scattered<T extends Values>(array: NdArray<T>): NdArray<T> {
  const { shape } = array;
  const rank = shape.length;
  const stride = new Array<number>(rank);
  let size = 2;
  for (let axis = 0; axis < rank; axis++) {
    stride[axis] = size;
    size *= shape[axis];
  }
  const floats = array.data instanceof Float32Array;
  const data = (floats ? new Float32Array(size) : new Uint8Array(size)) as T;
  data.fill(floats ? NaN : 7); // between the values
  let offset = 1;
  offset += (shape[rank - 1] - 1) * stride[rank - 1];
  stride[rank - 1] *= -1;
  const view = ndarray(data, shape.slice(), stride, offset);
  const index = new Array<number>(rank).fill(0);
  for (let i = 0; i < array.size; i++) {
    view.set(...index, array.get(...index));
    for (let axis = rank - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return view;
}
