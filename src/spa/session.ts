// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { displayable } from "../displayable.ts";
import type { Model } from "../model/model.ts";
import { addPoint } from "./add_point.ts";
import type { Proposal } from "./cluster.ts";
import { encode } from "./encode.ts";
import type { ImageEmbedding } from "./embedding.ts";
import type { Point } from "./feedback.ts";
import type { Box } from "./frame.ts";
import type { Preference } from "./preference.ts";
import { type Profile, profileOf } from "./profile.ts";
import { type ProposalOptions, propose } from "./propose.ts";
import { type Start, startPreference } from "./start_preference.ts";
import { type UpdateOptions, updatePreference } from "./update_preference.ts";

/** Options of a session. */
export interface SessionOptions extends Start, ProposalOptions {
  /** How choices update the preference. */
  readonly update?: UpdateOptions;
}

/**
 * What a user did after the start: picked a candidate, clicked, or asked for
 * other candidates.
 */
export type Action =
  | { readonly choose: number }
  | { readonly addPoint: Point }
  | { readonly proposeAgain: true };

/** One state of a session: a preference and the proposal made with it. */
interface Step {
  readonly preference: Preference;
  readonly proposal: Proposal;
  /** How often the same preference was drawn from before. */
  readonly redraws: number;
  /** What led here; absent at the start. */
  readonly action?: Action;
}

/** A session as plain data: what the user did, without image and other options. */
export interface SessionJSON {
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
  readonly #embedding: ImageEmbedding;
  readonly #options: SessionOptions;
  readonly #steps: Step[];
  /** Whether a step is under way. */
  #busy = false;
  #disposed = false;

  private constructor(
    model: Model,
    embedding: ImageEmbedding,
    options: SessionOptions,
    first: Step,
  ) {
    this.#model = model;
    this.#embedding = embedding;
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
    const embedding = await encode(model, image);
    try {
      const preference = await startPreference(model, embedding, options);
      const proposal = await propose(model, embedding, preference, options);
      const first = { preference, proposal, redraws: 0 };
      return new Session(model, embedding, options, first);
    } catch (error) {
      embedding.dispose();
      throw error;
    }
  }

  /**
   * Runs a saved session again: the same model, image, options and seed give
   * the same proposals.
   *
   * @param model The network.
   * @param image The image, as for `start`.
   * @param saved What `toJSON` gave.
   * @param options Those the session was started with, but for what was saved.
   * @returns The session in its last state; steps that were undone are not in it.
   * @throws {RangeError} As `start`, `choose` and `addPoint`.
   * @throws {TypeError} When the model is disposed.
   */
  static async replay(
    model: Model,
    image: NdArray<Float32Array>,
    { points, box, seed, actions }: SessionJSON,
    options: Omit<SessionOptions, "points" | "box" | "seed"> = {},
  ): Promise<Session> {
    const session = await Session.start(model, image, {
      ...options,
      points,
      box,
      seed,
    });
    try {
      for (const action of actions) {
        if ("choose" in action) await session.choose(action.choose);
        else if ("addPoint" in action) await session.addPoint(action.addPoint);
        else await session.proposeAgain();
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
        updatePreference(
          this.#model,
          this.#embedding,
          this.preference,
          this.proposal,
          candidate,
          this.#options.update,
        ),
    );
  }

  /**
   * Adds a click and makes the next proposal.
   *
   * @param point The click, positive or negative, in pixels of the image.
   * @returns The next proposal.
   * @throws {RangeError} When the point lies outside the image.
   * @throws {TypeError} As `choose`.
   */
  async addPoint(point: Point): Promise<Proposal> {
    return await this.#advance(
      "add a point",
      { addPoint: point },
      () =>
        addPoint(
          this.#model,
          this.#embedding,
          this.preference,
          point,
          this.#options.update,
        ),
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

  /** Makes a step; steps that overlapped would not be a history. */
  async #advance(
    verb: string,
    action: Action,
    update: () => Preference | Promise<Preference>,
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
      const preference = await update();
      const proposal = await propose(
        this.#model,
        this.#embedding,
        preference,
        this.#options,
        redraws,
      );
      this.#steps.push({ preference, proposal, redraws, action });
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
    this.#steps.pop();
    return this.proposal;
  }

  /** The recommended mask now, at the image's own size, [H, W], 0 or 1. */
  accept(): NdArray<Uint8Array> {
    return this.proposal.recommended.mask;
  }

  /** What the user said, with which `replay` runs the session again. */
  toJSON(): SessionJSON {
    const { points, box } = this.#steps[0].preference.feedback;
    return {
      points,
      box,
      seed: this.#options.seed ?? 0,
      actions: this.#steps.flatMap(({ action }) => action ?? []),
    };
  }

  /** Gives back the image embedding's memory: no step can follow, undo aside. */
  dispose(): void {
    this.#disposed = true;
    this.#embedding.dispose();
  }

  /** See `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

displayable("session", Session.prototype);
