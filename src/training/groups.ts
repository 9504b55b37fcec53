/** Groups of simulated users around one image: what a training batch is made of. */

import { phantom, PHANTOM_KINDS, PHANTOM_RATERS } from "../phantoms/phantom.ts";
import { digest } from "../digest.ts";
import { maskSide, type ModelConfig } from "../model/config.ts";
import { createRandom, type Random } from "../random.ts";
import type { Box } from "../spa/frame.ts";
import { boundingBox } from "../spa/simulated_user.ts";
import {
  drawAnyRegion,
  drawPlacement,
  drawRegion,
  drawStyle,
  isMostlyBeside,
  placeImage,
  placeMask,
  type Placement,
} from "./augment.ts";
import { drawRaters, weightedMajority } from "./raters.ts";
import { drawShapes } from "./shape_phantom.ts";
import {
  type SimulatedTrainee,
  startTrainee,
  type Taste,
} from "./simulation.ts";
import {
  type Answers,
  drawAnswers,
  type Manner,
  MANNERS,
  segmentRegion,
} from "./synthetic_targets.ts";
import { drawFrom, idOf, type TrainingCase } from "./training_case.ts";
import { InputError } from "../input_error.ts";

/** What examples are drawn from. */
export interface ExampleOptions {
  /** Share of examples that are phantoms, 0..1. */
  readonly phantomShare: number;
  /**
   * Share of the other examples whose targets are no rater's masks but nested
   * pieces of a segmentation of the image (`drawAnswers`), 0..1.
   */
  readonly syntheticShare: number;
  /**
   * Share of the raters' examples that show a region around the object, of random
   * scale and shift, 0..1; the others show the whole image. Images much larger
   * than the object are always shown by regions.
   */
  readonly regionShare: number;
  /**
   * The number of placements of each image: of regions around the object, and
   * as many elsewhere. 0: a new one for every example. A network whose encoder
   * is frozen computes each only once.
   */
  readonly placements: number;
  /**
   * Share of users whose mask departs from the raters' in a style of its own,
   * 0..1.
   */
  readonly styleShare: number;
  /**
   * Chance that a user clicks at an error of the recommendation instead of
   * picking, 0..1.
   */
  readonly clickShare: number;
  /** Share of users who start with a box, 0..1, half of them with a click as well. */
  readonly boxShare: number;
  /** Share of users who start from a mask that is nearly right, 0..1. */
  readonly maskShare: number;
  /**
   * Share of users of a slice who start with the mask of a slice beside it, 0..1,
   * where the case knows its neighbors; a walk through a volume begins so.
   */
  readonly neighborShare: number;
  /** Users R to an image, at least 1. */
  readonly usersPerImage: number;
  /**
   * Share of users who go on to another image, 0..1, with their profile if their
   * taste means something there.
   */
  readonly carryShare: number;
}

/** The source of the targets that a group's users have in mind. */
export type TargetSource = "raters" | "phantom" | "synthetic";

/** One image and the users who look at it. */
export interface Group {
  /** The normalized image, [S, S, 3]. */
  readonly pixels: Float32Array;
  /** A key of the image and its placement, where it may come again. */
  readonly key?: string;
  readonly source: TargetSource;
  readonly users: readonly SimulatedTrainee[];
  /** Iterations until the users leave. */
  left: number;
}

/** Masks with fewer pixels than this at the decoder's resolution are redrawn ... */
const FEWEST_PIXELS = 8;

/** ... so many times. */
const MOST_DRAWS = 1000;

/** Share of phantoms that are random shapes, with parts in them. */
const SHAPES_SHARE = 0.4;

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

/** A phantom that SPA is trained on: one of a kind, or random shapes. */
function drawAnyPhantom(random: Random): TrainingCase {
  return random.uniform() < SHAPES_SHARE
    ? drawShapes(random)
    : drawPhantom(random);
}

/** The masks that are not empty, by rater's name or else place. */
function drawnMasks(
  { masks, raters }: Pick<TrainingCase, "masks" | "raters">,
): Map<string, Uint8Array> {
  const named = masks.map(({ data }, r) =>
    [raters?.[r] ?? `${r}`, data as Uint8Array] as const
  );
  return new Map(named.filter(([, data]) => data.some((value) => value > 0)));
}

