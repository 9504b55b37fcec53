/** Training examples of the baselines. */

import type { Random } from "../random.ts";
import { frameOf } from "../spa/frame.ts";
import { placeImage, placeMask } from "../training/augment.ts";
import { drawGroup, drawPhantom, drawPlace } from "../training/groups.ts";
import { drawRaters } from "../training/raters.ts";
import { drawFrom } from "../training/training_case.ts";
import type { ExampleSource, TrainingExample } from "./method.ts";

/** An example without its iterations. */
type Drawn = Omit<TrainingExample, "left">;

/** An image, and the mask that one user has in mind, drawn as for SPA. */
export function drawUser(
  { cases, config, recipe }: ExampleSource,
  random: Random,
): Drawn {
  const options = { ...recipe, usersPerImage: 1, boxShare: 0, maskShare: 0 };
  const { pixels, users: [{ target, feedback }] } = drawGroup(
    cases,
    config.network,
    options,
    random,
    1,
  );
  return {
    pixels,
    feedback,
    targets: [target],
    expertise: new Float32Array(config.raters).fill(1 / config.raters),
  };
}

/**
 * A region's middle is off its object's by so many sides at most: where nobody
 * clicks, the object is the one in the middle.
 */
const NEAR_MIDDLE = 0.05;

/** A randomly moved image or region, and the masks of the raters who drew one. */
interface RatedImage {
  readonly pixels: Float32Array;
  /** By rater, at the image's own size, row-major. */
  readonly masks: ReadonlyMap<number, Uint8Array>;
  /** Moves a mask with the image. */
  place(mask: Uint8Array): Float32Array;
}

/**
 * Draws an image with at least one mask, whole or a region around one, as for SPA.
 *
 * @param phantoms Whether phantoms may join cases; their raters are not theirs.
 */
function drawRated(
  { cases, config: { network, raters, names }, recipe }: ExampleSource,
  random: Random,
  phantoms: boolean,
): RatedImage {
  const share = phantoms ? recipe.phantomShare : 0;
  while (true) {
    const synthetic = cases.length === 0 || random.uniform() < share;
    const example = synthetic ? drawPhantom(random) : drawFrom(cases, random);
    const { image, masks, raters: own } = example;
    const placeOf = (r: number) =>
      names && own && !synthetic ? names.indexOf(own[r]) : r;
    const drawn = masks
      .map((mask, r) => [placeOf(r), mask.data as Uint8Array] as const)
      .filter(([r, data]) =>
        r >= 0 && r < raters && data.some((value) => value !== 0)
      );
    if (drawn.length === 0) continue;
    const [height, width] = image.shape;
    const placement = drawPlace(
      example,
      true,
      recipe.regionShare,
      random,
      NEAR_MIDDLE,
    );
    return {
      pixels: placeImage(image, placement, network),
      masks: new Map(drawn),
      place: (mask) => placeMask(mask, height, width, placement, network),
    };
  }
}

/** Shares of the raters who drew a mask, in proportion to `weightOf`. */
function sharesOf(
  { masks }: RatedImage,
  { config: { raters } }: ExampleSource,
  weightOf: (place: number) => number,
): Float32Array {
  const shares = new Float32Array(raters);
  const weights = Array.from(masks.keys(), (_, place) => weightOf(place));
  const total = weights.reduce((a, b) => a + b);
  [...masks.keys()].forEach((r, place) => shares[r] = weights[place] / total);
  return shares;
}

/** The sum of the masks, each in its share. */
function weightedMask(
  { masks, place }: RatedImage,
  shares: Float32Array,
): Float32Array {
  const parts = [...masks].filter(([r]) => shares[r] > 0)
    .map(([r, mask]) => place(mask).map((value) => value * shares[r]));
  return parts.reduce((sum, part) => sum.map((value, i) => value + part[i]));
}

/** An example of the raters' masks in some shares. */
function exampleOf(
  { config: { network } }: ExampleSource,
  { pixels }: RatedImage,
  expertise: Float32Array,
  targets: readonly Float32Array[],
): Drawn {
  const S = network.imageSize;
  const feedback = { points: [], choices: [], frame: frameOf(S, S, S) };
  return { pixels, feedback, expertise, targets };
}

/** An image and its raters' majority: what at least half of them drew. */
export function drawMajority(source: ExampleSource, random: Random): Drawn {
  const rated = drawRated(source, random, true);
  const masks = [...rated.masks.values()];
  const majority = masks[0].map((_, i) => {
    const votes = masks.filter((mask) => mask[i] !== 0).length;
    return 2 * votes >= masks.length ? 1 : 0;
  });
  const shares = sharesOf(rated, source, () => 1);
  return exampleOf(source, rated, shares, [rated.place(majority)]);
}

/** An image and one rater's mask. */
export function drawRater(source: ExampleSource, random: Random): Drawn {
  const rated = drawRated(source, random, true);
  const chosen = random.integer(rated.masks.size);
  const shares = sharesOf(rated, source, (place) => Number(place === chosen));
  return exampleOf(source, rated, shares, [weightedMask(rated, shares)]);
}

/** An image and the mask of every rater; the raters' mean for one who drew none. */
export function drawAllRaters(source: ExampleSource, random: Random): Drawn {
  const rated = drawRated(source, random, false);
  const shares = sharesOf(rated, source, () => 1);
  const placed = new Map(
    [...rated.masks].map(([r, mask]) => [r, rated.place(mask)]),
  );
  const targets = Array.from(
    shares,
    (_, r) => placed.get(r) ?? weightedMask(rated, shares),
  );
  return exampleOf(source, rated, shares, targets);
}

/**
 * An image and its raters' masks in random shares: half of the time one rater's
 * alone, else from a Dirichlet distribution.
 */
export function drawShares(source: ExampleSource, random: Random): Drawn {
  const rated = drawRated(source, random, false);
  const names = Array.from(rated.masks.keys(), String);
  const weights = drawRaters(names, random);
  const shares = sharesOf(rated, source, (place) => weights[names[place]]);
  return exampleOf(source, rated, shares, [weightedMask(rated, shares)]);
}
