// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { cleanMask, type MaskCleaning } from "../arrays/clean_mask.ts";
import { contiguous } from "../arrays/contiguous.ts";
import { digest } from "../digest.ts";
import { displayable } from "../displayable.ts";
import type { Model } from "../model/model.ts";
import { addPoint } from "./add_point.ts";
import type { Proposal } from "./cluster.ts";
import { encode, type EncodeOptions } from "./encode.ts";
import { encodeRegion, type ImageEmbedding, type Looks } from "./embedding.ts";
import type { Point } from "./feedback.ts";
import { type Box, frameOf, isInRegion, squareAround } from "./frame.ts";
import type { Preference } from "./preference.ts";
import { type Profile, profileOf } from "./profile.ts";
import { type ProposalOptions, propose } from "./propose.ts";
import {
  carryPreference,
  checkPoint,
  type Start,
  startPreference,
} from "./start_preference.ts";
import { type UpdateOptions, updatePreference } from "./update_preference.ts";

/** Digest of a mask's pixels. */
function digestOf(mask: NdArray<Uint8Array>): string {
  return digest([`${mask.shape}`, contiguous(mask).data]);
}

/** The square that holds a region and a place beside it, with some room. */
function regionWith(
  { left, top, right, bottom }: Box,
  { x, y }: Point,
): Box {
  const room = (right - left) / 8;
  return squareAround({
    left: Math.min(left, x - room),
    top: Math.min(top, y - room),
    right: Math.max(right, x + room),
    bottom: Math.max(bottom, y + room),
  });
}

/** Options of a session. */
export interface SessionOptions
  extends Start, ProposalOptions, Pick<EncodeOptions, "region" | "spacing"> {
  /** How choices update the preference. */
  readonly update?: UpdateOptions;
}

/**
 * What a user did after the start: picked a candidate, clicked, asked for other
 * candidates, or chose another region.
 */
export type Action =
  | { readonly choose: number }
  | { readonly addPoint: Point }
  | { readonly proposeAgain: true }
  | { readonly lookAt: Box };

/** One state of a session: a preference and the proposal made with it. */
interface Step {
  readonly embedding: ImageEmbedding;
  readonly preference: Preference;
  readonly proposal: Proposal;
  /** How often the same preference was drawn from before. */
  readonly redraws: number;
  /** What led here; absent at the start. */
  readonly action?: Action;
}

/** A session as plain data: what the user did, without image and other options. */
export interface SessionJSON {
  /** Always "spa-session". */
  readonly format: "spa-session";
  /** Of the format. */
  readonly version: 1;
  /** Digest of the first region as the network saw it. */
  readonly image: string;
  /** The region at the start. */
  readonly region: Box;
  /** Samples N per proposal. */
  readonly samples: number;
  /** Variations per proposal. */
  readonly variations: number;
  /** Candidates K per proposal. */
  readonly candidates: number;
  /** How choices updated the preference. */
  readonly update: UpdateOptions;
  /** Digest of the last recommended mask, which a replay must give again. */
  readonly mask: string;
  /** The clicks at the start; later ones are among the actions. */
  readonly points: readonly Point[];
  /** The box, if one was drawn. */
  readonly box?: Box;
  /** What followed, oldest first. */
  readonly actions: readonly Action[];
  /** Seed of the samples and the clustering. */
  readonly seed: number;
}

/**
 * The five functions as one object: start, look at `proposal`, choose, undo,
 * add a click, accept. Every step keeps the one before, so undo returns the
 * identical state. It owns the image embedding: call `dispose()`, or declare
 * it with `using`.
 *
 * @example Pick the first candidate twice
 * ```ts
 * import { loadModel, phantom, Session } from "@spa-seg/spa";
 *
 * using model = await loadModel();
 * const { image } = phantom({ kind: "kidney", seed: 9 });
 * using session = await Session.start(model, image, {
 *   points: [{ x: 50, y: 35 }],
 * });
 * await session.choose(0);
 * await session.choose(0);
 * const mask = session.accept();
 * ```
 */
export class Session {
  readonly #model: Model;
  readonly #options: SessionOptions;
  readonly #steps: Step[];
  /** Whether a step is under way. */
  #busy = false;
  #disposed = false;

  private constructor(
    model: Model,
    options: SessionOptions,
    first: Step,
  ) {
    this.#model = model;
    this.#options = options;
    this.#steps = [first];
  }

  /**
   * Encodes the image and makes the first proposal.
   *
   * @param model The network.
   * @param image [H, W, C], C 1 or 3, values 0..1.
   * @param options Clicks or a box, at least; profile, samples, seed.
   * @returns The session, with its first proposal.
   * @throws {RangeError} As `encode`, `startPreference`, `sampleGMM` and
   * `cluster`.
   * @throws {TypeError} When the model is disposed.
   */
  static async start(
    model: Model,
    image: NdArray<Float32Array>,
    options: SessionOptions,
  ): Promise<Session> {
    const { region, spacing, points, box, mask } = options;
    const embedding = await encode(model, image, {
      region,
      spacing,
      points,
      box,
      mask,
    });
    try {
      const preference = await startPreference(model, embedding, options);
      const proposal = await propose(model, embedding, preference, options);
      const first = { embedding, preference, proposal, redraws: 0 };
      return new Session(model, options, first);
    } catch (error) {
      embedding.dispose();
      throw error;
    }
  }

