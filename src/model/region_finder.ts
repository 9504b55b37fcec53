/**
 * Finds how large the clicked object is: a linear map of a frozen encoder's
 * features around the click, fitted by ridge regression. It tells a region's
 * scale, which no mask at one scale can: whatever the scale, there is something
 * of a third of the region's side.
 */

import type { HostTensor } from "../engine/tensors.ts";
import { isTinyVit, type ModelConfig } from "./config.ts";
import type { HostWeights } from "./weights.ts";

/** What `FrozenFeatures` holds of one image, on the host. */
export type HostFeatures = Record<"embedding" | "finer", HostTensor>;

/** Radii of the squares of cells whose means are taken, in cells. */
const RADII = { embedding: [0, 1, 3, 7, 99], finer: [0, 1, 4] };

/** Values beside the features: the click's place. */
const PLACES = 2;

/** Whether a network has features to find regions by. */
export function hasFinder(config: ModelConfig): boolean {
  return isTinyVit(config.encoder) && !config.sam;
}

/** Values that `featuresAbout` gives. */
export function finderWidth({ encoder }: ModelConfig): number {
  if (!isTinyVit(encoder)) return 0;
  return RADII.embedding.length * encoder.neckChannels +
    RADII.finer.length * encoder.stages[1].channels + PLACES;
}

/**
 * The features about a place of a region: their means over squares of cells
 * around it, from one cell to all, and the place.
 *
 * @param u Column of the place, 0..1 of the region's side.
 * @param v Row of the place.
 */
export function featuresAbout(
  features: HostFeatures,
  u: number,
  v: number,
): Float32Array {
  const values: number[] = [];
  for (const part of ["embedding", "finer"] as const) {
    const { data, shape } = features[part];
    const [side, channels] = shape.slice(-2);
    const cell = (at: number) =>
      Math.min(side - 1, Math.max(0, Math.floor(at * side)));
    for (const radius of RADII[part]) {
      const left = Math.max(0, cell(u) - radius);
      const right = Math.min(side - 1, cell(u) + radius);
      const top = Math.max(0, cell(v) - radius);
      const bottom = Math.min(side - 1, cell(v) + radius);
      const sums = new Float64Array(channels);
      for (let y = top; y <= bottom; y++) {
        for (let x = left; x <= right; x++) {
          const at = (y * side + x) * channels;
          for (let c = 0; c < channels; c++) sums[c] += Number(data[at + c]);
        }
      }
      const cells = (right - left + 1) * (bottom - top + 1);
      for (const sum of sums) values.push(sum / cells);
    }
  }
  return Float32Array.from([...values, u, v]);
}

/** An object as the finder sees it, in sides of the region. */
export interface FoundObject {
  /** The longer side of its box. */
  readonly side: number;
  /** From the click to the box's center. */
  readonly dx: number;
  /** Likewise. */
  readonly dy: number;
}

/** Whether the weights hold a fitted finder. */
export function isFitted(weights: HostWeights): boolean {
  const weight = weights.get("region_finder.weight");
  return weight?.data.some((value) => value !== 0) ?? false;
}

/**
 * The outputs of the finder: log2 of the object's side, and the way to its center
 * in sides of the object.
 */
export function applyFinder(
  weights: HostWeights,
  values: Float32Array,
): [number, number, number] {
  const weight = weights.get("region_finder.weight")!.data;
  const bias = weights.get("region_finder.bias")!.data;
  const F = values.length;
  const output = (k: number) => {
    let sum = Number(bias[k]);
    for (let i = 0; i < F; i++) sum += Number(weight[k * F + i]) * values[i];
    return sum;
  };
  return [output(0), output(1), output(2)];
}

/** Sides of an object that are believed, in sides of the region. */
const LEAST = 0.02, MOST = 1.5;

/** What is clicked in a region. */
export function findObject(
  weights: HostWeights,
  features: HostFeatures,
  u: number,
  v: number,
): FoundObject {
  const [size, x, y] = applyFinder(weights, featuresAbout(features, u, v));
  const side = Math.min(MOST, Math.max(LEAST, 2 ** size));
  // the click is inside the object's box
  const within = (shift: number) => side * Math.min(0.5, Math.max(-0.5, shift));
  return { side, dx: within(x), dy: within(y) };
}
