/** Groups of simulated users around one image: what a training batch is made of. */

import { phantom, PHANTOM_KINDS, PHANTOM_RATERS } from "../phantoms/phantom.ts";
import { maskSide, type ModelConfig } from "../model/config.ts";
import type { Random } from "../random.ts";
import { drawPlacement, drawStyle, placeImage, placeMask } from "./augment.ts";
import { drawRaters, weightedMajority } from "./raters.ts";
import {
  type SimulatedTrainee,
  startTrainee,
  type Taste,
} from "./simulation.ts";
import type { TrainingCase } from "./training_case.ts";

/** What examples are drawn from. */
export interface ExampleOptions {
  /** Share of examples that are phantoms, 0..1. */
  readonly phantomShare: number;
  /**
   * Share of users whose mask departs from the raters' in a style of its own,
   * 0..1.
   */
  readonly styleShare: number;
  /** Users R to an image, at least 1. */
  readonly usersPerImage: number;
  /**
   * Share of users who go on to another image, 0..1, with their profile if their
   * taste means something there.
   */
  readonly carryShare: number;
}

/** One image and the users who look at it. */
export interface Group {
  /** The normalised image, [S, S, 3]. */
  readonly pixels: Float32Array;
  /** Whether it is a phantom. */
  readonly synthetic: boolean;
  readonly users: readonly SimulatedTrainee[];
  /** Iterations until the users leave. */
  left: number;
}

/** Masks with fewer pixels than this at the decoder's resolution are redrawn ... */
const FEWEST_PIXELS = 8;

/** ... so many times. */
const MOST_DRAWS = 1000;

/** A phantom of a random kind, as a training case. */
export function drawPhantom(random: Random): TrainingCase {
  const kind = PHANTOM_KINDS[random.integer(PHANTOM_KINDS.length)];
  const { image, masks } = phantom({ kind, seed: random.integer(2 ** 31) });
  return {
    image,
    masks: PHANTOM_RATERS.map((rater) => masks[rater]),
    raters: PHANTOM_RATERS,
  };
}

/** The masks that are not empty, by rater's name or else place. */
function drawnMasks({ masks, raters }: TrainingCase): Map<string, Uint8Array> {
  const named = masks.map(({ data }, r) =>
    [raters?.[r] ?? `${r}`, data as Uint8Array] as const
  );
  return new Map(named.filter(([, data]) => data.some((value) => value > 0)));
}

/** What a user wants of an image, and what of it stays on the next one. */
interface Wish {
  readonly taste: Taste;
  /** The mask in mind, placed; undefined when it is too small. */
  readonly target?: Float32Array;
}

/** Draws a user's mask; `known` is the taste of one who was there before. */
function drawWish(
  example: TrainingCase,
  placement: ReturnType<typeof drawPlacement>,
  config: ModelConfig,
  { styleShare }: ExampleOptions,
  random: Random,
  known?: Taste,
): Wish {
  const masks = drawnMasks(example);
  const weights = known?.raters ?? drawRaters([...masks.keys()], random);
  const { style } = known ??
    { style: random.uniform() < styleShare ? drawStyle(random) : undefined };
  const taste = {
    ...(example.raters && { raters: weights }),
    ...(style && { style }),
  };
  const majority = weightedMajority(masks, weights);
  if (!majority) return { taste };
  const [height, width] = example.image.shape;
  const target = placeMask(majority, height, width, placement, config, style);
  const pixels = target.filter((value) => value >= 0.5).length;
  return pixels < FEWEST_PIXELS ? { taste } : { taste, target };
}

/**
 * Draws a group: an image of the cases or a phantom, moved at random, and the
 * users' masks.
 *
 * @param left Iterations until the users leave.
 * @param before The group whose place it takes; some of its users go on.
 * @throws {RangeError} When the masks are too small at the decoder's resolution.
 */
export function drawGroup(
  cases: readonly TrainingCase[],
  config: ModelConfig,
  options: ExampleOptions,
  random: Random,
  left: number,
  before?: Group,
): Group {
  const staying =
    before?.users.map((user) =>
      random.uniform() < options.carryShare ? user : undefined
    ) ?? [];
  const places = Array.from({ length: options.usersPerImage }, (_, i) => i);
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const synthetic = cases.length === 0 ||
      (staying.some(Boolean)
        ? before!.synthetic
        : random.uniform() < options.phantomShare);
    const example = synthetic
      ? drawPhantom(random)
      : cases[random.integer(cases.length)];
    const [height, width] = example.image.shape;
    const placement = drawPlacement(random, height, width);
    const users = places.flatMap((i) => {
      const user = staying[i];
      const { target, taste } = drawWish(
        example,
        placement,
        config,
        options,
        random,
        user?.taste,
      );
      return target ? [startTrainee(target, config, random, taste, user)] : [];
    });
    if (users.length < options.usersPerImage) continue;
    return {
      pixels: placeImage(example.image, placement, config),
      synthetic,
      users,
      left,
    };
  }
  const side = maskSide(config);
  throw new RangeError(
    `Cannot train as masks must cover at least ${FEWEST_PIXELS} pixels at the decoder's ${side} x ${side}: current value is fewer in ${MOST_DRAWS} draws; crop the images to what is marked`,
  );
}
