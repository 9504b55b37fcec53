// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { InputError } from "../input_error.ts";

/**
 * The places at which one axis is sampled: output pixel i lies at
 * (i + 0.5) * step + origin in the input, in pixels, whose centers are at whole
 * numbers.
 */
export interface AxisPlaces {
  /** The first output pixel to sample; default 0. */
  readonly first?: number;
  /** How many output pixels, from `first` on. */
  readonly count: number;
  /** Input pixels per output pixel. */
  readonly step: number;
  /** The edge of output pixel 0: -0.5 is the input's own edge. */
  readonly origin: number;
}

/**
 * Resizes an image or a map bilinearly, with half-pixel centers: output pixel i
 * lies at (i + 0.5) * scale - 0.5 in the input, and edges repeat. Where a side
 * shrinks, the triangle filter widens with the scale, so that every input pixel
 * counts and nothing aliases, as in Pillow's BILINEAR and PyTorch's
 * `interpolate(mode: "bilinear", antialias: true)`.
 *
 * @param array [H, W] or [H, W, C].
 * @param height The output's height, a whole number of at least 1.
 * @param width The output's width, a whole number of at least 1.
 * @returns [height, width] or [height, width, C], a new array.
 * @throws {RangeError} When a size is not a whole number of at least 1, or the array is empty or of another rank.
 *
 * @example Halve an edge
 * ```ts
 * import ndarray from "ndarray";
 * import { resizeBilinear } from "./resize.ts";
 *
 * const edge = ndarray(new Float32Array([0, 0, 1, 1]), [1, 4]);
 * const half = resizeBilinear(edge, 1, 2); // 0.125, 0.875
 * ```
 */
export function resizeBilinear(
  array: NdArray<Float32Array>,
  height: number,
  width: number,
): NdArray<Float32Array> {
  for (const [name, size] of Object.entries({ height, width })) {
    if (!Number.isInteger(size) || size < 1) {
      throw new InputError(
        `Cannot resize as ${name} must be a whole number >= 1: current value is ${size}`,
      );
    }
  }
  checkPixels(array);
  const { shape } = array;
  return resampleBilinear(
    array,
    { count: height, step: shape[0] / height, origin: -0.5 },
    { count: width, step: shape[1] / width, origin: -0.5 },
  );
}

/** Throws unless an array is an image or a map with pixels. */
function checkPixels({ shape }: NdArray<Float32Array>): void {
  if (
    (shape.length === 2 || shape.length === 3) && shape[0] * shape[1] > 0
  ) return;
  throw new InputError(
    `Cannot resize as the array's shape must be [H, W] or [H, W, C] with pixels: current value is [${shape}]`,
  );
}

/**
 * Samples a part of an image or a map, as `resizeBilinear` samples all of it.
 * Only the pixels that count are read: a small part of a large image costs
 * little.
 *
 * @param array [H, W] or [H, W, C]; any view.
 * @param rows Where the rows lie.
 * @param columns Where the columns lie.
 * @param outside What lies beyond the array: its nearest pixel ("edge"), or 0
 * ("zero").
 * @returns [rows.count, columns.count] or [.., .., C], a new array.
 */
export function resampleBilinear(
  array: NdArray<Float32Array>,
  rows: AxisPlaces,
  columns: AxisPlaces,
  outside: "edge" | "zero" = "edge",
): NdArray<Float32Array> {
  const { data, shape, stride, offset } = array;
  const channels = shape[2] ?? 1;
  const down = filterOf(rows, shape[0], outside);
  const across = filterOf(columns, shape[1], outside);
  const [low, high] = reach(across);
  const wide = Math.max(0, high - low + 1);

  // the rows first: [rows.count, wide, channels]
  const halfway = new Float32Array(rows.count * wide * channels);
  const [rowStep, columnStep, channelStep = 0] = stride;
  down.forEach(({ first, weights }, i) => {
    weights.forEach((weight, j) => {
      if (weight === 0) return;
      const row = offset + (first + j) * rowStep + low * columnStep;
      let to = i * wide * channels;
      for (let x = 0; x < wide; x++) {
        const from = row + x * columnStep;
        for (let c = 0; c < channels; c++) {
          halfway[to++] += weight * data[from + c * channelStep];
        }
      }
    });
  });
  const result = new Float32Array(rows.count * columns.count * channels);
  for (let i = 0; i < rows.count; i++) {
    across.forEach(({ first, weights }, x) => {
      const to = (i * columns.count + x) * channels;
      weights.forEach((weight, j) => {
        if (weight === 0) return;
        const from = (i * wide + first + j - low) * channels;
        for (let c = 0; c < channels; c++) {
          result[to + c] += weight * halfway[from + c];
        }
      });
    });
  }
  return ndarray(result, [rows.count, columns.count, ...shape.slice(2)]);
}

/** The input pixels that make an output pixel. */
interface Filter {
  /** Index of the first one. */
  readonly first: number;
  /** Their weights, in order. */
  readonly weights: readonly number[];
}

/** The filter of every output pixel of an axis with `size` input pixels. */
function filterOf(
  { first: start = 0, count, step, origin }: AxisPlaces,
  size: number,
  outside: "edge" | "zero",
): Filter[] {
  const radius = Math.max(step, 1); // of the triangle, in input pixels
  return Array.from({ length: count }, (_, k) => {
    let center = (start + k + 0.5) * step + origin;
    if (outside === "edge") {
      center = Math.min(size - 0.5, Math.max(-0.5, center));
    }
    const lowest = Math.ceil(center - radius);
    const highest = Math.floor(center + radius);
    const first = Math.max(lowest, 0), last = Math.min(highest, size - 1);
    const weights: number[] = [];
    let total = 0;
    for (let j = lowest; j <= highest; j++) {
      const inside = j >= first && j <= last;
      if (!inside && outside === "edge") continue;
      const weight = Math.max(1 - Math.abs(j - center) / radius, 0);
      if (inside) weights.push(weight);
      total += weight;
    }
    return { first, weights: weights.map((weight) => weight / total) };
  });
}

/** First and last input pixel of some filters; none is [0, -1]. */
function reach(filters: readonly Filter[]): [number, number] {
  let low = Infinity, high = -1;
  for (const { first, weights } of filters) {
    if (weights.length === 0) continue;
    low = Math.min(low, first);
    high = Math.max(high, first + weights.length - 1);
  }
  return high < 0 ? [0, -1] : [low, high];
}
