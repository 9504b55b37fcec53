/**
 * Evaluation with simulated users: every rater of every case in turn, or one
 * user with a majority in mind, starts with one random click, and aligns for
 * some iterations.
 */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Case, Dataset } from "../datasets/dataset.ts";
import { displayable } from "../displayable.ts";
import { hd95 } from "../metrics/surface.ts";
import { dice, iou } from "../metrics/overlap.ts";
import type { Model } from "../model/model.ts";
import { createRandom, type Random } from "../random.ts";
import { cluster, type Proposal } from "../spa/cluster.ts";
import { decode } from "../spa/decode.ts";
import { encode } from "../spa/encode.ts";
import type { ImageEmbedding } from "../spa/embedding.ts";
import { type Profile, profileOf } from "../spa/profile.ts";
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
import { freshAlone, mixtureAlone } from "./mixture_only.ts";
import { type SampleSetMetrics, sampleSetMetrics } from "./sample_set.ts";
import {
  expectedTargets,
  nothingMarked,
  readMasks,
  type Target,
  targetsOf,
} from "./targets.ts";

/** How to evaluate. */
export interface EvaluateOptions {
  /** Iterations, default 6, the paper's cap. */
  readonly iterations?: number;
  /** Samples N per iteration, default 48. */
  readonly samples?: number;
  /** Variations per iteration, as many as samples by default; see `decode`. */
  readonly variations?: number;
  /** Candidates K, default 4. */
  readonly candidates?: number;
  /** Seed of the clicks, samples and users, default 0. */
  readonly seed?: number;
  /** How a choice updates the preference; by default the generator, all of it. */
  readonly update?: UpdateOptions;
  /**
   * Whether the mixture alone carries the choices: the decoder is not shown
   * them, samples are neither kept nor weighed by them, and a component's
   * evidence is that of its own samples, without variations. It tells what the
   * update of the mixture is worth by itself; default false.
   */
  readonly mixtureOnly?: boolean;
  /** The simulated user of a mask, default `nearestUser`. */
  readonly user?: (target: NdArray<Uint8Array>) => SimulatedUser;
  /**
   * Raters whose majority is the one target of a case: the pixels that at least
   * half of those among them have who drew a mask. A case without any of them
   * has no target. By default each rater in turn is one.
   */
  readonly include?: readonly string[];
  /** Whether the samples of the first proposal are measured; default false. */
  readonly sampleSet?: boolean;
  /**
   * Profiles by target's name, which default to none: a target starts with its
   * own from the case before, and leaves its new one here.
   */
  readonly profiles?: Map<string, Profile>;
  /**
   * Which cases to evaluate, by id and place in the dataset, which defaults to
   * all. Without profiles a case's figures do not depend on the others.
   */
  readonly only?: (id: string, index: number) => boolean;
  /**
   * Called after every target: how many are done, of how many as far as can be
   * told before masks are read.
   */
  readonly onTarget?: (
    done: number,
    total: number,
    result: TargetResult,
  ) => void;
  /** Called after every case, with the results of its targets; awaited. */
  readonly onCase?: (
    id: string,
    results: readonly TargetResult[],
  ) => void | Promise<void>;
}

/** One iteration of one target. */
export interface IterationResult {
  /** Dice of the recommendation with the target, at the image's own size, 0..1. */
  readonly dice: number;
  /** Intersection over union of the same two, 0..1; unknown in results that were saved before it was measured. */
  readonly iou?: number;
  /**
   * 95th percentile of the Hausdorff distance of the same two, in millimetres
   * where the target's `spacing` is known, else in pixels. An empty
   * recommendation counts as the image's diagonal: see `hd95`.
   */
  readonly hd95?: number;
  /** Dice of the best candidate, 0..1. */
  readonly best: number;
  /** Dice of the recommendation with the mask of each rater who drew one, 0..1. */
  readonly raters?: Readonly<Record<string, number>>;
  /** Sample spread of the proposal, 0..0.5. */
  readonly spread: number;
  /** Milliseconds to sample, decode, cluster, and update after the choice. */
  readonly milliseconds: number;
}

/** One target of one case. */
export interface TargetResult {
  /** The case's id. */
  readonly case: string;
  /** Whose image it is. */
  readonly patient: string;
  /** Whose mask was aimed at: a rater, or "majority of 1, 2". */
  readonly rater: string;
  /** Millimetres per pixel of the case, where known: the unit of `hd95`. */
  readonly spacing?: Case["spacing"];
  /** Whether it started with the profile of an earlier case. */
  readonly carried?: boolean;
  /** Of the first proposal's samples, where they were measured. */
  readonly sampleSet?: SampleSetMetrics;
  /** The iterations, in order. */
  readonly iterations: readonly IterationResult[];
}

/** What a method did for one target. */
export type Alignment = Pick<
  TargetResult,
  "carried" | "sampleSet" | "iterations"
>;

/** A method at work on one image; what it owns goes when it is disposed. */
export interface OpenCase extends Disposable {
  /** Aligns with one simulated user; `masks` are all raters'. */
  align(
    target: Target,
    masks: ReadonlyMap<string, NdArray<Uint8Array>>,
    random: Random,
  ): Promise<Alignment>;
}

