/**
 * Simulated users of training (Algorithm 1): each has a mask in mind, clicks
 * into it (or draws a box, or brings a mask that is nearly right), picks the
 * nearest candidate again and again or clicks where the recommendation is wrong,
 * and then leaves.
 */

import { maskSide, type ModelConfig } from "../model/config.ts";
import type { Random } from "../random.ts";
import {
  CANDIDATES,
  clusterMaps,
  meanMap,
  momentsOf,
  threshold,
} from "../spa/cluster.ts";
import {
  type Feedback,
  mapOf,
  maskPrompt,
  type Point,
} from "../spa/feedback.ts";
import { type Box, frameOf } from "../spa/frame.ts";
import { membersOf } from "../spa/kmeans.ts";
import { weighSamples } from "../spa/predictions.ts";
import { addToProfile, type Profile } from "../spa/profile.ts";
import { boundingBox, errorClick } from "../spa/simulated_user.ts";
import { learnChoice, learnClick } from "../spa/update_preference.ts";
import type { Style } from "./augment.ts";
import type { RaterWeights } from "./raters.ts";
import { resizeMask, smoothMask } from "./shape_operations.ts";
import type { Manner } from "./synthetic_targets.ts";

/** A user's taste, on any image. */
export interface Taste {
  /** The raters whose majority the user wants, unless they are anonymous. */
  readonly raters?: RaterWeights;
  readonly style?: Style;
  /** The choice among nested things: 0 the smallest, 1 the largest. */
  readonly level?: number;
  /** How a thing's outline is drawn. */
  readonly manner?: Manner;
}

/** A simulated user at work. */
export interface SimulatedTrainee {
  readonly taste: Taste;
  /** The profile that the user brings from the images before, if any. */
  readonly profile?: Profile;
  /** The profile after the first choice, for the next image. */
  habit?: Profile;
  /** The mask in mind at the decoder's resolution, 0..1, [m * m]. */
  readonly target: Float32Array;
  /** Chance of a click instead of a pick. */
  readonly clickShare: number;
  /** Components that have a sample in the step at work. */
  drawn?: Int32Array;
  /** Iterations seen so far. */
  iteration: number;
  /** Picks so far. */
  picks: number;
  feedback: Feedback;
  evidence: Float64Array;
  /** Samples of the chosen clusters so far, row-major, and their components. */
  kept: Float32Array;
  keptComponents: Int32Array;
}

/** The figures of one iteration of one user. */
export interface TraineeReport {
  /** Iteration, from 0. */
  readonly iteration: number;
  /** Dice of the recommendation. */
  readonly dice: number;
  /** Dice of the best candidate. */
  readonly best: number;
  /** Sample spread. */
  readonly spread: number;
}

/** Options of how users start, and go on. */
export interface UserOptions {
  /** See `ExampleOptions`. By default 0: everybody clicks once, and picks. */
  readonly clickShare?: number;
  /** Likewise. */
  readonly boxShare?: number;
  /** Likewise. */
  readonly maskShare?: number;
  /** The pixels that the first click goes to, 0..1, by default the target's. */
  readonly core?: Float32Array;
  /** What the user starts with, 0..1, [m * m]: the mask of a slice beside. */
  readonly start?: Float32Array;
}

/** A pixel at random of those of at least one half, else the largest. */
function drawPixel(map: Float32Array, random: Random): number {
  const inside: number[] = [];
  for (let i = 0; i < map.length; i++) if (map[i] >= 0.5) inside.push(i);
  return inside.length > 0
    ? inside[random.integer(inside.length)]
    : map.indexOf(Math.max(...map));
}

/** Largest share of a box's side by which its edges are moved. */
const BOX_JITTER = 0.1;

/** The box around a target in pixels of the square, its edges moved at random. */
function drawBox(
  target: Float32Array,
  config: ModelConfig,
  random: Random,
): Box {
  const side = maskSide(config);
  const step = config.imageSize / side;
  const box = boundingBox(threshold(mapOf(target, side)));
  const move = (at: number, length: number) => {
    const moved = at + BOX_JITTER * length * (2 * random.uniform() - 1);
    const place = (moved + 0.5) * step - 0.5;
    return Math.min(config.imageSize - 1, Math.max(0, place));
  };
  const width = box.right - box.left, height = box.bottom - box.top;
  return {
    left: move(box.left, width),
    top: move(box.top, height),
    right: move(box.right, width),
    bottom: move(box.bottom, height),
  };
}

