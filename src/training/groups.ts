/** Groups of simulated users around one image: what a training batch is made of. */

import { phantom, PHANTOM_KINDS } from "../datasets/phantom.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Random } from "../random.ts";
import {
  drawPlacement,
  drawStyle,
  drawTarget,
  placeImage,
  placeMask,
  type TrainingCase,
} from "./augment.ts";
import { type SimulatedTrainee, startTrainee } from "./simulation.ts";

/** What examples are drawn from. */
export interface ExampleOptions {
  /** Share of examples that are phantoms, 0..1. */
  readonly phantomShare: number;
  /** Share of users whose mask departs from the raters' in a style of its own. */
  readonly styleShare: number;
  /** Users R to an image. */
  readonly usersPerImage: number;
}

/** One image and the users who look at it. */
export interface Group {
  /** The normalised image, [S, S, 3]. */
  readonly pixels: Float32Array;
  readonly users: readonly SimulatedTrainee[];
  /** Iterations until the users leave. */
  left: number;
}

/** Masks with fewer pixels than this at the decoder's resolution are redrawn. */
const FEWEST_PIXELS = 8;

/** A phantom of a random kind, as a training case. */
export function drawPhantom(random: Random): TrainingCase {
  const kind = PHANTOM_KINDS[random.integer(PHANTOM_KINDS.length)];
  const { image, masks } = phantom({ kind, seed: random.integer(2 ** 31) });
  return { image, masks: Object.values(masks) };
}

/** Draws one user's mask, or undefined when it is too small. */
function drawUserMask(
  { image, masks }: TrainingCase,
  placement: ReturnType<typeof drawPlacement>,
  config: ModelConfig,
  options: ExampleOptions,
  random: Random,
): Float32Array | undefined {
  const [height, width] = image.shape;
  const target = drawTarget(masks, random);
  if (!target) return undefined;
  const style = random.uniform() < options.styleShare
    ? drawStyle(random)
    : undefined;
  const map = placeMask(target, height, width, placement, config, style);
  let pixels = 0;
  for (const value of map) if (value >= 0.5) pixels++;
  return pixels < FEWEST_PIXELS ? undefined : map;
}

/**
 * Draws a group: an image of the cases or a phantom, moved at random, and the
 * users' masks.
 *
 * @param left Iterations until the users leave.
 */
export function drawGroup(
  cases: readonly TrainingCase[],
  config: ModelConfig,
  options: ExampleOptions,
  random: Random,
  left: number,
): Group {
  while (true) {
    const example =
      cases.length === 0 || random.uniform() < options.phantomShare
        ? drawPhantom(random)
        : cases[random.integer(cases.length)];
    const [height, width] = example.image.shape;
    const placement = drawPlacement(random, height, width);
    const users: SimulatedTrainee[] = [];
    for (let i = 0; i < options.usersPerImage; i++) {
      const map = drawUserMask(example, placement, config, options, random);
      if (map) users.push(startTrainee(map, config, random));
    }
    if (users.length < options.usersPerImage) continue;
    return {
      pixels: placeImage(example.image, placement, config),
      users,
      left,
    };
  }
}
