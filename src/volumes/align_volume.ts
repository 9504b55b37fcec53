/** Simulated users who align a volume, and what their picks are worth. */

// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
// @ts-types="@types/ndarray-ops"
import ops from "ndarray-ops";
import { contiguous } from "../arrays/contiguous.ts";
import { type Volume, volumeImage, volumeSlice } from "../formats/volume.ts";
import { InputError } from "../input_error.ts";
import { dice } from "../metrics/overlap.ts";
import { hd95, surfaceDice } from "../metrics/surface.ts";
import type { Model } from "../model/model.ts";
import { createRandom } from "../random.ts";
import type { Proposal } from "../spa/cluster.ts";
import type { Point } from "../spa/feedback.ts";
import type { Profile } from "../spa/profile.ts";
import { Session } from "../spa/session.ts";
import {
  candidateDice,
  clickInside,
  errorClick,
} from "../spa/simulated_user.ts";
import { interpolateMasks } from "./interpolate.ts";
import { acquisitionAxis } from "./volume_identity.ts";
import { VolumeSession } from "./volume_session.ts";

/**
 * How a volume is aligned: with walks that carry the user's profile; with walks
 * that carry the mask alone; or slice by slice, every k-th, with interpolation
 * between them.
 */
export type VolumeMethod = "profile" | "mask" | "interpolation";

/** Every method, in order. */
export const VOLUME_METHODS: readonly VolumeMethod[] = [
  "profile",
  "mask",
  "interpolation",
];

/** A volume, and the mask that the user has in mind. */
export interface VolumeTarget {
  /** What is aligned. */
  readonly volume: Volume;
  /** [D, H, W], anything but 0 is inside. */
  readonly truth: NdArray<Uint8Array>;
}

/** How a simulated user aligns a volume. */
export interface AlignVolumeOptions {
  /** Which method; default "profile". */
  readonly method?: VolumeMethod;
  /** Numbers of picks after which the mask is measured, rising. */
  readonly picks?: readonly number[];
  /** Tolerance of surface Dice in mm; default 1. */
  readonly tolerance?: number;
  /** Samples of a proposal; default 48. */
  readonly samples?: number;
  /** The dimension whose slices are aligned; default as in `VolumeSession`. */
  readonly axis?: 0 | 1 | 2;
  /** Of clicks and samples. */
  readonly seed?: number;
}

/** What so many picks gave. */
export interface VolumeResult {
  /** Picks so far, in all slices. */
  readonly picks: number;
  /** Slices that they were made in. */
  readonly slices: number;
  /** Dice of the whole volume. */
  readonly dice: number;
  /** Share of the surface within the tolerance; absent without spacing. */
  readonly surfaceDice?: number;
  /** In mm; absent without spacing, and where the mask is empty. */
  readonly hd95?: number;
  /** Dice in the slice of the first click. */
  readonly first: number;
  /** Seconds since the start, measuring left out. */
  readonly seconds: number;
}

/** Picks in the first slice, at most, before the first walk; then in others. */
const PICKS = { first: 5, other: 3 };

/** A pick has to promise so much more Dice than the recommendation has. */
const WORTH = 0.005;

/** Where no candidate is nearer, a user clicks at the largest error below this Dice. */
const GOOD = 0.8;

/** What the method knows of the volume, and the user. */
interface Task extends VolumeTarget {
  readonly model: Model;
  readonly axis: 0 | 1 | 2;
  readonly samples: number;
  readonly seed: number;
  /** Slices in which the object is. */
  readonly present: readonly number[];
  readonly start: number;
}

/**
 * Aligns a volume as a user who knows the mask: one click in the object's middle
 * slice, five picks there at most, a walk; then always the slice in which a look
 * helps most by `suggestions`, three picks there at most, and a walk. A pick is the
 * nearest candidate; where none is nearer than the recommendation and that is below
 * a Dice of 0.8, or where the slice shows nothing, a click at the largest error; or
 * to say that the object is absent from the slice. The first click does not count.
 *
 * The method "interpolation" is given more: the object's first and last slice,
 * and a first click in each slice. It aligns as many slices, evenly spread, as it
 * has picks, each with the profile of the one before, and interpolates between
 * them by their shapes.
 *
 * @param model The network.
 * @param target The volume and its mask.
 * @param options Method, picks, seed.
 * @returns A result for each number of picks.
 * @throws {RangeError} When the mask is empty or of another size.
 */
