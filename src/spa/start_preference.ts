// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { maskSide, type ModelConfig } from "../model/config.ts";
import type { Model } from "../model/model.ts";
import { showValue } from "../options.ts";
import { checkModel, type Preference } from "./preference.ts";
import { encodeRegion, type ImageEmbedding } from "./embedding.ts";
import {
  type Feedback,
  maskPrompt,
  moveChoices,
  type Point,
  positivePoints,
} from "./feedback.ts";
import { squaresAround } from "./find_region.ts";
import {
  type Box,
  type Frame,
  isInRegion,
  maskToMap,
  moveMap,
} from "./frame.ts";
import { distributionOf, drawFirst } from "./generate.ts";
import { moveParts } from "./mixture.ts";
import type { KeptSamples } from "./predictions.ts";
import type { Profile } from "./profile.ts";
import { errorClick } from "./simulated_user.ts";
import { InputError, InputTypeError } from "../input_error.ts";

/** What the user gives to start with. */
export interface Start {
  /** Clicks, none by default; one is positive, or there is a box. */
  readonly points?: readonly Point[];
  /** A box around the object. */
  readonly box?: Box;
  /**
   * A mask, [H, W], that was made before and is to be aligned. It counts as a first
   * choice. Without a click, its deepest pixel is the click.
   */
  readonly mask?: NdArray<Uint8Array>;
  /** A user's profile from earlier images; it moves the generator's guess. */
  readonly profile?: Profile;
  /**
   * How far off the region's side may be, in octaves, 0..3, where there are clicks
   * alone. The network looks at squares so much longer and shorter as well, and the
   * first proposal shows what it sees there. Default: `embedding.looks.doubt`,
   * which is 0.58 (a factor of 1.5) where one click told the object's size, else 0.
   */
  readonly doubt?: number;
}

/** Throws unless a point lies in the image, and is positive or negative. */
export function checkPoint(
  { x, y, label = 1 }: Point,
  { height, width }: Pick<Frame, "height" | "width">,
): void {
  for (const [name, value] of Object.entries({ x, y })) {
    if (typeof value === "number") continue;
    throw new InputTypeError(
      `Cannot use the point as its ${name} must be a number: current value is ${
        showValue(value)
      }`,
    );
  }
  if (label !== 0 && label !== 1) {
    throw new InputError(
      `Cannot use the point as its label must be 1, inside, or 0, outside: current value is ${
        typeof label === "string" ? JSON.stringify(label) : label
      }`,
    );
  }
  const inside = x >= 0 && y >= 0 && x <= width - 1 && y <= height - 1;
  if (inside) return;
  throw new InputError(
    `Cannot use the point as it must lie in the image, x in 0..${
      width - 1
    } and y in 0..${height - 1}: current value is (${x}, ${y})`,
  );
}

/** Throws unless a box is not empty and lies in the image, edges at half pixels. */
export function checkBox(
  box: Box,
  { height, width }: Pick<Frame, "height" | "width">,
): void {
  const sizes = { left: width, top: height, right: width, bottom: height };
  for (const [name, size] of Object.entries(sizes)) {
    const edge: unknown = box[name as keyof Box];
    if (typeof edge !== "number") {
      throw new InputTypeError(
        `Cannot use the box as its ${name} must be a number: current value is ${
          showValue(edge)
        }`,
      );
    }
    if (edge >= -0.5 && edge <= size - 0.5) continue;
    throw new InputError(
      `Cannot use the box as its ${name} must lie in the image, -0.5..${
        size - 0.5
      }: current value is ${edge}`,
    );
  }
  if (box.left < box.right && box.top < box.bottom) return;
  throw new InputError(
    `Cannot use the box as left must be < right and top < bottom: current value is ${
      JSON.stringify(box)
    }`,
  );
}

/** Throws unless a mask is of the image's size, and has pixels. */
export function checkMask(
  mask: NdArray<Uint8Array>,
  { height, width }: Pick<Frame, "height" | "width">,
): void {
  if (`${mask.shape}` !== `${[height, width]}`) {
    throw new InputError(
      `Cannot use the mask as it must be of the image's size, ${height} x ${width}: current value is ${
        mask.shape.join(" x ")
      }`,
    );
  }
  if (contiguous(mask).data.some((value) => value !== 0)) return;
  throw new InputError(
    "Cannot use the mask as it must have pixels: current value is an empty one",
  );
}

