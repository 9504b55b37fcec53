/**
 * Evaluation with simulated users: every rater of every case in turn, or one
 * user with a majority in mind, starts with one random click, a box or a mask,
 * and aligns for some iterations by picks, by clicks, or by whichever gives more.
 */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Case, Dataset } from "../datasets/dataset.ts";
import { displayable } from "../displayable.ts";
import { hd95 } from "../metrics/surface.ts";
import { dice, iou } from "../metrics/overlap.ts";
import type { Model } from "../model/model.ts";
import { createRandom, type Random } from "../random.ts";
import type { Proposal } from "../spa/cluster.ts";
import { encode } from "../spa/encode.ts";
import type { ImageEmbedding } from "../spa/embedding.ts";
import type { Box } from "../spa/frame.ts";
import { type Profile, profileOf } from "../spa/profile.ts";
import {
  boundingBox,
  candidateDice,
  nearestUser,
  type SimulatedUser,
} from "../spa/simulated_user.ts";
import { startPreference } from "../spa/start_preference.ts";
import type { UpdateOptions } from "../spa/update_preference.ts";
import {
  advance,
  type Interaction,
  type Move,
  movesOf,
  show,
  type Shown,
} from "./moves.ts";
import {
  componentDice,
  type SampleSetMetrics,
  sampleSetMetrics,
} from "./sample_set.ts";
import {
  type Beginning,
  type Damage,
  expectedTargets,
  firstWords,
  lookOptions,
  nothingMarked,
  partsOf,
  readMasks,
  type RegionChoice,
  type Target,
  targetsOf,
} from "./targets.ts";

/** How to evaluate. */
export interface EvaluateOptions {
  /** Iterations. Default: 6, the paper's cap. */
  readonly iterations?: number;
  /** Samples N per iteration. Default: 48. */
  readonly samples?: number;
  /** Variations per iteration. Default: as many as samples; see `decode`. */
  readonly variations?: number;
  /** Candidates K. Default: 4. */
  readonly candidates?: number;
  /** Seed of the clicks, samples and users. Default: 0. */
  readonly seed?: number;
  /** How a choice updates the preference. Default: all of the generator. */
  readonly update?: UpdateOptions;
  /**
   * Whether only the mixture carries the choices. The decoder does not get
   * them, they neither keep nor weigh samples, and a component's evidence is
   * that of its own samples, without variations. This measures the update of
   * the mixture by itself. Default: false.
   */
  readonly mixtureOnly?: boolean;
  /** The simulated user of a mask who picks. Default: `nearestUser`. */
  readonly user?: (target: NdArray<Uint8Array>) => SimulatedUser;
  /**
   * The user's action: "pick" (default) a candidate; "click" at the center of
   * the largest error; or "mixed", which tries both and takes the one with the
   * better next recommendation, an upper bound for users of both.
   */
  readonly interaction?: Interaction;
  /**
   * The first prompt of the user. Default: "click", at a random pixel of the
   * target.
   */
  readonly beginning?: Beginning;
  /** How the mask of `beginning: "mask"` is damaged. Default: not at all. */
  readonly damage?: Damage;
  /**
   * Where the network looks: "auto" finds the object from the user's first
   * prompts; "whole" is the whole image; "given" is the square three times as
   * long as the target. Default: "auto", but "whole" for crops and for SAM's
   * network.
   */
  readonly region?: RegionChoice;
  /**
   * Whether the region follows what the user picks, as in a session. Default: where
   * it is found ("auto"), unless the mixture alone carries choices.
   */
  readonly follow?: boolean;
  /**
   * The share of its side by which a given region is moved in both directions,
   * toward one of the four corners. Default: 0.
   */
  readonly shift?: number;
  /** Octaves by which the region's side may be off: see `Start`. */
  readonly doubt?: number;
  /**
   * Whether every separate part of a mask, of 30 pixels or more, is a target of
   * its own. Default: false.
   */
  readonly parts?: boolean;
  /**
   * Raters whose majority is the only target of a case: the pixels in at least
   * half of the masks that these raters drew. A case without any of these
   * raters has no target. Default: each rater in turn is a target.
   */
  readonly include?: readonly string[];
  /** Whether the samples of the first proposal are measured. Default: false. */
  readonly sampleSet?: boolean;
  /**
   * Profiles by target's name. A target starts with its profile of the case
   * before, and its new profile is put here. Default: none.
   */
  readonly profiles?: Map<string, Profile>;
  /**
   * Chooses the profile that a target starts with, among the names of those who
   * have one. Default: the target's own. With another's profile, the own one
   * still goes on from case to case, by a user who starts with it and picks
   * once.
   */
  readonly lender?: (name: string, known: readonly string[]) => string;
  /**
   * The cases to evaluate, by id and place in the dataset. Default: all.
   * Without profiles a case's figures do not depend on the others.
   */
  readonly only?: (id: string, index: number) => boolean;
  /**
   * Called after every target with the number of targets done, and the number
   * of all as far as it is known before masks are read.
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
   * 95th percentile of the Hausdorff distance of the same two, in millimeters
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
  /**
   * The action of a user of both picks and clicks; the other users have only
   * one.
   */
  readonly did?: "pick" | "click";
}