export async function alignVolume(
  model: Model,
  { volume, truth }: VolumeTarget,
  {
    method = "profile",
    picks = [3, 6, 10],
    tolerance = 1,
    samples = 48,
    axis = acquisitionAxis(volume),
    seed = 0,
  }: AlignVolumeOptions = {},
): Promise<VolumeResult[]> {
  const shape = volume.values.shape.slice(0, 3);
  if (`${truth.shape}` !== `${shape}`) {
    throw new InputError(
      `Cannot align the volume as its mask must be of its size, [${shape}]: current value is [${truth.shape}]`,
    );
  }
  const present = Array.from({ length: shape[axis] }, (_, slice) => slice)
    .filter((slice) => areaOf(volumeSlice(truth, { axis, slice })) > 0);
  if (present.length === 0) {
    throw new InputError(
      "Cannot align the volume as its mask must have voxels: current value is an empty one",
    );
  }
  const start = present[Math.floor(present.length / 2)];
  const task: Task = {
    ...{ model, volume, truth, axis, samples, seed, present, start },
  };
  const began = performance.now();
  let measuring = 0;
  const results: VolumeResult[] = [];
  const measure = (
    mask: NdArray<Uint8Array>,
    done: number,
    slices: number,
  ) => {
    const from = performance.now();
    const seconds = (from - began - measuring) / 1000;
    const { spacing } = volume;
    const far = spacing ? hd95(mask, truth, { spacing }) : Infinity;
    const at = { axis, slice: start };
    results.push({
      picks: done,
      slices,
      dice: dice(mask, truth),
      ...(spacing && {
        surfaceDice: surfaceDice(mask, truth, tolerance, { spacing }),
      }),
      ...(far < Infinity && { hd95: far }),
      first: dice(dense(volumeSlice(mask, at)), dense(volumeSlice(truth, at))),
      seconds,
    });
    measuring += performance.now() - from;
  };
  if (method === "interpolation") {
    for (const budget of picks) {
      const { mask, slices } = await interpolated(task, budget);
      measure(mask, budget, slices);
    }
  } else await walked(task, method === "profile", picks, measure);
  return results;
}

function areaOf(mask: NdArray<Uint8Array>): number {
  return dense(mask).data.reduce((sum, value) => sum + (value ? 1 : 0), 0);
}

/** A mask of its own, 0 or 1. */
function dense(mask: NdArray<Uint8Array>): NdArray<Uint8Array> {
  const data = contiguous(mask).data.map((value) => value ? 1 : 0);
  return ndarray(data, mask.shape.slice());
}

/** The mask in mind in one slice. */
function wanted({ truth, axis }: Task, slice: number) {
  return dense(volumeSlice(truth, { axis, slice }));
}

/** A random click inside the mask in mind. */
function clickIn(task: Task, slice: number): Point {
  return clickInside(wanted(task, slice), createRandom(task.seed, slice));
}

/** The candidate to pick; undefined where the recommendation is as near. */
function pickOf(
  proposal: Proposal,
  truth: NdArray<Uint8Array>,
): number | undefined {
  const scores = candidateDice(proposal, truth);
  const best = Math.max(...scores);
  return best > scoreOf(proposal, truth) + WORTH
    ? scores.indexOf(best)
    : undefined;
}