/** Throws unless there is something to start with, and all lies in the image. */
function checkStart({ points = [], box, mask }: Start, frame: Frame): void {
  points.forEach((point) => checkPoint(point, frame));
  if (box) checkBox(box, frame);
  if (mask) checkMask(mask, frame);
  const positive = positivePoints(points);
  if (positive.length === 0 && !box && !mask) {
    throw new InputError(
      `Cannot start as there must be a positive point, a box or a mask: current value is ${points.length} points, none of them positive`,
    );
  }
  const beside = positive.find((point) => !isInRegion(frame, point));
  if (!beside) return;
  const { left, top, right, bottom } = frame.region;
  throw new InputError(
    `Cannot start as the points must lie in the region, x in ${left}..${right} and y in ${top}..${bottom}: current value is (${beside.x}, ${beside.y})`,
  );
}

/** The pixel of a mask that is farthest from its edge. */
function deepestPixel(mask: NdArray<Uint8Array>): Point {
  const empty = ndarray(new Uint8Array(mask.size), mask.shape.slice());
  const inside = contiguous(mask).data.map((value) => value === 0 ? 0 : 1);
  const { x, y } = errorClick(empty, ndarray(inside, mask.shape.slice()))!;
  return { x, y };
}

/** Throws unless a profile is of a model with as many components. */
function checkProfile(
  { evidence }: Profile,
  { components: M }: ModelConfig,
) {
  if (evidence.length === M) return;
  throw new InputError(
    `Cannot use the profile as its evidence must be of the model's ${M} components: current value is of ${evidence.length}`,
  );
}

/**
 * Starts on an image: from the first click (or box) the generator makes the
 * first preference distribution, p^0(z) of the method, and the user's profile is
 * added to its weights.
 *
 * @param model The network.
 * @param embedding The encoded image.
 * @param start Clicks, box, profile.
 * @returns The preference before any choice, iteration 0.
 * @throws {RangeError} When a point or the box lies outside the image, a point's
 * label is not 0 or 1, the box is empty, there is neither a positive point nor a
 * box, the doubt is not within 0..3, or the profile is of a model with another
 * mixture.
 * @throws {TypeError} When the model or the embedding is disposed.
 *
 * @example Start with one click
 * ```ts
 * import { encode, loadModel, phantom, startPreference } from "@spa-seg/spa";
 *
 * using model = await loadModel();
 * const { image } = phantom({ kind: "kidney", seed: 9 });
 * using embedding = await encode(model, image);
 * const preference = await startPreference(model, embedding, {
 *   points: [{ x: 50, y: 35 }],
 * });
 * preference.distribution.means.shape; // [16, 64]: M, d
 * ```
 */
export async function startPreference(
  model: Model,
  embedding: ImageEmbedding,
  start: Start,
): Promise<Preference> {
  const { frame, identity } = embedding;
  const { points = [], box, mask, profile } = start;
  const { doubt = embedding.looks.doubt ?? 0 } = start;
  checkModel("start", model, embedding);
  checkStart(start, frame);
  if (profile) checkProfile(profile, model.config);
  if (!(doubt >= 0 && doubt <= 3)) {
    throw new InputError(
      `Cannot start as doubt must be octaves within 0..3: current value is ${doubt}`,
    );
  }
  const clicked = positivePoints(points).length > 0;
  const feedback: Feedback = {
    points: mask && !clicked ? [deepestPixel(mask), ...points] : [...points],
    box,
    choices: mask
      ? [maskPrompt(maskToMap(mask, frame, maskSide(model.config)))]
      : [],
    frame,
  };
  const begun = {
    evidence: new Float64Array(model.config.components),
    ...(profile && { profile }),
    feedback,
  };
  const around = box || mask
    ? undefined
    : await drawAround(model, embedding, begun, doubt);
  return {
    ...begun,
    distribution: await distributionOf(model, embedding, begun),
    identity,
    ...(around && { around }),
    iteration: 0,
  };
}