/** What a user wants of an image, and the taste that stays on the next one. */
interface Wish {
  readonly taste: Taste;
  /** The mask in mind, placed; undefined when it is too small. */
  readonly target?: Float32Array;
  /** The pixels for the first click, if not the whole target. */
  readonly core?: Float32Array;
  /** The same in the slice beside, placed likewise, where it starts with that. */
  readonly start?: Float32Array;
}

/** Draws a user's mask; `known` is the taste of one who was there before. */
function drawWish(
  example: TrainingCase,
  placement: Placement,
  config: ModelConfig,
  { styleShare, neighborShare }: ExampleOptions,
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
  const place = (mask: Uint8Array) =>
    placeMask(mask, height, width, placement, config, style);
  const target = place(majority);
  if (!isLargeEnough(target)) return { taste };
  const { neighbors = [] } = example;
  if (neighbors.length === 0 || random.uniform() >= neighborShare) {
    return { taste, target };
  }
  const beside = drawnMasks(neighbors[random.integer(neighbors.length)]);
  const marked = weightedMajority(beside, weights);
  const start = marked && place(marked);
  return start && isLargeEnough(start)
    ? { taste, target, start }
    : { taste, target };
}

/** Whether a placed mask has pixels enough. */
function isLargeEnough(target: Float32Array): boolean {
  let pixels = 0;
  for (const value of target) if (value >= 0.5) pixels++;
  return pixels >= FEWEST_PIXELS;
}

/** The choice among nested answers: the smallest, the largest, or any. */
function drawLevel(random: Random): number {
  const way = random.uniform();
  return way < 0.35 ? 0 : way < 0.7 ? 1 : random.uniform();
}

/**
 * Draws the answer that a user wants; `known` as for `drawWish`.
 *
 * @param taken Where the first click is not to be, [side * side].
 */
function drawSyntheticWish(
  { kind, masks, manners, seed }: Answers,
  random: Random,
  taken: Float32Array | undefined,
  known?: Taste,
): Wish {
  const level = known?.level ?? drawLevel(random);
  const manner: Manner = known?.manner ??
    MANNERS[random.integer(MANNERS.length)];
  const place = manners?.indexOf(manner) ?? 0;
  const chosen = kind === "levels"
    ? Math.round(level * (masks.length - 1))
    : place >= 0
    ? place
    : random.integer(masks.length);
  const target = Float32Array.from(masks[chosen]);
  // every answer is valid for a click in all of them
  const shared = random.uniform() < 0.7;
  const core = target.map((value, i) =>
    (shared ? masks.every((m) => m[i]) : value) && !(taken && taken[i] >= 0.5)
      ? 1
      : 0
  );
  core[seed] = 1;
  return { taste: { level, manner }, target, core };
}

const boxes = new WeakMap<TrainingCase, readonly Box[]>();

/** The boxes of a case's masks. */
function boxesOf(example: TrainingCase): readonly Box[] {
  const known = boxes.get(example);
  if (known) return known;
  const found = example.masks
    .filter(({ data }) => data.some((value) => value > 0))
    .map((mask) => boundingBox(mask));
  boxes.set(example, found);
  return found;
}

/** Share of the whole image's side that an object has at least where it is shown whole. */
const LEAST_WHOLE = 0.12;

/**
 * Draws where an example's pixels are taken from.
 *
 * @param around Whether that is around one of its masks, or anywhere.
 * @param most How many sides a region's middle is off its object's, at most.
 */
export function drawPlace(
  example: TrainingCase,
  around: boolean,
  regionShare: number,
  random: Random,
  most?: number,
): Placement {
  const [height, width] = example.image.shape;
  if (!around) return drawAnyRegion(random, height, width);
  const found = boxesOf(example);
  const box = found[random.integer(found.length)];
  const side = Math.max(box.right - box.left, box.bottom - box.top);
  const small = side < LEAST_WHOLE * Math.max(height, width);
  return small || random.uniform() < regionShare
    ? drawRegion(random, box, height, width, most)
    : drawPlacement(random, height, width);
}

