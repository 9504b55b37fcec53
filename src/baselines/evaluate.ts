/** Evaluation of the baselines, with the users, targets and figures of SPA's. */

import * as tf from "../engine/tf.ts";
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import type { Dataset } from "../datasets/dataset.ts";
import { upload } from "../engine/engine.ts";
import { jit } from "../engine/jit.ts";
import {
  evaluateCases,
  type EvaluateOptions,
  type IterationResult,
  measureProposal,
  type TargetResult,
} from "../evaluation/evaluate.ts";
import { sampleSetMetrics } from "../evaluation/sample_set.ts";
import { givenRegion, type Target } from "../evaluation/targets.ts";
import { InputError } from "../input_error.ts";
import type { Weights } from "../model/weights.ts";
import type { Random } from "../random.ts";
import { cluster, type Proposal } from "../spa/cluster.ts";
import { preprocess } from "../spa/embedding.ts";
import type { Feedback } from "../spa/feedback.ts";
import { type Box, type Frame, frameOf } from "../spa/frame.ts";
import {
  boundingBox,
  clickInside,
  errorClick,
  jitterBox,
} from "../spa/simulated_user.ts";
import type { Baseline } from "./baseline.ts";
import {
  type BaselineConfig,
  type Inputs,
  type Method,
  withMask,
} from "./method.ts";
import { methodOf } from "./methods.ts";

/** The first prompts of the user. */
function firstFeedback(
  { interaction }: Method,
  target: NdArray<Uint8Array>,
  frame: Frame,
  random: Random,
): Feedback {
  const { height, width } = frame;
  const feedback = { points: [], choices: [], frame };
  if (interaction === "none") return feedback;
  if (interaction === "clicks") {
    return { ...feedback, points: [clickInside(target, random)] };
  }
  return {
    ...feedback,
    box: jitterBox(boundingBox(target), height, width, random),
  };
}

/** The answer of the user of clicks to a proposal. */
function nextFeedback(
  feedback: Feedback,
  { recommended }: Proposal,
  target: NdArray<Uint8Array>,
): Feedback {
  const click = errorClick(recommended.mask, target);
  return {
    ...withMask(feedback, recommended.probability),
    points: [...feedback.points, ...(click ? [click] : [])],
  };
}

/**
 * The share of each rater in a target; equal shares where no rater is known.
 */
function expertiseOf(
  { raters: R }: BaselineConfig,
  wanted: readonly number[],
): Float32Array {
  const known = wanted.filter((index) => index >= 0 && index < R);
  const expertise = new Float32Array(R);
  const all = known.length > 0 ? known : [...expertise.keys()];
  for (const index of all) expertise[index] = 1 / all.length;
  return expertise;
}

/** The maps of a method as a proposal: their mean, and clusters of them. */
function proposalOf(
  maps: Float32Array,
  side: number,
  frame: Frame,
  count: number,
  seed: number,
): Proposal {
  const n = maps.length / side ** 2;
  const components = new Int32Array(n);
  return cluster({
    probabilities: ndarray(maps, [n, side, side]),
    components,
    shares: new Float64Array(n).fill(1 / n),
    latents: { values: ndarray(new Float32Array(), [n, 0]), components, seed },
    frame,
  }, { candidates: count, seed });
}

/**
 * Evaluates a baseline on a dataset. Users of clicks click into the target
 * where SPA's would, and then at the center of the largest error; methods
 * without clicks have the same figures at every iteration. They look at the whole
 * image, or at the region that is given: they cannot find one.
 *
 * @param baseline The method and its weights.
 * @param dataset Cases with raters; raters with empty masks are left out.
 * @param options Iterations, samples, candidates, targets, seed.
 * @returns One result per target, in the order of cases and raters.
 * @throws {RangeError} When the region is to be found.
 */
export async function evaluateBaseline(
  { config, weights: host }: Baseline,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<TargetResult[]> {
  const { iterations: count = 6, samples = 48, candidates = 4 } = options;
  const method = methodOf(config);
  if (options.region === "auto") {
    throw new InputError(
      `Cannot evaluate the baseline ${config.method} as its region must be "whole" or "given": current value is "auto"`,
    );
  }
  const weights = await upload(Object.fromEntries(host));
  const predict = jit(
    ({ weights, inputs }: { weights: Weights; inputs: Inputs }) => ({
      probabilities: tf.sigmoid(method.logits(weights, config, inputs)),
    }),
    { name: "predict" },
  );

  /** Aligns with one simulated user. */
  async function align(
    image: { pixels: Float32Array; frame: Frame },
    wanted: readonly number[],
    { mask: target, spacing }: Target,
    masks: ReadonlyMap<string, NdArray<Uint8Array>>,
    random: Random,
  ) {
    const { pixels, frame } = image;
    const expertise = expertiseOf(config, wanted);
    const propose = async (feedback: Feedback) => {
      const example = { pixels, feedback, expertise };
      const inputs = method.pack(config, [example], samples, random);
      const { probabilities } = await predict({ weights, inputs });
      const { data, shape } = probabilities;
      return proposalOf(
        data as Float32Array,
        shape.at(-1)!,
        frame,
        candidates,
        random.integer(2 ** 31),
      );
    };
    const iterations: IterationResult[] = [];
    let feedback = firstFeedback(method, target, frame, random);
    let first: Proposal | undefined;
    while (iterations.length < count) {
      const start = performance.now();
      const proposal = await propose(feedback);
      const milliseconds = performance.now() - start;
      first ??= proposal;
      const figures = measureProposal(
        proposal,
        { mask: target, spacing },
        masks,
      );
      const result = { ...figures, milliseconds };
      if (method.interaction === "clicks") {
        iterations.push(result);
        feedback = nextFeedback(feedback, proposal, target);
      } else iterations.push(...new Array(count).fill(result));
    }
    return {
      ...(options.sampleSet && {
        sampleSet: sampleSetMetrics(first!, [...masks.values()]),
      }),
      iterations,
    };
  }

  try {
    return await evaluateCases(dataset, options, ({ raters }, image) => {
      const { imageSize } = config.network;
      const seen = (region?: Box) => {
        const [height, width] = image.shape;
        const frame = frameOf(height, width, imageSize, region);
        const { data } = preprocess(image, frame, config.network);
        return { pixels: data as Float32Array, frame };
      };
      const whole = options.region === "given" ? undefined : seen();
      return Promise.resolve({
        align: async (target, masks, random) => {
          const wanted = (options.include ?? [target.name])
            .map((name) => (config.names ?? raters).indexOf(name));
          const place = whole ??
            seen(givenRegion(target.mask, options.shift));
          return {
            ...await align(place, wanted, target, masks, random),
            region: place.frame.region,
          };
        },
        [Symbol.dispose]: () => {},
      });
    });
  } finally {
    for (const tensor of Object.values(weights)) tensor.dispose();
    predict.release();
  }
}
