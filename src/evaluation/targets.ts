/**
 * The targets of simulated users (one rater's mask or a majority's), their
 * first prompts, and the region where the network looks.
 */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { connectedParts } from "../arrays/clean_mask.ts";
import { contiguous } from "../arrays/contiguous.ts";
import type { Case } from "../datasets/dataset.ts";
import { meanMask } from "../metrics/overlap.ts";
import { InputError } from "../input_error.ts";
import { createRandom, type Random } from "../random.ts";
import type { EncodeOptions } from "../spa/encode.ts";
import type { Box } from "../spa/frame.ts";
import { boundingBox, clickInside, jitterBox } from "../spa/simulated_user.ts";
import type { Start } from "../spa/start_preference.ts";

/** A mask that a user has in mind. */
export interface Target {
  /** The rater, or "majority of 1, 2". */
  readonly name: string;
  /** Its place among the case's raters. */
  readonly index: number;
  /** The separate part of the mask, from 1, the largest first. */
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

/** The error of a dataset in which no rater marked anything. */
export function nothingMarked(action: string, dataset: string): RangeError {
  return new InputError(
    `Cannot ${action} as a mask must have something inside: current value is none that has in ${dataset}. Where the masks are not empty, an option of the dataset tells what is inside (label, threshold)`,
  );
}

/**
 * The number of targets of a case, as far as it is known before its masks are
 * read.
 */
export function expectedTargets(
  { raters }: Case,
  include?: readonly string[],
): number {
  if (!include) return raters.length;
  return include.some((rater) => raters.includes(rater)) ? 1 : 0;
}

/**
 * The targets of a case: the mask of every rater, or the one majority of the
 * included raters, which has the pixels in at least half of the masks that
 * these raters drew.
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

/**
 * Where the network looks: at the whole image; at the region that it finds from
 * the user's first prompts ("auto"); or at the square three times as long as
 * the target, about its center, as a user who sees it would draw it ("given").
 */
export type RegionChoice = "auto" | "whole" | "given";

/**
 * The first prompt of a user: a click, a box, or a mask that is nearly the
 * target.
 */
export type Beginning = "click" | "box" | "mask";

/** Makes a mask that is nearly the target, of the same size. */
export type Damage = (
  target: NdArray<Uint8Array>,
  random: Random,
) => NdArray<Uint8Array>;

/** Side of a given region in sides of the target: as `encode` gives a box room. */
const ROOM = 3;

/**
 * The first prompts of a user: a click at a random pixel of the target, a box
 * around it whose edges are moved by up to a tenth, or a damaged mask.
 *
 * @param target The mask in mind, [H, W].
 * @param beginning The kind of prompt.
 * @param damage How masks are damaged; without it the mask is the target
 * itself.
 */
export function firstWords(
  target: NdArray<Uint8Array>,
  random: Random,
  beginning: Beginning = "click",
  damage: Damage = (mask) => mask,
): Pick<Start, "points" | "box" | "mask"> {
  if (beginning === "click") return { points: [clickInside(target, random)] };
  if (beginning === "mask") return { mask: damage(target, random) };
  const [height, width] = target.shape;
  return { box: jitterBox(boundingBox(target), height, width, random) };
}

/**
 * The square three times as long as a target about its center, perhaps moved in
 * both directions by a share of its side: toward a corner that the target's own
 * pixels draw, so that other draws stay what they are.
 */
export function givenRegion(target: NdArray<Uint8Array>, shift = 0): Box {
  const { left, top, right, bottom } = boundingBox(target);
  const side = ROOM * Math.max(right - left, bottom - top);
  const random = createRandom(target.size, left, top, right, bottom);
  const move = () => shift * side * (random.uniform() < 0.5 ? -1 : 1);
  const x = (left + right) / 2 + move(), y = (top + bottom) / 2 + move();
  const half = side / 2;
  return { left: x - half, top: y - half, right: x + half, bottom: y + half };
}

/** The options of `encode` for a user's first prompts. */
export function lookOptions(
  region: RegionChoice,
  target: NdArray<Uint8Array>,
  words: Pick<Start, "points" | "box" | "mask">,
  { shift, spacing }: {
    readonly shift?: number;
    readonly spacing?: number | readonly [number, number];
  },
): EncodeOptions {
  if (region === "whole") return { region };
  if (region === "given") return { region: givenRegion(target, shift) };
  return {
    ...words,
    region,
    ...(spacing && {
      spacing: typeof spacing === "number" ? [spacing, spacing] : spacing,
    }),
  };
}