  /**
   * Runs a saved session again, to the identical mask.
   *
   * @param model The network.
   * @param image The image, as for `start`.
   * @param saved What `toJSON` gave.
   * @param options What is not saved: the profile and the mask it began with.
   * @returns The session in its last state; steps that were undone are not in it.
   * @throws {RangeError} When the text is no session, the image another one, or
   * the last mask differs, as with other weights; and as `start`, `choose` and
   * `addPoint`.
   * @throws {TypeError} When the model is disposed.
   */
  static async replay(
    model: Model,
    image: NdArray<Float32Array>,
    saved: SessionJSON,
    options: Pick<SessionOptions, "profile" | "mask"> = {},
  ): Promise<Session> {
    if (saved?.format !== "spa-session" || saved.version !== 1) {
      throw new RangeError(
        `Cannot replay the session as its format must be "spa-session", version 1: current value is ${saved?.format}, version ${saved?.version}`,
      );
    }
    const { points, box, seed, actions, region, samples, variations } = saved;
    const { candidates, update } = saved;
    const session = await Session.start(model, image, {
      ...options,
      points,
      box,
      region,
      samples,
      variations,
      candidates,
      update,
      seed,
    });
    try {
      const { seen } = session.#last.embedding.identity;
      if (seen !== saved.image) {
        throw new RangeError(
          `Cannot replay the session as the image must be the one it was saved of: current value is another one, ${seen} for ${saved.image}`,
        );
      }
      for (const action of actions) {
        if ("choose" in action) await session.choose(action.choose);
        else if ("addPoint" in action) await session.addPoint(action.addPoint);
        else if ("lookAt" in action) await session.lookAt(action.lookAt);
        else await session.proposeAgain();
      }
      const mask = digestOf(session.accept());
      if (mask !== saved.mask) {
        throw new RangeError(
          "Cannot replay the session as it must end with the mask it was saved with: current value is another one. Model, profile and starting mask must be the same",
        );
      }
      return session;
    } catch (error) {
      session.dispose();
      throw error;
    }
  }

