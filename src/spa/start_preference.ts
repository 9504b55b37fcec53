// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import type { ModelConfig } from "../model/config.ts";
import { type Model, programsOf } from "../model/model.ts";
import type { ImageEmbedding } from "./embedding.ts";
import { type Feedback, packFeedback, type Point } from "./feedback.ts";
import type { Box, Frame } from "./frame.ts";
import type { GaussianMixture } from "./mixture.ts";
import type { Preference } from "./preference.ts";
import type { Profile } from "./profile.ts";

/** What the user gives to start with. */
export interface Start {
  /** Clicks, none by default; one is positive, or there is a box. */
  readonly points?: readonly Point[];
  /** A box around the object. */
  readonly box?: Box;
  /** A user's profile from earlier images, in place of the generator's guess. */
  readonly profile?: Profile;
}

/** Throws unless a point lies in the image, and is positive or negative. */
export function checkPoint(
  { x, y, label = 1 }: Point,
  { height, width }: Frame,
): void {
  if (label !== 0 && label !== 1) {
    throw new RangeError(
      `Cannot use the point as its label must be 1, inside, or 0, outside: current value is ${
        typeof label === "string" ? JSON.stringify(label) : label
      }`,
    );
  }
  const inside = x >= 0 && y >= 0 && x <= width - 1 && y <= height - 1;
  if (inside) return;
  throw new RangeError(
    `Cannot use the point as it must lie in the image, x in 0..${
      width - 1
    } and y in 0..${height - 1}: current value is (${x}, ${y})`,
  );
}

/** Throws unless a box lies in the image and is not empty. */
export function checkBox(box: Box, frame: Frame): void {
  checkPoint({ x: box.left, y: box.top }, frame);
  checkPoint({ x: box.right, y: box.bottom }, frame);
  if (box.left < box.right && box.top < box.bottom) return;
  throw new RangeError(
    `Cannot use the box as left must be < right and top < bottom: current value is ${
      JSON.stringify(box)
    }`,
  );
}

/** Throws unless there is a positive point or a box, and all lie in the image. */
function checkStart(
  points: readonly Point[],
  box: Box | undefined,
  frame: Frame,
) {
  points.forEach((point) => checkPoint(point, frame));
  if (box) {
    checkBox(box, frame);
  } else if (!points.some(({ label }) => label !== 0)) {
    throw new RangeError(
      `Cannot start as there must be a positive point or a box: current value is ${points.length} points, none of them positive`,
    );
  }
}

/** Throws unless a profile is of a model with the same mixture. */
function checkProfile(
  { distribution, evidence }: Profile,
  { components: M, latentChannels: d }: ModelConfig,
) {
  const { logWeights, means, deviations } = distribution;
  const sizes = { means, deviations, logWeights, evidence };
  for (const [name, values] of Object.entries(sizes)) {
    const found = "shape" in values ? values.shape : [values.length];
    const expected = "shape" in values ? [M, d] : [M];
    if (`${found}` === `${expected}`) continue;
    throw new RangeError(
      `Cannot use the profile as the shape of its ${name} must be the model's [${expected}]: current value is [${found}]`,
    );
  }
}

/** Runs the preference generator on feedback: p(z) as host values. */
export async function generateDistribution(
  model: Model,
  embedding: ImageEmbedding,
  feedback: Feedback,
  evidence: Float64Array,
): Promise<GaussianMixture> {
  const { choice: _, ...prompts } = packFeedback(model.config, [feedback]);
  const { components: M, latentChannels: d } = model.config;
  const { logWeights, means, deviations } = await programsOf(model).generate({
    ...prompts,
    weights: await model.deviceWeights(),
    embedding: embedding.values,
    evidence: { data: Float32Array.from(evidence), shape: [1, M] },
  });
  return {
    logWeights: Float64Array.from(logWeights.data),
    means: ndarray(means.data as Float32Array, [M, d]),
    deviations: ndarray(deviations.data as Float32Array, [M, d]),
  };
}

/**
 * Starts on an image: from the first click (or box) the generator makes the
 * first preference distribution, p^0(z) of the method, or the user's profile is
 * it.
 *
 * @param model The network.
 * @param embedding The encoded image.
 * @param start Clicks, box, profile.
 * @returns The preference before any choice, iteration 0.
 * @throws {RangeError} When a point or the box lies outside the image, a point's
 * label is not 0 or 1, the box is empty, there is neither a positive point nor a
 * box, or the profile is of a model with another mixture.
 * @throws {TypeError} When the model or the embedding is disposed, and there is
 * no profile.
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
  { points = [], box, profile }: Start,
): Promise<Preference> {
  checkStart(points, box, embedding.frame);
  if (profile) checkProfile(profile, model.config);
  const feedback: Feedback = {
    points: [...points],
    box,
    choices: [],
    frame: embedding.frame,
  };
  const evidence = profile?.evidence ??
    new Float64Array(model.config.components);
  const distribution = profile?.distribution ??
    await generateDistribution(model, embedding, feedback, evidence);
  return {
    distribution,
    evidence,
    ...(profile && { carried: true }),
    feedback,
    iteration: 0,
  };
}
