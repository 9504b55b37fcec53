/** Training examples of the baselines. */

import type { Random } from "../random.ts";
import { frameOf } from "../spa/frame.ts";
import { drawPlacement, placeImage, placeMask } from "../training/augment.ts";
import { drawGroup, drawPhantom } from "../training/groups.ts";
import type { ExampleSource, TrainingExample } from "./method.ts";

/** An example without its iterations. */
type Drawn = Omit<TrainingExample, "left">;

/** An image, and the mask that one user has in mind, drawn as for SPA. */
export function drawUser(
  { cases, config, recipe }: ExampleSource,
  random: Random,
): Drawn {
  const options = { ...recipe, usersPerImage: 1 };
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

/** An image, and the mask of every rater who drew one, by rater. */
interface RatedImage {
  readonly pixels: Float32Array;
  readonly masks: ReadonlyMap<number, Float32Array>;
}

/**
 * Draws an image with at least one mask, moved at random.
 *
 * @param phantoms Whether phantoms may join cases; their raters are not theirs.
 */
function drawRated(
  { cases, config, recipe }: ExampleSource,
  random: Random,
  phantoms: boolean,
): RatedImage {
  const share = phantoms ? recipe.phantomShare : 0;
  while (true) {
    const { image, masks } = cases.length === 0 || random.uniform() < share
      ? drawPhantom(random)
      : cases[random.integer(cases.length)];
    const [height, width] = image.shape;
    const placement = drawPlacement(random, height, width);
    const placed = new Map<number, Float32Array>();
    masks.slice(0, config.raters).forEach((mask, r) => {
      const data = mask.data as Uint8Array;
      if (data.every((value) => value === 0)) return;
      placed.set(r, placeMask(data, height, width, placement, config.network));
    });
    if (placed.size === 0) continue;
    const pixels = placeImage(image, placement, config.network);
    return { pixels, masks: placed };
  }
}

/** The sum of masks, each in its share. */
function weightedMask(
  masks: ReadonlyMap<number, Float32Array>,
  shares: Float32Array,
): Float32Array {
  const sum = new Float32Array([...masks.values()][0].length);
  for (const [r, mask] of masks) {
    for (let i = 0; i < sum.length; i++) sum[i] += shares[r] * mask[i];
  }
  return sum;
}

/** Shares of the raters who drew a mask, in proportion to `weightOf`. */
function sharesOf(
  { masks }: RatedImage,
  raters: number,
  weightOf: (place: number) => number,
): Float32Array {
  const shares = new Float32Array(raters);
  const weights = [...masks.keys()].map((_, place) => weightOf(place));
  const total = weights.reduce((a, b) => a + b);
  [...masks.keys()].forEach((r, place) => shares[r] = weights[place] / total);
  return shares;
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
  const shares = sharesOf(rated, source.config.raters, () => 1);
  const mean = weightedMask(rated.masks, shares);
  const majority = mean.map((value) => value >= 0.5 - 1e-6 ? 1 : 0);
  return exampleOf(source, rated, shares, [majority]);
}

/** An image and one rater's mask. */
export function drawRater(source: ExampleSource, random: Random): Drawn {
  const rated = drawRated(source, random, true);
  const chosen = random.integer(rated.masks.size);
  const shares = sharesOf(
    rated,
    source.config.raters,
    (place) => place === chosen ? 1 : 0,
  );
  const target = weightedMask(rated.masks, shares);
  return exampleOf(source, rated, shares, [target]);
}

/** An image and the mask of every rater; the raters' mean for one who drew none. */
export function drawAllRaters(source: ExampleSource, random: Random): Drawn {
  const rated = drawRated(source, random, false);
  const { raters } = source.config;
  const shares = sharesOf(rated, raters, () => 1);
  const mean = weightedMask(rated.masks, shares);
  const targets = Array.from(shares, (_, r) => rated.masks.get(r) ?? mean);
  return exampleOf(source, rated, shares, targets);
}

/**
 * An image and its raters' masks in random shares: half of the time one rater's
 * alone, else from a Dirichlet distribution.
 */
export function drawShares(source: ExampleSource, random: Random): Drawn {
  const rated = drawRated(source, random, false);
  const alone = random.uniform() < 0.5;
  const chosen = random.integer(rated.masks.size);
  const shares = sharesOf(
    rated,
    source.config.raters,
    (place) =>
      alone ? (place === chosen ? 1 : 0) : -Math.log(1 - random.uniform()),
  );
  const target = weightedMask(rated.masks, shares);
  return exampleOf(source, rated, shares, [target]);
}