/**
 * A mask that is nearly right, such as another program's: too large or too
 * small, too smooth, cut off, with something added, or moved.
 */
export function damageMask(
  target: Float32Array,
  side: number,
  random: Random,
): Float32Array {
  let mask = Uint8Array.from(target, (value) => value >= 0.5 ? 1 : 0);
  const area = mask.reduce((sum, value) => sum + value, 0);
  const radius = Math.sqrt(area / Math.PI);
  const [x, y] = [drawPixel(target, random), drawPixel(target, random)];
  const disc = (center: number, reach: number) => (i: number) =>
    Math.hypot(
      i % side - center % side,
      Math.floor(i / side) - Math.floor(center / side),
    ) <= reach;
  if (random.uniform() < 0.6) {
    const by = radius * 0.3 * random.normal();
    mask = Uint8Array.from(resizeMask(mask, by, side));
  }
  if (random.uniform() < 0.4) { // a bite
    const bitten = disc(x, radius * (0.3 + 0.6 * random.uniform()));
    mask = mask.map((value, i) => bitten(i) ? 0 : value);
  }
  if (random.uniform() < 0.4) { // a lump
    const added = disc(y, radius * (0.4 + 0.7 * random.uniform()));
    mask = mask.map((value, i) => added(i) ? 1 : value);
  }
  if (random.uniform() < 0.4) {
    const [right, down] = [random.normal(), random.normal()]
      .map((by) => Math.round(0.25 * radius * by));
    mask = mask.map((_, i) => {
      const column = i % side - right, row = Math.floor(i / side) - down;
      return column < 0 || row < 0 || column >= side || row >= side
        ? 0
        : mask[row * side + column];
    });
  }
  mask = Uint8Array.from(
    smoothMask(mask, radius * 0.2 * random.uniform(), side),
  );
  return startingMap(mask.includes(1) ? Float32Array.from(mask) : target);
}

/** A mask as a map to start with, nearly sure of every pixel. */
function startingMap(mask: Float32Array): Float32Array {
  return mask.map((value) => value >= 0.5 ? 0.98 : 0.02);
}

/** Share of masks of a slice beside that are damaged as well, as a walk's are. */
const DAMAGED_SHARE = 0.4;

/**
 * How a walk begins in a slice: with the mask of the slice beside, and a click at
 * the pixel of it that is farthest from its border.
 */
function besideStart(
  marked: Float32Array,
  config: ModelConfig,
  random: Random,
): { points: Point[]; start: Float32Array } {
  const side = maskSide(config);
  const start = random.uniform() < DAMAGED_SHARE
    ? damageMask(marked, side, random)
    : startingMap(marked);
  const nothing = new Float32Array(start.length);
  return { points: [clickAtError(nothing, start, config)!], start };
}

/**
 * A user who begins with a click at a random pixel of the mask in mind, with a
 * box around it, with a mask that is nearly it, or with that of a slice beside.
 *
 * @param before The same user on the image before, whose profile is carried if
 * the taste means something on another image.
 */
export function startTrainee(
  target: Float32Array,
  config: ModelConfig,
  random: Random,
  taste: Taste = {},
  before?: SimulatedTrainee,
  { clickShare = 0, boxShare = 0, maskShare = 0, core = target, start }:
    UserOptions = {},
): SimulatedTrainee {
  const side = maskSide(config);
  const pixel = drawPixel(core, random);
  const step = config.imageSize / side;
  const known = Object.keys(taste).length > 0;
  const habit = known ? before?.habit : undefined;
  const place = (i: number) => (i + random.uniform()) * step - 0.5;
  const point = {
    x: place(pixel % side),
    y: place(Math.floor(pixel / side)),
  };
  const way = habit || boxShare + maskShare === 0 ? 1 : random.uniform();
  const boxed = !start && way < boxShare;
  const masked = !start && !boxed && way < boxShare + maskShare;
  const clicked = !(boxed || masked) || random.uniform() < 0.5;
  const begun = start ? besideStart(start, config, random) : {
    points: clicked ? [point] : [],
    start: masked ? damageMask(target, side, random) : undefined,
  };
  return {
    target,
    clickShare,
    iteration: 0,
    picks: 0,
    feedback: {
      points: begun.points,
      ...(boxed && { box: drawBox(target, config, random) }),
      choices: begun.start ? [maskPrompt(mapOf(begun.start, side))] : [],
      frame: frameOf(config.imageSize, config.imageSize, config.imageSize),
    },
    taste,
    ...(habit && { profile: habit }),
    evidence: new Float64Array(config.components),
    kept: new Float32Array(0),
    keptComponents: new Int32Array(0),
  };
}