/** The squares that the region might be as well. */
const AROUND = {
  /** Samples of each. */
  samples: 16,
  /** What those of a square weigh together, in that of all fresh samples. */
  weight: 0.25,
};

/**
 * Looks at the squares that the region might be as well, and takes samples of
 * each to the region.
 *
 * @returns Undefined where there is no such square.
 */
async function drawAround(
  model: Model,
  embedding: ImageEmbedding,
  begun: Pick<Preference, "feedback" | "evidence" | "profile">,
  doubt: number,
): Promise<KeptSamples | undefined> {
  const { feedback } = begun, { frame, image } = embedding;
  const drawn: KeptSamples[] = [];
  for (const there of squaresAround(frame, feedback.points, doubt)) {
    using seen = await encodeRegion(model, image, there);
    const known = { ...begun, feedback: { ...feedback, frame: there } };
    const samples = await drawFirst(model, seen, known, AROUND.samples);
    drawn.push(moveKept(samples, (map) => moveMap(map, there, frame)));
  }
  if (drawn.length === 0) return undefined;
  const side = maskSide(model.config);
  const maps = drawn.map(({ probabilities }) => probabilities);
  const count = drawn.length * AROUND.samples;
  const data = new Float32Array(count * side * side);
  maps.forEach((map, i) => data.set(map.data, i * map.size));
  return {
    probabilities: ndarray(data, [count, side, side]),
    components: Int32Array.from(
      drawn.flatMap(({ components }) => [...components]),
    ),
    weight: AROUND.weight / AROUND.samples,
  };
}

/**
 * Takes a preference to another region of the same image: clicks stay, maps of
 * choices and kept samples are resampled, and the generator sees them there.
 *
 * @param model The network.
 * @param embedding The other region, encoded.
 * @param preference The preference so far; not changed.
 * @param options As for `updatePreference`: under the rule `m-step` the mixture
 * stays as it is.
 * @returns The preference about the other region.
 * @throws {RangeError} When the embedding is of another image or model, or its
 * region leaves out a positive click.
 */
export async function carryPreference(
  model: Model,
  embedding: ImageEmbedding,
  preference: Preference,
  options: {
    readonly rule?: "generator" | "m-step";
    readonly moments?: boolean;
    readonly weights?: boolean;
  } = {},
): Promise<Preference> {
  checkModel("carry the preference", model, embedding);
  const { feedback, kept, identity } = preference;
  const { around: _, ...rest } = preference;
  const { frame } = embedding;
  if (
    identity.image !== embedding.identity.image ||
    identity.model !== embedding.identity.model
  ) {
    throw new InputError(
      "Cannot carry the preference as the embedding must be of the same image and model: current value is of another one",
    );
  }
  const beside = positivePoints(feedback.points)
    .find((point) => !isInRegion(frame, point));
  if (beside) {
    throw new InputError(
      `Cannot look there as the region must hold every positive click: current value leaves out (${beside.x}, ${beside.y})`,
    );
  }
  const move = (map: NdArray<Float32Array>) =>
    moveMap(map, feedback.frame, frame);
  const moved: Feedback = {
    ...feedback,
    frame,
    choices: moveChoices(feedback.choices, move),
  };
  const { distribution: old } = preference;
  const distribution = options.rule === "m-step" ? old : moveParts(
    old,
    await distributionOf(model, embedding, { ...preference, feedback: moved }),
    options,
  );
  return {
    ...rest,
    identity: embedding.identity,
    feedback: moved,
    distribution,
    ...(kept && { kept: moveKept(kept, move) }),
  };
}

/** Kept samples, each map moved. */
function moveKept(
  { probabilities, components }: KeptSamples,
  move: (map: NdArray<Float32Array>) => NdArray<Float32Array>,
): KeptSamples {
  const { shape } = probabilities;
  const data = new Float32Array(probabilities.size);
  const area = shape[1] * shape[2];
  for (let n = 0; n < shape[0]; n++) {
    data.set(move(probabilities.pick(n)).data, n * area);
  }
  return { probabilities: ndarray(data, shape.slice()), components };
}
