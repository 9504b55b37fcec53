/**
 * Evaluation with simulated users: every rater of every case in turn is the
 * user, starts with one random click, and aligns for some iterations.
 */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { displayable } from "../displayable.ts";
import type { Model } from "../model/model.ts";
import { createRandom, type Random } from "../random.ts";
import { cluster } from "../spa/cluster.ts";
import { decode } from "../spa/decode.ts";
import { encode, type ImageEmbedding } from "../spa/encode.ts";
import { sampleGMM } from "../spa/sample_gmm.ts";
import {
  candidateDice,
  clickInside,
  nearestUser,
  type SimulatedUser,
} from "../spa/simulated_user.ts";
import { startPreference } from "../spa/start_preference.ts";
import {
  type UpdateOptions,
  updatePreference,
} from "../spa/update_preference.ts";
import { dice } from "./metrics/overlap.ts";

/** How to evaluate. */
export interface EvaluateOptions {
  /** Iterations, default 6. */
  readonly iterations?: number;
  /** Samples N per iteration, default 48. */
  readonly samples?: number;
  /** Variations per iteration, as many as samples by default; see `decode`. */
  readonly variations?: number;
  /** Candidates K, default 4. */
  readonly candidates?: number;
  /** Seed of the clicks, samples and users, default 0. */
  readonly seed?: number;
  /** What an update changes; default all. */
  readonly update?: UpdateOptions;
  /** The simulated user of a mask, default `nearestUser`. */
  readonly user?: (target: NdArray<Uint8Array>) => SimulatedUser;
  /** Called after every target. */
  readonly onTarget?: (
    done: number,
    total: number,
    result: TargetResult,
  ) => void;
}

/** One iteration of one target. */
export interface IterationResult {
  /** Dice of the recommendation, at the image's own size. */
  readonly dice: number;
  /** Dice of the best candidate. */
  readonly best: number;
  /** Sample spread. */
  readonly spread: number;
  /** Milliseconds to decode, cluster, and update after the choice. */
  readonly milliseconds: number;
}

/** One rater of one case. */
export interface TargetResult {
  /** The case's id. */
  readonly case: string;
  /** Whose image it is. */
  readonly patient: string;
  /** Whose mask was aimed at. */
  readonly rater: string;
  /** The iterations, in order. */
  readonly iterations: readonly IterationResult[];
}

/** Aligns with one simulated user. */
async function evaluateTarget(
  model: Model,
  embedding: ImageEmbedding,
  target: NdArray<Uint8Array>,
  random: Random,
  options: EvaluateOptions,
): Promise<IterationResult[]> {
  const { iterations = 6, samples = 48, candidates = 4 } = options;
  const user = (options.user ?? nearestUser)(target);
  const results: IterationResult[] = [];
  let preference = await startPreference(model, embedding, {
    points: [clickInside(target, random)],
  });
  for (let i = 0; i < iterations; i++) {
    const start = performance.now();
    const latents = sampleGMM(preference.distribution, {
      count: samples,
      seed: random.integer(2 ** 31),
    });
    const predictions = await decode(model, embedding, latents, preference, {
      variations: options.variations,
    });
    const proposal = cluster(predictions, {
      count: candidates,
      seed: random.integer(2 ** 31),
    });
    const shown = performance.now();
    const result = {
      dice: dice(proposal.recommended.mask, target),
      best: Math.max(...candidateDice(proposal, target)),
      spread: proposal.spread,
    };
    const choice = user(proposal, random);
    const chosen = performance.now();
    preference = await updatePreference(
      model,
      embedding,
      preference,
      proposal,
      choice,
      options.update,
    );
    const milliseconds = shown - start + performance.now() - chosen;
    results.push({ ...result, milliseconds });
  }
  return results;
}

/**
 * Evaluates a model on a dataset.
 *
 * @param model The network.
 * @param dataset Cases with raters; raters with empty masks are left out.
 * @param options Iterations, samples, user, seed.
 * @returns One result per rater and case.
 */
export async function evaluate(
  model: Model,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<TargetResult[]> {
  let total = dataset.cases.reduce((n, { raters }) => n + raters.length, 0);
  const results = displayable<TargetResult[]>("evaluation", []);
  for (const [c, item] of dataset.cases.entries()) {
    const { id, patient, raters } = item;
    using embedding = await encode(model, await item.readImage());
    for (const [r, rater] of raters.entries()) {
      const target = await item.readMask(rater);
      if (contiguous(target).data.every((value) => value === 0)) {
        total--;
        continue;
      }
      const random = createRandom(options.seed ?? 0, c, r);
      const iterations = await evaluateTarget(
        model,
        embedding,
        target,
        random,
        options,
      );
      results.push({ case: id, patient, rater, iterations });
      options.onTarget?.(results.length, total, results[results.length - 1]);
    }
  }
  return results;
}