/** Dice of two maps, both thresholded at one half. */
export function mapDice(a: Float32Array, b: Float32Array): number {
  let overlap = 0, total = 0;
  for (let i = 0; i < a.length; i++) {
    const p = a[i] >= 0.5 ? 1 : 0, q = b[i] >= 0.5 ? 1 : 0;
    overlap += p & q;
    total += p + q;
  }
  return total === 0 ? 1 : (2 * overlap) / total;
}

/** The click where a recommendation is most wrong, in pixels of the square. */
function clickAtError(
  recommended: Float32Array,
  target: Float32Array,
  config: ModelConfig,
): Point | undefined {
  const side = maskSide(config);
  const step = config.imageSize / side;
  const at = errorClick(
    threshold(mapOf(recommended, side)),
    threshold(mapOf(target, side)),
  );
  return at && {
    ...at,
    x: (at.x + 0.5) * step - 0.5,
    y: (at.y + 0.5) * step - 0.5,
  };
}

/**
 * One iteration of a user: sees the samples' candidates, picks the nearest or
 * clicks where the recommendation is most wrong, and remembers. Gradients never
 * pass through here.
 *
 * @param maps Fresh samples, row-major, [N, m * m].
 * @param weights The share of each, [N], summing to 1.
 * @param variations Variations of the samples to draw, by default M.
 * @param fresh The component of each sample, [N]; by default one of every
 * component.
 */
export async function advanceTrainee(
  trainee: SimulatedTrainee,
  maps: Float32Array,
  weights: Float64Array,
  config: ModelConfig,
  random: Random,
  variations: number = config.components,
  fresh: Int32Array = Int32Array.from(weights, (_, m) => m),
): Promise<TraineeReport> {
  const side = maskSide(config);
  const { choices } = trainee.feedback;
  const { maps: pool, components, shares, gram } = await weighSamples(
    { maps, components: fresh },
    weights,
    { maps: trainee.kept, components: trainee.keptComponents },
    trainee.feedback,
    variations,
    random,
  );

  const { mean: recommended, spread } = momentsOf(pool, shares);
  const members = membersOf(
    clusterMaps(pool, shares, CANDIDATES, random, gram),
  );
  const candidates = members.map((list) => meanMap(pool, shares, list));
  const dices = candidates.map((map) => mapDice(map, trainee.target));
  const chosen = dices.indexOf(Math.max(...dices));
  const report = {
    iteration: trainee.iteration++,
    dice: mapDice(recommended, trainee.target),
    best: dices[chosen],
    spread,
  };
  const { clickShare } = trainee;
  const click = clickShare > 0 && random.uniform() < clickShare
    ? clickAtError(recommended, trainee.target, config)
    : undefined;
  if (click) {
    const { points, frame } = trainee.feedback;
    const corrected = learnClick({ maps: pool, shares }, click, frame);
    trainee.feedback = {
      ...trainee.feedback,
      points: [...points, click],
      choices: [...choices, corrected],
    };
    return report;
  }

  trainee.picks++;
  const { evidence, choice, kept, logLikelihood } = learnChoice(
    trainee.evidence,
    {
      samples: { maps: pool, components },
      recommended: mapOf(recommended, side),
      candidates: candidates.map((map) => mapOf(map, side)),
      chosen,
      members: members[chosen],
    },
  );
  trainee.habit ??= addToProfile(
    trainee.profile,
    logLikelihood.slice(0, fresh.length),
    fresh,
    config.components,
  );
  trainee.evidence = evidence;
  trainee.feedback = { ...trainee.feedback, choices: [...choices, choice] };
  trainee.kept = kept.maps;
  trainee.keptComponents = Int32Array.from(kept.components);
  return report;
}