/** Slices in which picks were made, one after another. */
async function walked(
  task: Task,
  carryProfile: boolean,
  picks: readonly number[],
  measure: (mask: NdArray<Uint8Array>, done: number, slices: number) => void,
): Promise<void> {
  const { model, volume, axis, samples, seed, start } = task;
  using session = await VolumeSession.start(model, volume, {
    ...{ axis, samples, seed, carryProfile },
    slice: start,
    points: [clickIn(task, start)],
  });
  const visited = new Set([start]);
  let done = 0, here = 0;
  const count = async () => {
    done++;
    here++;
    if (!picks.includes(done)) return;
    await session.propagate();
    measure(session.mask, done, visited.size);
  };
  const last = picks[picks.length - 1];
  while (done < last) {
    const { slice, proposal } = session;
    const truth = wanted(task, slice);
    const most = slice === start ? PICKS.first : PICKS.other;
    const pick = proposal && here < most ? pickOf(proposal, truth) : undefined;
    if (pick !== undefined) {
      await session.apply({ kind: "choose", candidate: pick });
      await count();
      continue;
    }
    if (proposal && here < most && scoreOf(proposal, truth) < GOOD) {
      await click(task, session, count);
      continue;
    }
    // what is shown stands, or the slice was not found
    await session.propagate();
    const next = session.suggestions.find(({ slice }) => !visited.has(slice));
    if (!next) break;
    here = 0;
    visited.add(next.slice);
    await session.go(next.slice);
    await correct(task, session, count);
  }
  // a user who has nothing left to pick is done
  await session.propagate();
  for (const budget of picks) {
    if (budget > done) measure(session.mask, budget, visited.size);
  }
}

/** Clicks at the largest error. */
async function click(
  task: Task,
  session: VolumeSession,
  count: () => Promise<void>,
): Promise<void> {
  const truth = wanted(task, session.slice);
  const found = session.proposal?.recommended.mask ??
    ndarray(new Uint8Array(truth.size), truth.shape.slice());
  await session.apply({ kind: "click", point: errorClick(found, truth)! });
  await count();
}

/** Dice of what is recommended. */
function scoreOf(proposal: Proposal, truth: NdArray<Uint8Array>): number {
  return dice(proposal.recommended.mask, truth);
}

/** Says what a pick cannot: the object is not here, or it is. */
async function correct(
  task: Task,
  session: VolumeSession,
  count: () => Promise<void>,
): Promise<void> {
  const { slice, proposal } = session;
  const truth = wanted(task, slice);
  const there = areaOf(truth) > 0;
  if (!there) {
    await session.apply({ kind: "absent" });
    await count();
    return;
  }
  if (!proposal) return await click(task, session, count);
  const good = scoreOf(proposal, truth) >= GOOD;
  if (good && pickOf(proposal, truth) === undefined) {
    await session.apply({ kind: "accept" });
  }
}

/** Some slices aligned each by itself, the others interpolated. */
async function interpolated(task: Task, budget: number) {
  const { model, volume, axis, samples, seed, present } = task;
  const count = Math.min(present.length, budget);
  const chosen = [
    ...new Set(Array.from({ length: count }, (_, i) => {
      const place = count === 1 ? 0.5 : i / (count - 1);
      return present[Math.round(place * (present.length - 1))];
    })),
  ];
  const masks = new Map<number, NdArray<Uint8Array>>();
  let left = budget;
  let profile: Profile | undefined;
  for (const [i, slice] of chosen.entries()) {
    const truth = wanted(task, slice);
    using session = await Session.start(
      model,
      volumeImage(volume, { axis, slice }),
      { points: [clickIn(task, slice)], samples, seed, profile },
    );
    const own = Math.floor(left / (chosen.length - i));
    for (let k = 0; k < own; k++) {
      const pick = pickOf(session.proposal, truth);
      if (pick !== undefined) await session.choose(pick);
      else if (scoreOf(session.proposal, truth) < GOOD) {
        const { mask } = session.proposal.recommended;
        await session.addPoint(errorClick(mask, truth)!);
      } else break;
      left--;
    }
    profile = session.profile;
    masks.set(slice, session.proposal.recommended.mask);
  }
  const { shape } = task.truth;
  const stack = interpolateMasks(masks, shape[axis]);
  const mask = ndarray(new Uint8Array(task.truth.size), shape.slice());
  for (let slice = 0; slice < shape[axis]; slice++) {
    ops.assign(volumeSlice(mask, { axis, slice }), stack.pick(slice));
  }
  return { mask, slices: chosen.length };
}
