// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
// @ts-types="@types/ndarray-ops"
import ops from "ndarray-ops";
import { unpackMask } from "../arrays/packed_mask.ts";
import { contiguous } from "../arrays/contiguous.ts";
import { digest } from "../digest.ts";
import { displayable } from "../displayable.ts";
import { type Volume, volumeImage, volumeSlice } from "../formats/volume.ts";
import type { Model } from "../model/model.ts";
import { OneAtATime } from "../once.ts";
import { checkOptions } from "../options.ts";
import { createRandom } from "../random.ts";
import type { Proposal } from "../spa/cluster.ts";
import type { Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import type { Profile } from "../spa/profile.ts";
import { Session } from "../spa/session.ts";
import { appearanceOf } from "./appearance.ts";
import {
  bytesOf,
  emptyResult,
  heldTo,
  resultOf,
  type SliceResult,
} from "./slice_result.ts";
import { suggest, type Suggestion } from "./suggestions.ts";
import {
  type AcceptAction,
  OPTIONS,
  type PropagateOptions,
  type SliceAction,
  type VolumeAction,
  type VolumeSessionJSON,
  type VolumeSessionOptions,
} from "./volume_actions.ts";
import { acquisitionAxis, digestVolume } from "./volume_identity.ts";
import { isBlank, SliceImages, step, trustOf, WALK } from "./walk.ts";
import {
  type Aligned,
  extendWalk,
  type Knowledge,
  type Known,
  knownSlices,
  neededWalks,
  nextSlice,
  slicesLeft,
  type Walk,
  walkName,
  withoutWalksAt,
} from "./walks.ts";
import { InputError } from "../input_error.ts";

/** How the open slice came to be looked at. */
interface Visit {
  readonly slice: number;
  readonly points?: readonly Point[];
  readonly box?: Box;
  readonly start?: SliceResult | NdArray<Uint8Array>;
  readonly profile?: Profile;
  readonly actions: readonly SliceAction[];
}

/** One state of a session: all of it, nothing of it ever changes. */
interface State extends Knowledge {
  readonly slice: number;
  /** Absent where the open slice has nothing to show yet. */
  readonly visit?: Visit;
  readonly profile?: Profile;
  /** What led here; absent at the start. */
  readonly action?: VolumeAction;
}

/**
 * A session with a volume: one slice is aligned, the others follow. The slices
 * beside an aligned one start with its mask, in a region that moves along with
 * it, with the user's profile; between two aligned slices walks from both are
 * blended. `suggestions` says where a look helps most; what is picked there
 * updates the profile, and the slices about it are walked again.
 *
 * Every state is kept, so that all can be undone and done again. It owns device memory: call
 * `dispose()`, or declare it with `using`.
 *
 * @example One click, one pick, and a walk through the volume
 * ```ts ignore
 * const volume = await readVolume("brain.nii.gz");
 * using session = await VolumeSession.start(model, volume, {
 *   slice: 12,
 *   points: [{ x: 140, y: 96 }],
 * });
 * await session.apply({ kind: "choose", candidate: 0 });
 * await session.propagate();
 * await session.go(session.suggestions[0].slice);
 * ```
 */
export class VolumeSession {
  readonly #model: Model;
  readonly #volume: Volume;
  readonly #options: VolumeSessionOptions & { axis: 0 | 1 | 2 };
  readonly #images: SliceImages;
  /** From the start to what is shown now. */
  #states: State[];
  /** The states that were undone; `redo` takes the first one first. */
  #undone: State[] = [];
  #session: Session | undefined;
  /** The visit that `#session` is in. */
  #visit: Visit | undefined;
  readonly #trusts = new WeakMap<Aligned, Promise<number>>();
  #known: { state: State; slices: Known[] } | undefined;
  /** The steps; those that overlapped would not be a history. */
  readonly #jobs = new OneAtATime();

  private constructor(
    model: Model,
    volume: Volume,
    options: VolumeSessionOptions & { axis: 0 | 1 | 2 },
    first: State,
  ) {
    this.#model = model;
    this.#volume = volume;
    this.#options = options;
    this.#states = [first];
    this.#images = new SliceImages(model, (slice) => this.image(slice));
  }

  /**
   * Begins in one slice: encodes a region of it and makes the first proposal.
   *
   * @param model The network.
   * @param volume Of one channel or in color; others need `channels`.
   * @param options Where to begin, with clicks, a box or a mask.
   * @returns The session, with its first proposal.
   * @throws {RangeError} When there is no such slice, no positive click, box or
   * mask, one lies outside the slice, the slice shows nothing, or the volume has
   * several channels that are not colors and none was chosen.
   * @throws {TypeError} When the model is disposed, or an option is of another
   * type or unknown.
   */
  static async start(
    model: Model,
    volume: Volume,
    options: VolumeSessionOptions,
  ): Promise<VolumeSession> {
    checkOptions("start", options, OPTIONS);
    const { values, color } = volume;
    const count = values.shape[3];
    if (values.shape.length !== 4 || values.size === 0) {
      throw new InputError(
        `Cannot start as the volume's shape must be [D, H, W, C] with voxels: current value is [${values.shape}]`,
      );
    }
    if (count > 1 && !color && !options.channels) {
      throw new InputError(
        `Cannot start as a volume of several channels needs the option channels, one of 0..${
          count - 1
        } or three: current value is ${count} channels (4-D)`,
      );
    }
    const axis = options.axis ?? acquisitionAxis(volume);
    const depth = values.shape[axis];
    const slice = options.slice ?? Math.floor(depth / 2);
    const { points, box, mask: start, profile } = options;
    const first: State = {
      slice,
      aligned: new Map(),
      walks: new Map(),
      profile,
    };
    const session = new VolumeSession(
      model,
      volume,
      { ...options, axis },
      first,
    );
    const visit = { slice, points, box, start, profile, actions: [] };
    try {
      if (isBlank(session.image(slice))) {
        throw new InputError(
          `Cannot start as the slice must show something: current value, slice ${slice}, is the same everywhere`,
        );
      }
      await session.#open(visit);
      session.#states[0] = session.#alignedState({ ...first, visit });
      return session;
    } catch (error) {
      session.dispose();
      throw error;
    }
  }

  /**
   * Runs a saved session again, to the identical mask.
   *
   * @param model The network.
   * @param volume The volume, as for `start`.
   * @param saved What `toJSON` gave.
   * @param options What is not saved: the profile and the mask it began with.
   * @throws {RangeError} When it is no session, of another volume, or ends with
   * another mask, as with other weights.
   */
  static async replay(
    model: Model,
    volume: Volume,
    saved: VolumeSessionJSON,
    options: Pick<VolumeSessionOptions, "profile" | "mask"> = {},
  ): Promise<VolumeSession> {
    if (saved?.format !== "spa-volume-session" || saved.version !== 1) {
      throw new InputError(
        `Cannot replay the session as its format must be "spa-volume-session", version 1: current value is ${saved?.format}, version ${saved?.version}`,
      );
    }
    const found = digestVolume(volume);
    if (found !== saved.volume) {
      throw new InputError(
        `Cannot replay the session as the volume must be the one it was saved of, ${saved.volume}: current value is ${found}`,
      );
    }
    const { actions, mask, format: _, version: __, volume: ___, ...rest } =
      saved;
    const session = await VolumeSession.start(model, volume, {
      ...rest,
      ...options,
    });
    try {
      for (const action of actions) await session.apply(action);
      const last = session.#maskDigest();
      if (last === mask) return session;
      throw new InputError(
        "Cannot replay the session as it must end with the mask it was saved with: current value is another one. Model, profile and starting mask must be the same",
      );
    } catch (error) {
      session.dispose();
      throw error;
    }
  }

  get #last(): State {
    return this.#states[this.#states.length - 1];
  }

  /** What is known of every slice now. */
  get #slices(): Known[] {
    const state = this.#last;
    if (this.#known?.state !== state) {
      this.#known = { state, slices: knownSlices(state, this.depth) };
    }
    return this.#known.slices;
  }

  /** The volume. */
  get volume(): Volume {
    return this.#volume;
  }

  /** The dimension whose slices are aligned. */
  get axis(): 0 | 1 | 2 {
    return this.#options.axis;
  }

  /** Values shown black and white, where they were given. */
  get window(): [low: number, high: number] | undefined {
    return this.#options.window;
  }

  /** Channels of a volume with several, where they were given. */
  get channels(): number[] | undefined {
    return this.#options.channels;
  }

  /** Slices in all. */
  get depth(): number {
    return this.#volume.values.shape[this.axis];
  }

  /** Index of the open slice. */
  get slice(): number {
    return this.#last.slice;
  }

  /** What is shown of the open slice; undefined where nothing is known of it yet. */
  get proposal(): Proposal | undefined {
    return this.#last.visit ? this.#session?.proposal : undefined;
  }

  /** The clicks in the open slice. */
  get points(): readonly Point[] {
    const session = this.#last.visit && this.#session;
    return session?.preference.feedback.points ?? [];
  }

  /** The user's profile, for the next volume; undefined before any choice. */
  get profile(): Profile | undefined {
    return this.#last.profile;
  }

  /** The slices that the user aligned, in order. */
  get aligned(): readonly number[] {
    return [...this.#last.aligned.keys()].sort((a, b) => a - b);
  }

  /** Pixels of the mask in every slice, in order. */
  get areas(): readonly number[] {
    return this.#slices.map(({ result }) => result?.mask.area ?? 0);
  }

  /** Slices in which a look helps, the most helpful first; see `suggest`. */
  get suggestions(): readonly Suggestion[] {
    return suggest(
      this.#slices.map(({ result, ...state }) => ({
        ...state,
        area: result?.mask.area ?? 0,
      })),
    );
  }

  /** Whether there is a step to take back. */
  get canUndo(): boolean {
    return this.#states.length > 1;
  }

  /** Whether there is an undone step to do again. */
  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  /**
   * What was done since the start, oldest first, and after it what was undone and
   * can be done again: `steps` to the number `done` are behind what is shown.
   * `slices` are those that were open: at the start, and after every step.
   */
  get history(): {
    readonly steps: readonly VolumeAction[];
    readonly done: number;
    readonly slices: readonly number[];
  } {
    const states = [...this.#states, ...this.#undone];
    return {
      steps: states.flatMap(({ action }) => action ?? []),
      done: this.#states.length - 1,
      slices: states.map(({ slice }) => slice),
    };
  }

  /** Slices that walks have still to look at, at most. */
  get slicesLeft(): number {
    return this.#walks().reduce((sum, walk) => sum + slicesLeft(walk), 0);
  }

  /** A slice's image, [H, W, C], 0..1; values that are not finite are black. */
  image(slice: number): NdArray<Float32Array> {
    this.#checkSlice(slice);
    const { axis, window, channels } = this.#options;
    return volumeImage(this.#volume, { axis, slice, window, channels });
  }

  /** The mask of one slice, [H, W], 0 or 1. */
  sliceMask(slice: number): NdArray<Uint8Array> {
    this.#checkSlice(slice);
    const { result } = this.#slices[slice];
    if (result) return unpackMask(result.mask);
    const [height, width] = this.#shape;
    return ndarray(new Uint8Array(height * width), [height, width]);
  }

  /** The mask of the volume, [D, H, W], 0 or 1. */
  get mask(): NdArray<Uint8Array> {
    const shape = this.#volume.values.shape.slice(0, 3);
    const mask = ndarray(
      new Uint8Array(shape[0] * shape[1] * shape[2]),
      shape,
    );
    this.#slices.forEach(({ result }, slice) => {
      if (!result || result.mask.area === 0) return;
      ops.assign(
        volumeSlice(mask, { axis: this.axis, slice }),
        unpackMask(result.mask),
      );
    });
    return mask;
  }

  get #shape(): [height: number, width: number] {
    const shape = this.#volume.values.shape.slice(0, 3);
    shape.splice(this.axis, 1);
    return shape as [number, number];
  }

  #checkSlice(slice: number): void {
    if (Number.isInteger(slice) && slice >= 0 && slice < this.depth) return;
    throw new InputError(
      `Cannot look at the slice as it must be in 0..${
        this.depth - 1
      }: current value is ${slice}`,
    );
  }

  /** Begins a visit's session and repeats what was done in it. */
  async #open(visit: Visit): Promise<void> {
    const { profile, start, points, box, actions } = visit;
    const { samples, variations, candidates, seed, update } = this.#options;
    const spacing = this.#volume.spacing?.filter((_, i) => i !== this.axis);
    const known = start && "region" in start ? start : undefined;
    const given = start && !("region" in start) ? start : undefined;
    const session = await Session.start(this.#model, this.image(visit.slice), {
      samples,
      variations,
      candidates,
      seed,
      update,
      profile,
      doubt: 0, // samples of other squares make walks from a slice worse
      ...(points && { points }),
      ...(box && { box }),
      ...(known && { mask: unpackMask(known.mask), region: known.region }),
      ...(given && { mask: given }),
      ...(spacing && { spacing: spacing as [number, number] }),
    });
    try {
      for (const action of actions) await session.apply(action);
    } catch (error) {
      session.dispose();
      throw error;
    }
    this.#session?.dispose();
    this.#session = session;
    this.#visit = visit;
  }

  /** The session of a state's visit, which is made again where it is another one. */
  async #sessionOf(visit: Visit): Promise<Session> {
    if (this.#visit !== visit || !this.#session) await this.#open(visit);
    return this.#session!;
  }

  /** A state in which the open slice is aligned as its session has it. */
  #alignedState(
    state: State,
    { candidate, ...cleaning }: Omit<AcceptAction, "kind"> = {},
  ): State {
    const session = this.#session!;
    const { proposal, preference, region } = session;
    const mask = session.accept(candidate, cleaning);
    const { probability } = candidate === undefined
      ? proposal.recommended
      : proposal.candidates[candidate];
    const toMap = (map: NdArray<Float32Array>) => ({
      region,
      side: map.shape[0],
      bytes: bytesOf(contiguous(map).data),
    });
    const result = heldTo(resultOf(toMap(probability), this.#shape, mask));
    const profile = preference.iteration > 0 ? session.profile : state.profile;
    const choices = preference.feedback.choices
      .filter(({ candidates, weight }) => candidates.length > 1 && !weight)
      .map(({ recommended, candidates, chosen }) => ({
        recommended: toMap(recommended),
        candidates: candidates.map(toMap),
        chosen,
      }));
    const source = {
      choices,
      regionSide: region.right - region.left,
      profile,
      appearance: appearanceOf(this.image(state.slice), result),
    };
    return this.#withAligned({ ...state, profile }, { result, source });
  }

  #withAligned(state: State, own: Aligned): State {
    const { slice } = state;
    const aligned = new Map(state.aligned).set(slice, own);
    return { ...state, aligned, walks: withoutWalksAt(state.walks, slice) };
  }

  /**
   * Does what a user does: an action in the open slice, `go` to another one,
   * `absent` (the object is not in this slice), or `propagate`.
   *
   * @param action What to do.
   * @returns What is shown of the open slice then; undefined where nothing is.
   * @throws {RangeError} When there is no such candidate or slice, a point lies
   * outside the slice, or there is nothing to choose from yet.
   * @throws {TypeError} When another step is under way, or the session is disposed.
   */
  async apply(action: VolumeAction): Promise<Proposal | undefined> {
    if (action.kind === "propagate") {
      await this.propagate({ steps: action.steps });
      return this.proposal;
    }
    await this.#jobs.run(action.kind, async () => {
      const state = await this.#next(action);
      this.#push({ ...state, action });
    });
    return this.proposal;
  }

  /** A step is done: what had been undone is no more. */
  #push(state: State): void {
    this.#states = [...this.#states, state];
    this.#undone = [];
  }

  async #next(action: Exclude<VolumeAction, { kind: "propagate" }>) {
    const state = this.#last;
    if (action.kind === "go") return await this.#goTo(action.slice);
    if (action.kind === "absent") {
      const [height, width] = this.#shape;
      const side = Math.max(height, width);
      const region = { left: 0, top: 0, right: side, bottom: side };
      const result = emptyResult(this.#shape, region, 1);
      const source = { choices: [], regionSide: side };
      const unseen = { ...state, visit: undefined };
      return this.#withAligned(unseen, { result, source });
    }
    if (!state.visit) {
      if (action.kind !== "click" || action.point.label === 0) {
        throw new InputError(
          `Cannot ${action.kind} as slice ${state.slice} must show the object: click on it first, or walk there`,
        );
      }
      const { slice, profile } = state;
      const visit = { slice, points: [action.point], profile, actions: [] };
      await this.#open(visit);
      return this.#alignedState({ ...state, visit });
    }
    const session = await this.#sessionOf(state.visit);
    if (action.kind === "accept") {
      const { kind: _, ...accepted } = action;
      return this.#alignedState(state, accepted);
    }
    await session.apply(action);
    const actions = [...state.visit.actions, action];
    const visit = { ...state.visit, actions };
    this.#visit = visit;
    return this.#alignedState({ ...state, visit });
  }

  async #goTo(slice: number): Promise<State> {
    this.#checkSlice(slice);
    const state = this.#last;
    const { result } = this.#slices[slice];
    if (!result || result.mask.area === 0) {
      return { ...state, slice, visit: undefined };
    }
    const { profile } = state;
    const visit: Visit = { slice, start: result, profile, actions: [] };
    await this.#open(visit);
    return { ...state, slice, visit };
  }

  /**
   * Opens another slice.
   *
   * @param slice Its index.
   * @returns What is shown of it; undefined where the object was not found there:
   * then a click begins.
   */
  async go(slice: number): Promise<Proposal | undefined> {
    return await this.apply({ kind: "go", slice });
  }

  /** The walks that aligned slices need, as far as they came. */
  #walks(): Walk[] {
    const { aligned, walks } = this.#last;
    return neededWalks(aligned, this.depth).map((walk) =>
      walks.get(walkName(walk.from, walk.direction)) ?? walk
    );
  }

  /**
   * Walks up and down from every aligned slice, to the next one or to where the
   * object ends. What was walked before stays where no slice was aligned since.
   *
   * @param options Signal, progress.
   * @returns Slices that were looked at. All of them are one step to undo.
   * @throws {TypeError} When another step is under way, or the session is disposed.
   */
  async propagate(
    { signal, onProgress, steps = Infinity }: PropagateOptions = {},
  ): Promise<number> {
    return await this.#jobs.run("propagate", async () => {
      const state = this.#last;
      const walks = new Map(state.walks);
      const needed = this.#walks();
      let done = 0;
      try {
        while (done < steps && !signal?.aborted) {
          // one walk's slice is encoded while the other's is put together
          const round = needed.filter((walk) => slicesLeft(walk) > 0)
            .slice(0, Math.min(2, steps - done));
          if (round.length === 0) break;
          const found = await Promise.allSettled(
            round.map((walk) => this.#step(state, walk)),
          );
          for (const [i, first] of round.entries()) {
            const outcome = found[i];
            if (outcome.status === "rejected") throw outcome.reason;
            const walk = extendWalk(first, outcome.value);
            needed[needed.indexOf(first)] = walk;
            walks.set(walkName(walk.from, walk.direction), walk);
            done++;
            const left = needed.reduce((sum, w) => sum + slicesLeft(w), 0);
            onProgress?.({ done, left, slice: nextSlice(first) });
          }
        }
      } finally {
        if (done > 0) {
          const action = { kind: "propagate", steps: done } as const;
          this.#push({ ...state, walks, action });
        }
      }
      return done;
    });
  }

  /** How far the network is believed beside an aligned slice. */
  async #trustOf(slice: number, aligned: Aligned): Promise<number> {
    const known = this.#trusts.get(aligned);
    if (known) return await known;
    const { result, source } = aligned;
    const trust = trustOf(
      this.#model,
      this.#images,
      { slice, result },
      source,
    );
    this.#trusts.set(aligned, trust);
    trust.catch(() => this.#trusts.delete(aligned));
    return await trust;
  }

  /** What a walk finds in its next slice. */
  async #step(state: State, walk: Walk): Promise<SliceResult> {
    const { carryProfile = true, seed = 0 } = this.#options;
    const slice = nextSlice(walk);
    const { result, source } = state.aligned.get(walk.from)!;
    const before = walk.results.at(-1) ?? result;
    const gaps = walk.results.slice(-WALK.gaps);
    if (gaps.length === WALK.gaps && gaps.every(({ gap }) => gap)) {
      // too many slices without an image: nobody knows what follows
      return emptyResult(this.#shape, before.region, before.side);
    }
    const trust = await this.#trustOf(walk.from, state.aligned.get(walk.from)!);
    return await step(
      this.#model,
      this.#images,
      {
        neighbor: before,
        from: slice - walk.direction,
        slice,
        distance: Math.abs(slice - walk.from),
        seed: createRandom(seed, walk.from, walk.direction).integer(2 ** 31),
      },
      {
        choices: carryProfile ? source.choices : [],
        regionSide: source.regionSide,
        appearance: source.appearance,
        trust,
        profile: carryProfile ? state.profile : undefined,
      },
    );
  }

  /**
   * Takes back the last step: an action, a change of slice, or a walk.
   *
   * @returns What is shown then.
   * @throws {RangeError} When there is nothing to undo.
   * @throws {TypeError} When another step is under way, or the session is disposed.
   */
  async undo(): Promise<Proposal | undefined> {
    return await this.#show("undo", () => {
      if (!this.canUndo) {
        throw new InputError(
          "Cannot undo as there must be a step after the start: current value is 0",
        );
      }
      return this.#states.length - 2;
    });
  }

  /**
   * Does again what was undone last; a walk is not walked again. Any other step
   * ends what can be done again.
   *
   * @returns What is shown then.
   * @throws {RangeError} When nothing was undone.
   * @throws {TypeError} As `undo`.
   */
  async redo(): Promise<Proposal | undefined> {
    return await this.#show("redo", () => {
      if (!this.canRedo) {
        throw new InputError(
          "Cannot redo as there must be an undone step: current value is 0",
        );
      }
      return this.#states.length;
    });
  }

  /**
   * Goes to a state of the history: back as `undo`, forth as `redo`.
   *
   * @param step After how many steps, 0 the start .. `history.steps.length`.
   * @returns What is shown there.
   * @throws {RangeError} When the history has no such state.
   * @throws {TypeError} As `undo`.
   */
  async jumpTo(step: number): Promise<Proposal | undefined> {
    return await this.#show("jump", () => {
      const { length } = this.history.steps;
      if (Number.isInteger(step) && step >= 0 && step <= length) return step;
      throw new InputError(
        `Cannot jump as the step must be one of the history, 0..${length}: current value is ${step}`,
      );
    });
  }

  /** Shows a state of the history; the slice that was open then opens again. */
  async #show(
    verb: string,
    find: () => number,
  ): Promise<Proposal | undefined> {
    return await this.#jobs.run(verb, async () => {
      const step = find();
      const states = [...this.#states, ...this.#undone];
      const { visit } = states[step];
      if (visit) await this.#sessionOf(visit);
      this.#states = states.slice(0, step + 1);
      this.#undone = states.slice(step + 1);
      return this.proposal;
    });
  }

  #maskDigest(): string {
    return digest(this.#slices.flatMap(({ result }, slice) => {
      if (!result || result.mask.area === 0) return [];
      const { top, left, width, bits } = result.mask;
      return [`${slice} ${top} ${left} ${width} `, bits];
    }));
  }

  /** What the user did, with which `replay` runs the session again. */
  toJSON(): VolumeSessionJSON {
    const { axis, window, channels, samples, variations } = this.#options;
    const { candidates, update, carryProfile = true, seed = 0 } = this.#options;
    const { slice, visit } = this.#states[0];
    return {
      format: "spa-volume-session",
      version: 1,
      volume: digestVolume(this.#volume),
      ...{ axis, window, channels, slice },
      points: visit?.points ?? [],
      ...(visit?.box && { box: visit.box }),
      ...{ samples, variations, candidates, update, carryProfile, seed },
      actions: this.#states.flatMap(({ action }) => action ?? []),
      mask: this.#maskDigest(),
    };
  }

  /** Gives back device memory: nothing can follow. */
  dispose(): void {
    this.#jobs.end();
    this.#session?.dispose();
    this.#images.dispose();
  }

  /** See `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

displayable("volumeSession", VolumeSession.prototype);