/** How good a proposal is. */
export function measureProposal(
  proposal: Proposal,
  { mask: target, spacing }: Pick<Target, "mask" | "spacing">,
  masks: ReadonlyMap<string, NdArray<Uint8Array>>,
): Omit<IterationResult, "milliseconds"> {
  const { recommended: { mask }, spread } = proposal;
  return {
    dice: dice(mask, target),
    iou: iou(mask, target),
    hd95: hd95(mask, target, { spacing }),
    best: Math.max(...candidateDice(proposal, target)),
    raters: Object.fromEntries(
      [...masks].map(([rater, other]) => [rater, dice(mask, other)]),
    ),
    spread,
  };
}

/** Aligns with one simulated user. */
async function evaluateTarget(
  model: Model,
  embedding: ImageEmbedding,
  { name, mask: target, spacing }: Target,
  masks: ReadonlyMap<string, NdArray<Uint8Array>>,
  random: Random,
  options: EvaluateOptions,
): Promise<Alignment> {
  const { iterations: count = 6, samples = 48, candidates = 4 } = options;
  const user = (options.user ?? nearestUser)(target);
  const profile = options.profiles?.get(name);
  const iterations: IterationResult[] = [];
  let sampleSet: SampleSetMetrics | undefined;
  let preference = await startPreference(model, embedding, {
    points: [clickInside(target, random)],
    profile,
  });
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const latents = sampleGMM(preference.distribution, {
      samples,
      seed: random.integer(2 ** 31),
    });
    const predictions = await decode(
      model,
      embedding,
      options.mixtureOnly ? mixtureAlone(preference) : preference,
      { latents, variations: options.variations },
    );
    const proposal = cluster(predictions, {
      candidates,
      seed: random.integer(2 ** 31),
    });
    const shown = performance.now();
    const result = measureProposal(proposal, { mask: target, spacing }, masks);
    if (options.sampleSet && i === 0) {
      sampleSet = sampleSetMetrics(proposal, [...masks.values()]);
    }
    const choice = user(proposal, random);
    const chosen = performance.now();
    preference = await updatePreference(model, embedding, preference, {
      proposal: options.mixtureOnly ? freshAlone(proposal) : proposal,
      choice,
      ...options.update,
    });
    const milliseconds = shown - start + performance.now() - chosen;
    iterations.push({ ...result, milliseconds });
  }
  options.profiles?.set(name, profileOf(preference));
  return {
    ...(profile && { carried: true }),
    ...(sampleSet && { sampleSet }),
    iterations,
  };
}

/**
 * Evaluates a model on a dataset: for every target a simulated user clicks once
 * at a random pixel of it, then picks a candidate at every iteration.
 *
 * @param model The network.
 * @param dataset Cases with raters; raters with empty masks are left out.
 * @param options Iterations, samples, user, targets, seed.
 * @returns One result per target, in the order of cases and raters.
 * @throws {RangeError} When a mask is of another size than its image, all masks
 * are empty, or a number of samples, variations or candidates is not valid.
 * @throws {TypeError} When the model is disposed.
 *
 * @example Two iterations on a phantom
 * ```ts
 * import { loadModel } from "@spa-seg/spa";
 * import { phantoms } from "@spa-seg/spa/datasets";
 * import { evaluate } from "@spa-seg/spa/evaluate";
 *
 * using model = await loadModel();
 * const dataset = phantoms({ count: 1, kinds: ["kidney"] });
 * const results = await evaluate(model, dataset, {
 *   iterations: 2,
 *   include: ["smooth"], // by default each of its five raters
 * });
 * results[0].iterations.map(({ dice }) => dice);
 * ```
 */
export async function evaluate(
  model: Model,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<TargetResult[]> {
  return await evaluateCases(dataset, options, async (_, image) => {
    const embedding = await encode(model, image);
    return {
      align: (target, masks, random) =>
        evaluateTarget(model, embedding, target, masks, random, options),
      [Symbol.dispose]: () => embedding.dispose(),
    };
  });
}

/**
 * Evaluates any method on a dataset; see `evaluate`.
 *
 * @param open Prepares the method for a case's image.
 */
export async function evaluateCases(
  dataset: Dataset,
  options: EvaluateOptions,
  open: (item: Case, image: NdArray<Float32Array>) => Promise<OpenCase>,
): Promise<TargetResult[]> {
  const { include, only, seed = 0 } = options;
  const cases = [...dataset.cases.entries()].filter(([c, { id }]) =>
    only === undefined || only(id, c)
  );
  let total = cases.reduce(
    (n, [, item]) => n + expectedTargets(item, include),
    0,
  );
  const results = displayable<TargetResult[]>("evaluation", []);
  for (const [c, item] of cases) {
    const { id, patient, spacing } = item;
    const known = { case: id, patient, ...(spacing && { spacing }) };
    const masks = await readMasks(item);
    const targets = targetsOf(item, masks, include);
    total -= expectedTargets(item, include) - targets.length;
    using method = await open(item, await item.readImage());
    const own: TargetResult[] = [];
    for (const target of targets) {
      const random = createRandom(seed, c, target.index);
      const result = await method.align(target, masks, random);
      own.push({ ...known, rater: target.name, ...result });
      results.push(own[own.length - 1]);
      options.onTarget?.(results.length, total, own[own.length - 1]);
    }
    await options.onCase?.(id, own);
  }
  // Of a part of the cases nobody can tell.
  const some = cases.some(([, item]) => expectedTargets(item, include) > 0);
  if (results.length === 0 && some && !only) {
    throw nothingMarked("evaluate", dataset.name);
  }
  return results;
}
