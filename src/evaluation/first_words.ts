/** How a simulated user begins, and where the network looks then. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { createRandom, type Random } from "../random.ts";
import type { EncodeOptions } from "../spa/encode.ts";
import type { Box } from "../spa/frame.ts";
import { boundingBox, clickInside, jitterBox } from "../spa/simulated_user.ts";
import type { Start } from "../spa/start_preference.ts";

/**
 * Where the network looks: at the whole image; where it finds the object itself
 * from the user's first words ("auto"); or at the square three times as long as
 * the target, about its center, as a user who sees it would draw it ("given").
 */
export type RegionChoice = "auto" | "whole" | "given";

/** What a user gives first: a click, a box, or a mask that is nearly it. */
export type Beginning = "click" | "box" | "mask";

/** Makes a mask that is nearly the target, of the same size. */
export type Damage = (
  target: NdArray<Uint8Array>,
  random: Random,
) => NdArray<Uint8Array>;

/** Side of a given region in sides of the target: as `encode` gives a box room. */
const ROOM = 3;

/**
 * The first words of a user: a click at a random pixel of the target, a box
 * around it whose edges are moved by up to a tenth, or a damaged mask.
 *
 * @param target The mask in mind, [H, W].
 * @param beginning Which of them.
 * @param damage How masks are damaged; without it the mask is the target itself.
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

/** What `encode` is told, of a user's first words. */
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
