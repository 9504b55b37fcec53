/** What tests/reference/make.py wrote, as the module's own values. */
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { HostTensor } from "../../src/engine/tensors.ts";
import type { MaskPrompts } from "../../src/spa/predict_masks.ts";

/** An image of bytes, [H, W, 3], as values in 0..1. */
export function imageOf({ data, shape }: HostTensor): NdArray<Float32Array> {
  return ndarray(Float32Array.from(data, (value) => value / 255), [...shape]);
}

/** The prompts of one case. */
export function promptsOf(
  tensors: ReadonlyMap<string, HostTensor>,
  name: string,
): MaskPrompts {
  const points = tensors.get(`${name}/points`);
  const box = tensors.get(`${name}/box`)?.data;
  const mask = tensors.get("mask")!;
  return {
    points: Array.from({ length: points?.shape[0] ?? 0 }, (_, i) => {
      const [x, y, label] = points!.data.slice(3 * i, 3 * i + 3);
      return { x, y, label: label as 0 | 1 };
    }),
    box: box &&
      { left: box[0], top: box[1], right: box[2], bottom: box[3] },
    logits: name.startsWith("mask")
      ? ndarray(mask.data as Float32Array, [...mask.shape])
      : undefined,
  };
}

/** Largest difference, relative to the largest value expected. */
export function relativeError(actual: HostTensor, expected: HostTensor) {
  if (actual.data.length !== expected.data.length) return Infinity;
  let error = 0, scale = 0;
  expected.data.forEach((value, i) => {
    const difference = Math.abs(value - actual.data[i]);
    error = Math.max(error, Number.isNaN(difference) ? Infinity : difference);
    scale = Math.max(scale, Math.abs(value));
  });
  return error / scale;
}