/** Share of synthetic examples whose clicks keep out of what raters marked. */
const RATERS_FIRST = 0.85;

/** What any rater marked, placed, [side * side]; undefined where it is nothing. */
function placeMarked(
  { image, masks }: TrainingCase,
  placement: Placement,
  config: ModelConfig,
): Float32Array | undefined {
  const [height, width] = image.shape;
  const marked = new Uint8Array(height * width);
  for (const { data } of masks) {
    for (let i = 0; i < marked.length; i++) marked[i] |= data[i];
  }
  return marked.includes(1)
    ? placeMask(marked, height, width, placement, config)
    : undefined;
}

/** A group without its users. */
interface Scene extends Pick<Group, "pixels" | "key" | "source"> {
  /** Draws the target of a user. */
  wish(known?: Taste): Wish;
}

/** Draws an image and its possible targets; undefined where there is none. */
function drawScene(
  cases: readonly TrainingCase[],
  config: ModelConfig,
  options: ExampleOptions,
  random: Random,
  staying?: TargetSource,
): Scene | undefined {
  const { phantomShare, syntheticShare, placements, regionShare } = options;
  const isPhantom = cases.length === 0 ||
    (staying ? staying === "phantom" : random.uniform() < phantomShare);
  const example = isPhantom ? drawAnyPhantom(random) : drawFrom(cases, random);
  const marked = boxesOf(example).length > 0;
  const wantsSynthetic = !isPhantom &&
    (staying ? staying === "synthetic" : random.uniform() < syntheticShare);
  if (!wantsSynthetic && !marked) return undefined;
  const source = isPhantom
    ? "phantom"
    : wantsSynthetic
    ? "synthetic"
    : "raters";
  // half of the regions with synthetic targets are those around a real one
  const around = source !== "synthetic" || (marked && random.uniform() < 0.5);
  const kept = placements > 0 && !isPhantom;
  const place = random.integer(kept ? placements : 2 ** 31);
  const stream = kept
    ? createRandom(parseInt(idOf(example).slice(0, 12), 16), place, +around)
    : random;
  const placement = drawPlace(
    example,
    around,
    isPhantom ? 0.5 : regionShare,
    stream,
  );
  const [height, width] = example.image.shape;
  if (isMostlyBeside(placement, height, width)) return undefined;
  const pixels = placeImage(example.image, placement, config);
  const key = kept
    ? `${idOf(example)}-${config.imageSize}-${
      digest([JSON.stringify(placement)])
    }`
    : undefined;
  const scene = { pixels, ...(key && { key }), source } as const;
  if (source !== "synthetic") {
    return {
      ...scene,
      wish: (known) =>
        drawWish(example, placement, config, options, random, known),
    };
  }
  const side = maskSide(config);
  const region = segmentRegion(pixels, config.imageSize, side, random);
  // where raters marked something it is mostly theirs that a click means
  const taken = random.uniform() < RATERS_FIRST
    ? placeMarked(example, placement, config)
    : undefined;
  const answers = drawAnswers(region, random, taken);
  return answers && {
    ...scene,
    wish: (known) => drawSyntheticWish(answers, random, taken, known),
  };
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
    const scene = drawScene(
      cases,
      config,
      options,
      random,
      staying.some(Boolean) ? before!.source : undefined,
    );
    if (!scene) continue;
    const users = places.flatMap((i) => {
      const user = staying[i];
      const { target, taste, core, start } = scene.wish(user?.taste);
      return target
        ? [
          startTrainee(target, config, random, taste, user, {
            ...options,
            core,
            start,
          }),
        ]
        : [];
    });
    if (users.length < options.usersPerImage) continue;
    const { wish: _, ...rest } = scene;
    return { ...rest, users, left };
  }
  const side = maskSide(config);
  throw new InputError(
    `Cannot train as masks must cover at least ${FEWEST_PIXELS} pixels at the decoder's ${side} x ${side}: current value is fewer in ${MOST_DRAWS} draws; crop the images to what is marked`,
  );
}
