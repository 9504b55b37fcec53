/** Runs the variants of an evaluation, as far as they are not done yet. */

// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import type { Dataset } from "../../datasets/dataset.ts";
import { type Baseline, isBaseline } from "../../baselines/baseline.ts";
import { evaluateBaseline } from "../../baselines/evaluate.ts";
import type { Model } from "../../model/model.ts";
import {
  type Profile,
  profileFromJSON,
  profileToJSON,
} from "../../spa/profile.ts";
import {
  boundingBox,
  nearestUser,
  noisyUser,
  randomUser,
} from "../../spa/simulated_user.ts";
import type { Random } from "../../random.ts";
import { damageMask } from "../../training/simulation.ts";
import { evaluate, type EvaluateOptions } from "../../evaluation/evaluate.ts";
import type {
  CaseResults,
  SavedEvaluation,
  UserName,
  VariantName,
} from "../../evaluation/saved_evaluation.ts";

/** What a choice moves, and whether profiles are carried, by variant. */
const VARIANTS = {
  none: { update: { moments: false, weights: false }, carry: false },
  moments: { update: { moments: true, weights: false }, carry: false },
  weights: { update: { moments: false, weights: true }, carry: false },
  both: { update: { moments: true, weights: true }, carry: false },
  carried: { update: { moments: true, weights: true }, carry: true },
  wrong: { update: { moments: true, weights: true }, carry: true },
} satisfies Record<VariantName, unknown>;

/** One choice in this many of the noisy user is random. */
const NOISE = 0.2;

/** Simulated users by name: how they pick, and whether they click. */
const USERS = {
  nearest: { user: nearestUser },
  noisy: { user: (target) => noisyUser(target, NOISE) },
  random: { user: () => randomUser() },
  click: { interaction: "click" },
  mixed: { interaction: "mixed" },
} satisfies Record<UserName, Pick<EvaluateOptions, "user" | "interaction">>;

/** A mask that is nearly a target, damaged as in training. */
function damage(
  target: NdArray<Uint8Array>,
  random: Random,
): NdArray<Uint8Array> {
  const { left, top, right, bottom } = boundingBox(target);
  // a square with room to grow
  const side = 2 * Math.max(right - left, bottom - top);
  const x = Math.round((left + right - side) / 2);
  const y = Math.round((top + bottom - side) / 2);
  const [height, width] = target.shape;
  const within = (row: number, column: number) =>
    row >= 0 && row < height && column >= 0 && column < width;
  const map = Float32Array.from({ length: side * side }, (_, i) => {
    const row = y + Math.floor(i / side), column = x + i % side;
    return within(row, column) && target.get(row, column) > 0 ? 1 : 0;
  });
  const mask = ndarray(new Uint8Array(height * width), [height, width]);
  damageMask(map, side, random).forEach((value, i) => {
    const row = y + Math.floor(i / side), column = x + i % side;
    if (value >= 0.5 && within(row, column)) mask.set(row, column, 1);
  });
  return mask.data.includes(1) ? mask : target;
}

/** One of several equal parts of an evaluation. */
export interface Shard {
  /** Its number, from 1. */
  readonly part: number;
  /** The number of parts. */
  readonly parts: number;
}

/** How to run. */
export interface RunOptions {
  /**
   * The part of the cases to evaluate: every n-th, beginning with the i-th.
   * Default: all.
   */
  readonly shard?: Shard;
  /** Called after every case with all results so far; awaited. */
  readonly save?: (saved: SavedEvaluation) => Promise<void>;
  /** Shows a variant's progress. */
  readonly progress?: () => Pick<EvaluateOptions, "onTarget">;
}

/**
 * Evaluates the cases that are not done yet.
 *
 * @param model The network, or a baseline.
 * @param dataset The cases the evaluation is of.
 * @param saved The settings, and the results so far.
 * @param options Shard, saving, progress.
 * @returns The evaluation with its shard's cases done.
 */
export async function runEvaluation(
  model: Model | Baseline,
  dataset: Dataset,
  saved: SavedEvaluation,
  { shard: { part, parts } = { part: 1, parts: 1 }, save, progress }:
    RunOptions = {},
): Promise<SavedEvaluation> {
  const { rule, user, variants, ...settings } = saved.settings;
  for (const name of variants) {
    const { update, carry } = VARIANTS[name];
    const done: CaseResults[] = [...saved.done[name]];
    const known = new Set(done.map((item) => item.case));
    const profiles = carry
      ? done.length > 0 ? readProfiles(saved) : new Map<string, Profile>()
      : undefined;
    const options: EvaluateOptions = {
      ...settings,
      ...progress?.(),
      ...USERS[user],
      damage,
      update: { rule, ...update },
      profiles,
      lender: name === "wrong" ? nextOf : undefined,
      only: (id, index) => index % parts === part - 1 && !known.has(id),
      onCase: async (id, results) => {
        done.push({ case: id, results });
        saved = {
          ...saved,
          done: { ...saved.done, [name]: [...done] },
          ...(profiles && { profiles: writeProfiles(profiles) }),
        };
        await save?.(saved);
      },
    };
    if (isBaseline(model)) await evaluateBaseline(model, dataset, options);
    else await evaluate(model, dataset, options);
  }
  return saved;
}

/** The rater after one, of those who are known; the first after the last. */
function nextOf(name: string, known: readonly string[]): string {
  return known[(known.indexOf(name) + 1) % known.length] ?? name;
}

function readProfiles({ profiles = {} }: SavedEvaluation) {
  return new Map(
    Object.entries(profiles).map((
      [rater, text],
    ): [string, Profile] => [rater, profileFromJSON(text)]),
  );
}

function writeProfiles(profiles: ReadonlyMap<string, Profile>) {
  return Object.fromEntries(
    [...profiles].map(([rater, profile]) => [rater, profileToJSON(profile)]),
  );
}