/** One target of one case. */
export interface TargetResult {
  /** The case's id. */
  readonly case: string;
  /** The patient. */
  readonly patient: string;
  /** Its data set, where there are several. */
  readonly set?: string;
  /** The rater of the target, or "majority of 1, 2". */
  readonly rater: string;
  /** The separate part of the mask, from 1, the largest first. */
  readonly part?: number;
  /** The box around the target, in pixels of the image. */
  readonly object?: Box;
  /** Where the network looked first, in pixels of the image. */
  readonly region?: Box;
  /** The number of looks to find it, and their milliseconds. */
  readonly looks?: { readonly count: number; readonly milliseconds: number };
  /** Millimeters per pixel of the case, where known: the unit of `hd95`. */
  readonly spacing?: Case["spacing"];
  /** Whether it started with the profile of an earlier case. */
  readonly carried?: boolean;
  /** The metrics of the first proposal's samples, where they were measured. */
  readonly sampleSet?: SampleSetMetrics;
  /**
   * Likewise, by rater: the mean Dice of each component's first samples with the
   * rater's mask, [M]; null where a component has none.
   */
  readonly components?: Readonly<Record<string, readonly (number | null)[]>>;
  /** The iterations, in order. */
  readonly iterations: readonly IterationResult[];
}

/** The result of a method on one target. */
export type Alignment = Pick<
  TargetResult,
  | "carried"
  | "sampleSet"
  | "components"
  | "iterations"
  | "region"
  | "looks"
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

/** Measures a proposal. */
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

/** A case for all its users. */
interface Scene {
  readonly model: Model;
  /** The whole image, encoded once, where the network looks at it. */
  readonly whole?: ImageEmbedding;
  /** Encodes the region that one user's first prompts ask for. */
  look(words: Words, target: Target): Promise<ImageEmbedding>;
  /** The profiles after the case before. */
  readonly before: ReadonlyMap<string, Profile>;
}

/** Aligns with one simulated user. */
async function evaluateTarget(
  { model, look, whole, before }: Scene,
  target: Target,
  masks: ReadonlyMap<string, NdArray<Uint8Array>>,
  random: Random,
  options: EvaluateOptions,
): Promise<Alignment> {
  const { iterations: count = 6, interaction = "pick" } = options;
  const { beginning, damage } = options;
  const user = (options.user ?? nearestUser)(target.mask);
  const lender = options.lender?.(target.name, [...before.keys()]);
  const profile = before.get(lender ?? target.name);
  const words = firstWords(target.mask, random, beginning, damage);
  const seeds = () => [random.integer(2 ** 31), random.integer(2 ** 31)];
  using embeddings = new DisposableStack();
  const embedding = whole ?? embeddings.use(await look(words, target));
  const { region, looks } = embedding;
  let preference = await startPreference(model, embedding, {
    ...words,
    profile,
    doubt: options.doubt,
  });
  const { follow = false } = options;
  const first = { embedding, preference, follow };
  let shown = await show(model, first, seeds(), options);
  const iterations: IterationResult[] = [];
  let samples: Pick<Alignment, "sampleSet" | "components"> = {};
  while (iterations.length < count) {
    const result = measureProposal(shown.proposal, target, masks);
    if (options.sampleSet && iterations.length === 0) {
      const { evidence } = preference;
      samples = {
        sampleSet: sampleSetMetrics(shown.proposal, [...masks.values()]),
        components: componentDice(shown.proposal, masks, evidence.length),
      };
    }
    const moves = movesOf(shown, target.mask, user, random, interaction);
    if (moves.length === 0) { // nothing to correct: the user is done
      const last = { ...result, milliseconds: shown.milliseconds };
      while (iterations.length < count) iterations.push(last);
      break;
    }
    const over = iterations.length === count - 1;
    const next = over ? [] : seeds();
    let best: { shown: Shown; dice: number; did: Move["kind"] } | undefined;
    let updating = 0;
    for (const move of over ? moves.slice(0, 1) : moves) {
      const from = over ? { ...shown, follow: false } : shown;
      const moved = await advance(model, from, move, options);
      if (moved.embedding !== shown.embedding) embeddings.use(moved.embedding);
      if (over) {
        preference = moved.preference;
        updating = moved.milliseconds;
        break;
      }
      const then = await show(model, moved, next, options);
      const gain = moves.length > 1
        ? dice(then.proposal.recommended.mask, target.mask)
        : 0;
      if (best && gain <= best.dice) continue;
      best = { shown: then, dice: gain, did: move.kind };
      preference = moved.preference;
      updating = moved.milliseconds;
    }
    iterations.push({
      ...result,
      milliseconds: shown.milliseconds + updating,
      ...(interaction === "mixed" && best && {
        did: best.did === "choose" ? "pick" : "click",
      }),
    });
    if (best) shown = best.shown;
  }
  if (lender !== undefined && lender !== target.name) {
    const own = before.get(target.name);
    const start = { ...words, profile: own, doubt: options.doubt };
    preference = await startPreference(model, embedding, start);
    const state = { embedding, preference, follow: false };
    const asked = await show(model, state, seeds(), options);
    const [pick] = movesOf(asked, target.mask, user, random, "pick");
    ({ preference } = await advance(model, asked, pick, options));
  }
  options.profiles?.set(target.name, profileOf(preference));
  return {
    ...(profile && { carried: true }),
    region,
    looks: { count: looks.count, milliseconds: looks.milliseconds },
    ...samples,
    iterations,
  };
}

