/** What simulated users have in mind: one rater's mask, or a majority's. */

// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { connectedParts } from "../arrays/connected_parts.ts";
import { contiguous } from "../arrays/contiguous.ts";
import type { Case } from "../datasets/dataset.ts";
import { meanMask } from "../metrics/overlap.ts";
import { InputError } from "../input_error.ts";

/** A mask that a user has in mind. */
export interface Target {
  /** The rater, or "majority of 1, 2". */
  readonly name: string;
  /** Its place among the case's raters. */
  readonly index: number;
  /** Which separate part of the mask it is, from 1, the largest first. */
  readonly part?: number;
  /** [H, W], 0 or 1, not empty. */
  readonly mask: NdArray<Uint8Array>;
  /** Millimeters per pixel of it, where known. */
  readonly spacing?: Case["spacing"];
}

/** The masks of a case's raters, without those that are empty. */
export async function readMasks(
  item: Case,
): Promise<Map<string, NdArray<Uint8Array>>> {
  const masks = new Map<string, NdArray<Uint8Array>>();
  for (const rater of item.raters) {
    const mask = await item.readMask(rater);
    if (contiguous(mask).data.some((value) => value !== 0)) {
      masks.set(rater, mask);
    }
  }
  return masks;
}

/** The error of a dataset in which nobody marked anything: its numbers would be those of nothing. */
export function nothingMarked(action: string, dataset: string): RangeError {
  return new InputError(
    `Cannot ${action} as a mask must have something inside: current value is none that has in ${dataset}. Where the masks are not empty, an option of the dataset tells what is inside (label, threshold)`,
  );
}

/** How many targets a case has, as far as can be told before its masks are read. */
export function expectedTargets(
  { raters }: Case,
  include?: readonly string[],
): number {
  if (!include) return raters.length;
  return include.some((rater) => raters.includes(rater)) ? 1 : 0;
}

/**
 * The targets of a case: the mask of every rater, or the one majority of the
 * included raters, which has the pixels that at least half of those have who
 * drew a mask.
 */
export function targetsOf(
  { raters, spacing: stated }: Case,
  masks: ReadonlyMap<string, NdArray<Uint8Array>>,
  include?: readonly string[],
): Target[] {
  const spacing = stated || undefined; // a list of cases may say null, or 0
  if (!include) {
    return [...masks].map(([name, mask]) => ({
      name,
      index: raters.indexOf(name),
      mask,
      spacing,
    }));
  }
  const included = include.flatMap((rater) => masks.get(rater) ?? []);
  if (included.length === 0) return [];
  const share = meanMask(included);
  const mask = Uint8Array.from(
    share.data as Float32Array,
    (value) => value >= 0.5 ? 1 : 0,
  );
  if (mask.every((value) => value === 0)) return [];
  const [name, index] = include.length === 1
    ? [include[0], raters.indexOf(include[0])]
    : [`majority of ${include.join(", ")}`, 0];
  return [{ name, index, mask: ndarray(mask, share.shape), spacing }];
}

/** Pixels of the smallest part of a mask that is a target of its own. */
export const LEAST_PART = 30;

/**
 * Every separate part of the targets, of 30 pixels or more, as a target of its
 * own: an image may show several objects of a kind, and a click means one.
 */
export function partsOf(targets: readonly Target[]): Target[] {
  return targets.flatMap((target) =>
    connectedParts(target.mask, { least: LEAST_PART })
      .map((mask, i) => ({ ...target, mask, part: i + 1 }))
  );
}