  get #last(): Step {
    return this.#steps[this.#steps.length - 1];
  }

  /** What the user is shown now. */
  get proposal(): Proposal {
    return this.#last.proposal;
  }

  /** What is known about the user now. */
  get preference(): Preference {
    return this.#last.preference;
  }

  /** The square part of the image that the network looks at. */
  get region(): Box {
    return this.#last.embedding.region;
  }

  /** How the region was found. */
  get looks(): Looks {
    return this.#last.embedding.looks;
  }

  /** Number of choices so far; clicks and other draws do not count. */
  get iteration(): number {
    return this.preference.iteration;
  }

  /** Whether there is a step to take back: a choice, a click or another draw. */
  get canUndo(): boolean {
    return this.#steps.length > 1;
  }

  /** The user's profile, for the next image. */
  get profile(): Profile {
    return profileOf(this.preference);
  }

  /**
   * Picks a candidate and makes the next proposal.
   *
   * @param candidate Index of the candidate, from 0.
   * @returns The next proposal.
   * @throws {RangeError} When there is no such candidate.
   * @throws {TypeError} When another step is under way, or the session or its
   * model is disposed.
   */
  async choose(candidate: number): Promise<Proposal> {
    return await this.#advance(
      "choose",
      { choose: candidate },
      () =>
        updatePreference(this.#model, this.#last.embedding, this.preference, {
          proposal: this.proposal,
          choice: candidate,
          ...this.#options.update,
        }),
    );
  }

  /**
   * Adds a click and makes the next proposal. A click outside the region widens
   * the region first.
   *
   * @param point The click, positive or negative, in pixels of the image.
   * @returns The next proposal.
   * @throws {RangeError} When the point lies outside the image.
   * @throws {TypeError} As `choose`.
   */
  async addPoint(point: Point): Promise<Proposal> {
    const { frame, region } = this.#last.embedding;
    checkPoint(point, frame);
    if (!isInRegion(frame, point)) {
      await this.lookAt(regionWith(region, point));
    }
    return await this.#advance(
      "add a point",
      { addPoint: point },
      () =>
        addPoint(this.#model, this.#last.embedding, this.preference, {
          point,
          ...this.#options.update,
        }),
    );
  }

  /**
   * Draws other samples of the same preference and makes a proposal of them:
   * for a user to whom none of the candidates is near.
   *
   * @returns The next proposal.
   * @throws {TypeError} As `choose`.
   */
  async proposeAgain(): Promise<Proposal> {
    return await this.#advance(
      "propose again",
      { proposeAgain: true },
      () => this.preference,
      this.#last.redraws + 1,
    );
  }

  /**
   * Looks closer or from farther away, about the region's center; clicks and
   * choices stay.
   *
   * @param factor Greater than 1: closer; less: wider.
   * @returns The next proposal.
   * @throws {RangeError} When the factor is not positive and finite, or a positive
   * click would be left out.
   * @throws {TypeError} As `choose`.
   */
  async zoom(factor: number): Promise<Proposal> {
    if (!(factor > 0 && Number.isFinite(factor))) {
      throw new RangeError(
        `Cannot zoom as the factor must be a positive number: current value is ${factor}`,
      );
    }
    const { left, top, right, bottom } = this.region;
    const x = (left + right) / 2, y = (top + bottom) / 2;
    const half = (right - left) / 2 / factor;
    return await this.lookAt({
      left: x - half,
      top: y - half,
      right: x + half,
      bottom: y + half,
    });
  }

  /**
   * Looks at another region; clicks and choices stay, and what was chosen is
   * resampled into the new square.
   *
   * @param region In pixels of the image; widened to a square.
   * @returns The next proposal.
   * @throws {RangeError} When the box is empty, beside the image or not finite, or
   * leaves out a positive click.
   * @throws {TypeError} As `choose`.
   */
  async lookAt(region: Box): Promise<Proposal> {
    const { frame } = this.#last.embedding;
    const other = frameOf(frame.height, frame.width, frame.side, region);
    return await this.#advance(
      "look at another region",
      { lookAt: other.region },
      async () => {
        const embedding = await encodeRegion(
          this.#model,
          this.#last.embedding.image,
          other,
        );
        try {
          const preference = await carryPreference(
            this.#model,
            embedding,
            this.preference,
            this.#options.update,
          );
          return { preference, embedding };
        } catch (error) {
          embedding.dispose();
          throw error;
        }
      },
    );
  }

  /** Makes a step; steps that overlapped would not be a history. */
  async #advance(
    verb: string,
    action: Action,
    update: () =>
      | Preference
      | Promise<Preference | Pick<Step, "preference" | "embedding">>,
    redraws = 0,
  ): Promise<Proposal> {
    this.#checkIdle(verb);
    if (this.#disposed) {
      throw new TypeError(
        `Cannot ${verb} as the session must not be disposed: start another one, or replay what toJSON() gives`,
      );
    }
    this.#busy = true;
    try {
      const updated = await update();
      const { preference, embedding } = "embedding" in updated
        ? updated
        : { preference: updated, embedding: this.#last.embedding };
      let proposal: Proposal;
      try {
        proposal = await propose(
          this.#model,
          embedding,
          preference,
          this.#options,
          redraws,
        );
      } catch (error) {
        if (embedding !== this.#last.embedding) embedding.dispose();
        throw error;
      }
      this.#steps.push({ embedding, preference, proposal, redraws, action });
      return proposal;
    } finally {
      this.#busy = false;
    }
  }

  #checkIdle(verb: string): void {
    if (!this.#busy) return;
    throw new TypeError(
      `Cannot ${verb} as the step before must be done: current value is one under way; await it`,
    );
  }

  /**
   * Goes back one step, whether a choice, a click or another draw.
   *
   * @returns The proposal before, the very same value.
   * @throws {RangeError} When there is nothing to undo.
   * @throws {TypeError} When a step is under way.
   */
  undo(): Proposal {
    this.#checkIdle("undo");
    if (!this.canUndo) {
      throw new RangeError(
        "Cannot undo as there must be a step after the start: current value is 0",
      );
    }
    const { embedding } = this.#steps.pop()!;
    if (embedding !== this.#last.embedding) embedding.dispose();
    return this.proposal;
  }

  /**
   * The mask that the user accepts, at the image's own size, [H, W], 0 or 1.
   *
   * @param candidate Index of a candidate, from 0, as it is shown; by default the
   * recommendation.
   * @param cleaning Small repairs; by default none.
   * @throws {RangeError} When there is no such candidate.
   */
  accept(
    candidate?: number,
    cleaning?: MaskCleaning,
  ): NdArray<Uint8Array> {
    const { candidates, recommended } = this.proposal;
    const shown = candidate === undefined ? recommended : candidates[candidate];
    if (!shown) {
      throw new RangeError(
        `Cannot accept as the candidate must be one of those shown, 0..${
          candidates.length - 1
        }: current value is ${candidate}`,
      );
    }
    return cleaning ? cleanMask(shown.mask, cleaning) : shown.mask;
  }

  /** What the user said, with which `replay` runs the session again. */
  toJSON(): SessionJSON {
    const [{ embedding, preference: { feedback: { points, box } } }] =
      this.#steps;
    const { samples = 48, candidates = 4, update = {} } = this.#options;
    return {
      format: "spa-session",
      version: 1,
      image: embedding.identity.seen,
      region: embedding.region,
      samples,
      variations: this.#options.variations ?? samples,
      candidates,
      update,
      mask: digestOf(this.accept()),
      points,
      box,
      seed: this.#options.seed ?? 0,
      actions: this.#steps.flatMap(({ action }) => action ?? []),
    };
  }

  /** Gives back the image embedding's memory: no step can follow, undo aside. */
  dispose(): void {
    this.#disposed = true;
    for (const { embedding } of this.#steps) embedding.dispose();
  }

  /** See `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

displayable("session", Session.prototype);