/** The first prompts of a user. */
type Words = ReturnType<typeof firstWords>;

/**
 * Evaluates a model on a dataset: for every target a simulated user clicks once
 * at a random pixel of it, the network finds the region to look at, and the
 * user picks a candidate at every iteration. Options change each of these.
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
  const usual = dataset.crops || model.config.sam ? "whole" : "auto";
  const { region = usual, shift } = options;
  const { follow = region === "auto" && !options.mixtureOnly } = options;
  const known = { ...options, follow };
  return await evaluateCases(dataset, known, async (_, image) => {
    // the whole image is encoded once for all users
    const whole = region === "whole" ? await encode(model, image) : undefined;
    const look = async (words: Words, { mask, spacing }: Target) =>
      whole ? { ...whole, [Symbol.dispose]: () => {} } : await encode(
        model,
        image,
        lookOptions(region, mask, words, { shift, spacing }),
      );
    const scene = { model, whole, look, before: new Map(options.profiles) };
    return {
      align: (target, masks, random) =>
        evaluateTarget(scene, target, masks, random, known),
      [Symbol.dispose]: () => whole?.dispose(),
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
  const { include, only, seed = 0, parts } = options;
  const places = placesOf(dataset);
  const cases = [...dataset.cases.entries()].filter(([c, { id }]) =>
    only === undefined || only(id, c)
  );
  let total = cases.reduce(
    (n, [, item]) => n + expectedTargets(item, include),
    0,
  );
  const results = displayable<TargetResult[]>("evaluation", []);
  for (const [c, item] of cases) {
    const { id, patient, spacing, set } = item;
    const known = {
      ...{ case: id, patient },
      ...(set !== undefined && { set }),
      ...(spacing && { spacing }),
    };
    const masks = await readMasks(item);
    const found = targetsOf(item, masks, include);
    const targets = parts ? partsOf(found) : found;
    total -= expectedTargets(item, include) - targets.length;
    using method = await open(item, await item.readImage());
    const own: TargetResult[] = [];
    for (const target of targets) {
      const { name, index, part, mask } = target;
      const path = [places[c], index, ...(part === undefined ? [] : [part])];
      const random = createRandom(seed, ...path);
      // a part is not compared with the raters' whole masks
      const measured = part === undefined ? masks : new Map([[name, mask]]);
      const result = await method.align(target, measured, random);
      own.push({
        ...known,
        rater: name,
        ...(part !== undefined && { part }),
        object: boundingBox(mask),
        ...result,
      });
      results.push(own[own.length - 1]);
      options.onTarget?.(results.length, total, own[own.length - 1]);
    }
    await options.onCase?.(id, own);
  }
  // With a filter, the number of all targets is not known.
  const some = cases.some(([, item]) => expectedTargets(item, include) > 0);
  if (results.length === 0 && some && !only) {
    throw nothingMarked("evaluate", dataset.name);
  }
  return results;
}

/** Every case's place in its own data set: its draws do not depend on the others. */
function placesOf({ cases }: Dataset): number[] {
  const counts = new Map<string | undefined, number>();
  return cases.map(({ set }) => {
    const place = counts.get(set) ?? 0;
    counts.set(set, place + 1);
    return place;
  });
}
