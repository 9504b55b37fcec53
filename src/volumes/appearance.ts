/** How gray an aligned object is, beside what surrounds it. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { sampleAt } from "../arrays/sample_at.ts";
import { squaredDistances } from "../arrays/squared_distances.ts";
import type { RegionMap } from "./slice_result.ts";

/** What tells an object from its surroundings by their values. */
export interface Appearance {
  /** Values of the first and the last bin. */
  readonly low: number;
  readonly high: number;
  /** Log-likelihood ratio of the object by value, [bins], in nats. */
  readonly ratios: Float64Array;
  /** Its mean over the object. */
  readonly typical: number;
}

/** How appearance is learned. */
const LOOK = {
  /** Bins of the histograms. */
  bins: 32,
  /** Width of their smoothing, in bins. */
  blur: 1.2,
  /** Share of every histogram that is spread evenly: what was never seen. */
  even: 0.03,
  /** Width of the surroundings in square roots of the object's area. */
  ring: 0.6,
  /** Largest ratio, either way. */
  most: 3,
};

/** Values of a slice at the cells of a map, channels averaged, [side * side]. */
export function valuesAt(
  image: NdArray<Float32Array>,
  { region, side }: Pick<RegionMap, "region" | "side">,
): Float32Array {
  const [height, width, channels] = image.shape;
  const { data } = contiguous(image);
  const cell = (region.right - region.left) / side;
  const values = new Float32Array(side * side);
  for (let v = 0, i = 0; v < side; v++) {
    for (let u = 0; u < side; u++, i++) {
      const x = region.left + (u + 0.5) * cell;
      const y = region.top + (v + 0.5) * cell;
      for (let c = 0; c < channels; c++) {
        values[i] += sampleAt(data, height, width, channels, c, x, y) /
          channels;
      }
    }
  }
  return values;
}

/** Learns the appearance of an object; undefined of an empty map. */
export function appearanceOf(
  image: NdArray<Float32Array>,
  map: RegionMap,
): Appearance | undefined {
  const { side, bytes } = map;
  const inside: number[] = [];
  bytes.forEach((byte, i) => byte > 127 && inside.push(i));
  if (inside.length === 0) return undefined;
  const values = valuesAt(image, map);
  const reach = LOOK.ring ** 2 * inside.length;
  const near = squaredDistances(inside, side, side);
  const around = [...near.keys()].filter((i) =>
    near[i] > 0 && near[i] <= reach
  );
  let low = Infinity, high = -Infinity;
  for (const i of [...inside, ...around]) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  if (!(high > low)) high = low + 1;
  const own = histogram(values, inside, low, high);
  const other = histogram(values, around, low, high);
  const ratios = Float64Array.from(own, (share, b) => {
    const ratio = Math.log(share / other[b]);
    return Math.min(LOOK.most, Math.max(-LOOK.most, ratio));
  });
  const known = { low, high, ratios, typical: 0 };
  const found = ratiosAt(values, known);
  const typical = inside.reduce((sum, i) => sum + found[i], 0) / inside.length;
  return { ...known, typical };
}

/** Log-likelihood ratios of values. */
export function ratiosAt(
  values: Float32Array,
  { low, high, ratios }: Omit<Appearance, "typical">,
): Float32Array {
  return values.map((value) => ratios[binOf(value, low, high)]);
}

/**
 * How much the inside of a map looks like the aligned object: the mean ratio
 * there, in that of the object; 1 like it, 0 or less like its surroundings.
 *
 * @param map Probabilities, row-major.
 * @param ratios Of the same cells.
 */
export function resemblanceOf(
  map: Float32Array,
  ratios: Float32Array,
  { typical }: Appearance,
): number {
  let total = 0, count = 0;
  for (let i = 0; i < map.length; i++) {
    if (map[i] < 0.5) continue;
    total += ratios[i];
    count++;
  }
  return count === 0 || typical <= 0 ? 0 : total / count / typical;
}

function binOf(value: number, low: number, high: number): number {
  const bin = Math.floor(LOOK.bins * (value - low) / (high - low));
  return Math.min(LOOK.bins - 1, Math.max(0, bin));
}

/** Shares of the bins, smoothed. */
function histogram(
  values: Float32Array,
  cells: readonly number[],
  low: number,
  high: number,
): Float64Array {
  const shares = new Float64Array(LOOK.bins).fill(LOOK.even / LOOK.bins);
  const kernel = Array.from(
    { length: LOOK.bins },
    (_, b) => Math.exp(-0.5 * (b / LOOK.blur) ** 2),
  );
  const total = kernel[0] + 2 * kernel.slice(1).reduce((a, b) => a + b, 0);
  for (const i of cells) {
    const bin = binOf(values[i], low, high);
    for (let b = 0; b < LOOK.bins; b++) {
      shares[b] += (1 - LOOK.even) * kernel[Math.abs(b - bin)] / total /
        cells.length;
    }
  }
  return shares;
}
