// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { cleanMask, type MaskCleaning } from "../arrays/clean_mask.ts";
import { contiguous } from "../arrays/contiguous.ts";
import { digest } from "../digest.ts";
import { displayable } from "../displayable.ts";
import { fingerprint } from "../model/fingerprint.ts";
import type { Model } from "../model/model.ts";
import { OneAtATime } from "../once.ts";
import { showValue } from "../options.ts";
import {
  addPoint,
  type UpdateOptions,
  updatePreference,
} from "./update_preference.ts";
import type { Proposal } from "./cluster.ts";
import { encode, type EncodeOptions } from "./encode.ts";
import { encodeRegion, type ImageEmbedding, type Looks } from "./embedding.ts";
import { followChoice, type Look, lookAt } from "./follow_choice.ts";
import type { Action, Point, Stroke } from "./feedback.ts";
import {
  type Box,
  type Frame,
  frameOf,
  isInRegion,
  regionWith,
} from "./frame.ts";
import { checkStroke, paintProposal } from "./paint.ts";
import type { Preference } from "./preference.ts";
import { type Profile, profileOf } from "./profile.ts";
import { type ProposalOptions, propose } from "./propose.ts";
import { checkPoint, type Start, startPreference } from "./start_preference.ts";
import { InputError, InputTypeError } from "../input_error.ts";

/** Digest of a mask's pixels. */
function digestOf(mask: NdArray<Uint8Array>): string {
  return digest([`${mask.shape}`, contiguous(mask).data]);
}

/** Options of a session. */
export interface SessionOptions
  extends Start, ProposalOptions, Pick<EncodeOptions, "region" | "spacing"> {
  /** How choices update the preference. */
  readonly update?: UpdateOptions;
  /**
   * Whether the region follows what is chosen: where the chosen candidate shows that
   * the object is much larger or smaller than was guessed, or elsewhere, the network
   * looks again there. A look by hand (`zoom`, `lookAt`) ends it. Default: where the
   * region is found ("auto").
   */
  readonly follow?: boolean;
}

/** The actions that a session goes through again in a replay. */
type Step = SessionJSON["actions"][number];

/** A state of a session: a preference and the proposal made with it. */
interface State {
  readonly embedding: ImageEmbedding;
  readonly preference: Preference;
  /** As the network makes it. */
  readonly drawn: Proposal;
  /** As it is shown, with the strokes. */
  readonly proposal: Proposal;
  /** What was painted since the start. */
  readonly strokes: readonly Stroke[];
  /** How often the same preference was drawn from before. */
  readonly redraws: number;
  /** Whether the region follows the next choice. */
  readonly follows: boolean;
}

/** How a session began: what a replay needs besides the options. */
interface Beginning {
  readonly image: NdArray<Float32Array>;
  readonly frame: Frame;
  /** Digest of the first region as the network saw it. */
  readonly seen: string;
  /** The clicks at the start. */
  readonly points: readonly Point[];
}

/** States that are kept; older ones are made again when they are wanted. */
const KEPT_STATES = 3;

/** A session as plain data: what the user did, without image and other options. */
export interface SessionJSON {
  /** Always "spa-session". */
  readonly format: "spa-session";
  /** Of the format. */
  readonly version: 2;
  /** Digest of the model's weights. */
  readonly model: string;
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
  /** Whether the region followed the choices; absent: it did not. */
  readonly follow?: true;
  /** What was accepted, where something was. */
  readonly accepted?: Extract<Action, { kind: "accept" }>;
  /** Digest of the accepted mask, or else of the last recommendation. */
  readonly mask: string;
  /** The clicks at the start; later ones are among the actions. */
  readonly points: readonly Point[];
  /** The box, if one was drawn. */
  readonly box?: Box;
  /** How far off the region's side might have been, in octaves; absent: 0. */
  readonly doubt?: number;
  /** What followed, oldest first. */
  readonly actions: readonly Extract<
    Action,
    { kind: "choose" | "click" | "again" | "look" | "paint" }
  >[];
  /** Seed of the samples and the clustering. */
  readonly seed: number;
}

/** The first state; the embedding is disposed where it cannot be made. */
async function begin(
  model: Model,
  embedding: ImageEmbedding,
  options: SessionOptions,
): Promise<State> {
  try {
    const preference = await startPreference(model, embedding, options);
    const proposal = await propose(model, embedding, preference, options);
    const shown = { drawn: proposal, proposal, strokes: [] };
    const { follow = false } = options;
    return { embedding, preference, ...shown, redraws: 0, follows: follow };
  } catch (error) {
    embedding.dispose();
    throw error;
  }
}

/**
 * The five functions as one object: start, look at `proposal`, choose, undo,
 * add a click, paint, accept. It keeps all actions and the last three states. Undo
 * makes older states again from the actions, with the same numbers. The session owns the
 * image embedding: call `dispose()`, or declare the session with `using`.
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
  readonly #beginning: Beginning;
  /** What was done since the start, oldest first. */
  readonly #steps: Step[] = [];
  /** The actions that were undone; `redo` does the first one first. */
  #undone: readonly Step[] = [];
  /** The last states, at least one; as many as steps and the start, at most. */
  #states: State[];
  #accepted?: Extract<Action, { kind: "accept" }>;
  /** The steps, which must not overlap. */
  readonly #jobs = new OneAtATime();

  private constructor(
    model: Model,
    options: SessionOptions,
    beginning: Beginning,
    first: State,
  ) {
    this.#model = model;
    this.#options = options;
    this.#beginning = beginning;
    this.#states = [first];
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
    const found = region === undefined ? !model.config.sam : region === "auto";
    const embedding = await encode(model, image, {
      region,
      spacing,
      points,
      box,
      mask,
    });
    const { doubt = embedding.looks.doubt, follow = found } = options;
    const known = { ...options, doubt, follow };
    const first = await begin(model, embedding, known);
    const beginning = {
      image,
      frame: embedding.frame,
      seen: embedding.identity.seen,
      points: first.preference.feedback.points,
    };
    return new Session(model, known, beginning, first);
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
    const refuse = (rule: string, found: unknown) =>
      new InputError(
        `Cannot replay the session as ${rule}: current value is ${found}`,
      );
    if (saved?.format !== "spa-session" || saved.version !== 2) {
      throw refuse(
        'its format must be "spa-session", version 2',
        `${saved?.format}, version ${saved?.version}`,
      );
    }
    const own = fingerprint(model);
    if (saved.model !== own) {
      throw refuse(
        "the model must have the weights it was saved with",
        `other weights, ${own} for ${saved.model}`,
      );
    }
    const { points, box, seed, actions, region, samples, variations } = saved;
    const { candidates, update, follow = false, doubt } = saved;
    const session = await Session.start(model, image, {
      ...options,
      points,
      box,
      region,
      samples,
      variations,
      candidates,
      update,
      follow,
      doubt,
      seed,
    });
    try {
      const { seen } = session.#beginning;
      if (seen !== saved.image) {
        throw refuse(
          "the image must be the one it was saved of",
          `another one, ${seen} for ${saved.image}`,
        );
      }
      for (const action of actions) await session.apply(action);
      if (saved.accepted) await session.apply(saved.accepted);
      if (digestOf(session.mask) !== saved.mask) {
        throw refuse(
          "it must end with the mask it was saved with",
          "another one. Profile and starting mask must be the same",
        );
      }
      return session;
    } catch (error) {
      session.dispose();
      throw error;
    }
  }

  get #last(): State {
    return this.#states[this.#states.length - 1];
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

  /**
   * The mask as it stands, at the image's own size, [H, W], 0 or 1: what was
   * accepted since the last step, else the recommendation.
   */
  get mask(): NdArray<Uint8Array> {
    const { kind: _, candidate, ...cleaning } = this.#accepted ?? {};
    return this.#maskOf(candidate, cleaning);
  }

  /** Number of choices so far; clicks and other draws do not count. */
  get iteration(): number {
    return this.preference.iteration;
  }

  /** Whether there is a step to take back: a choice, a click or another draw. */
  get canUndo(): boolean {
    return this.#steps.length > 0;
  }

  /** Whether there is an undone step to do again. */
  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  /**
   * What was done since the start, oldest first, and after it what was undone and
   * can be done again: `steps` to the number `done` are behind the proposal.
   */
  get history(): { readonly steps: readonly Action[]; readonly done: number } {
    return {
      steps: [...this.#steps, ...this.#undone],
      done: this.#steps.length,
    };
  }

  /** The user's profile, for the next image. */
  get profile(): Profile {
    return profileOf(this.preference);
  }

  /**
   * Does what a user did: any action.
   *
   * @param action "accept" is remembered for `toJSON`, "stop" does nothing; both
   * leave the proposal as it is.
   * @returns The proposal to be shown next.
   * @throws As the method of the action's own; TypeError when there is no such
   * kind.
   */
  async apply(action: Action): Promise<Proposal> {
    switch (action?.kind) {
      case "choose":
        return await this.choose(action.candidate);
      case "click":
        return await this.addPoint(action.point);
      case "again":
        return await this.proposeAgain();
      case "zoom":
        return await this.zoom(action.factor);
      case "look":
        return await this.lookAt(action.region);
      case "paint":
        return await this.paint(action);
      case "undo":
        return await this.undo();
      case "redo":
        return await this.redo();
      case "jump":
        return await this.jumpTo(action.step);
      case "accept": {
        const { kind: _, candidate, ...cleaning } = action;
        this.accept(candidate, cleaning);
        return this.proposal;
      }
      case "stop":
        return this.proposal;
      default:
        throw new InputTypeError(
          `Cannot apply the action as its kind must be one of choose, click, again, zoom, look, paint, undo, redo, jump, accept, stop: current value is ${
            showValue((action as { kind?: unknown } | undefined)?.kind)
          }`,
        );
    }
  }

  /**
   * Picks a candidate and makes the next proposal. The region follows the choice
   * where it was found by looking: see `SessionOptions.follow`.
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
      { kind: "choose", candidate },
      async ({ embedding, preference: before, drawn, follows }) => {
        const { update } = this.#options;
        const preference = await updatePreference(
          this.#model,
          embedding,
          before,
          { proposal: drawn, choice: candidate, ...update },
        );
        if (!follows) return { embedding, preference };
        const { probability } = drawn.candidates[candidate];
        return await followChoice(
          this.#model,
          embedding,
          preference,
          probability,
          update,
        );
      },
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
      { kind: "click", point },
      async ({ embedding, preference, drawn }) => ({
        embedding,
        preference: await addPoint(this.#model, embedding, preference, {
          point,
          proposal: drawn,
          ...this.#options.update,
        }),
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
      { kind: "again" },
      // deno-lint-ignore require-await -- as the other steps
      async ({ embedding, preference }) => ({ embedding, preference }),
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
      throw new InputError(
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
      { kind: "look", region: other.region },
      async (last) => {
        const { update } = this.#options;
        const there = other.region;
        return {
          ...await lookAt(this.#model, last, there, update),
          follows: false,
        };
      },
    );
  }

  /** Makes a step; steps that overlapped would not be a history. */
  async #advance(
    verb: string,
    step: Step,
    update: (last: State) => Promise<Look & { follows?: boolean }>,
    redraws = 0,
  ): Promise<Proposal> {
    return await this.#jobs.run(verb, async () => {
      const { embedding: before, strokes, follows: followed } = this.#last;
      const { preference, embedding, follows = followed } = await update(
        this.#last,
      );
      let drawn: Proposal;
      try {
        drawn = await propose(
          this.#model,
          embedding,
          preference,
          this.#options,
          redraws,
        );
      } catch (error) {
        if (embedding !== before) embedding.dispose();
        throw error;
      }
      const proposal = paintProposal(drawn, strokes);
      const shown = { drawn, proposal, strokes };
      this.#push(step, { embedding, preference, ...shown, redraws, follows });
      return proposal;
    });
  }

  /** A step is done: what had been undone is no more. */
  #push(step: Step, state: State): void {
    this.#steps.push(step);
    this.#undone = [];
    this.#keep([...this.#states, state]);
  }

  /**
   * Sets the last pixels by hand: in every mask that is shown from then on, those
   * under a brush's stroke are inside and those under an eraser's outside. The
   * network does not learn of it.
   *
   * @param stroke Label, radius and path.
   * @returns The proposal with the stroke on it.
   * @throws {RangeError} When the stroke is none, or leaves the image.
   * @throws {TypeError} As `choose`.
   */
  async paint({ label, radius, path }: Stroke): Promise<Proposal> {
    // deno-lint-ignore require-await -- one thing at a time, as the others
    return await this.#jobs.run("paint", async () => {
      const { height, width } = this.#last.embedding.frame;
      const stroke = {
        label,
        radius,
        path: path?.map(({ x, y }) => ({ x, y })),
      };
      checkStroke(stroke, height, width);
      const { drawn, strokes, ...same } = this.#last;
      const all = [...strokes, stroke];
      const proposal = paintProposal(drawn, all);
      const step = { kind: "paint", ...stroke } as const;
      this.#push(step, { ...same, drawn, proposal, strokes: all });
      return proposal;
    });
  }

  /** Keeps the last of some states, and of the others nothing. */
  #keep(states: State[]): void {
    const kept = states.slice(-KEPT_STATES);
    const used = new Set(kept.map(({ embedding }) => embedding));
    for (const { embedding } of [...this.#states, ...states]) {
      if (!used.has(embedding)) embedding.dispose();
    }
    this.#states = kept;
    this.#accepted = undefined;
  }

  /**
   * Goes back one step, whether a choice, a click, another draw or another region.
   * The last two states are kept as they were; older ones are made again from the
   * actions, with the same numbers, which takes as long as the actions did.
   *
   * @returns The proposal before.
   * @throws {RangeError} When there is nothing to undo.
   * @throws {TypeError} As `choose`.
   */
  async undo(): Promise<Proposal> {
    return await this.#goBack("undo", () => {
      if (!this.canUndo) {
        throw new InputError(
          "Cannot undo as there must be a step after the start: current value is 0",
        );
      }
      return this.#steps.length - 1;
    });
  }

  /**
   * Does again what was undone last. Any other step ends what can be done again.
   *
   * @returns The proposal after it, with the same numbers.
   * @throws {RangeError} When nothing was undone.
   * @throws {TypeError} As `choose`.
   */
  async redo(): Promise<Proposal> {
    const [step, ...rest] = this.#undone;
    if (!step) {
      throw new InputError(
        "Cannot redo as there must be an undone step: current value is 0",
      );
    }
    const proposal = await this.apply(step);
    this.#undone = rest;
    return proposal;
  }

  /**
   * Goes to a state of the history: back as `undo`, forth as `redo`.
   *
   * @param step After how many steps, 0 the start .. `history.steps.length`.
   * @returns The proposal there.
   * @throws {RangeError} When the history has no such state.
   * @throws {TypeError} As `choose`.
   */
  async jumpTo(step: number): Promise<Proposal> {
    const { steps, done } = this.history;
    if (!(Number.isInteger(step) && step >= 0 && step <= steps.length)) {
      throw new InputError(
        `Cannot jump as the step must be one of the history, 0..${steps.length}: current value is ${step}`,
      );
    }
    if (step <= done) return await this.#goBack("jump", () => step);
    while (this.#steps.length < step) await this.redo();
    return this.proposal;
  }

  /** Goes back to the state after so many steps. */
  async #goBack(verb: string, find: () => number): Promise<Proposal> {
    return await this.#jobs.run(verb, async () => {
      const position = find();
      const back = this.#steps.length - position;
      if (back === 0) return this.proposal;
      this.#keep(
        back < this.#states.length
          ? this.#states.slice(0, -back)
          : await this.#remake(this.#steps.slice(0, position)),
      );
      this.#undone = [...this.#steps.splice(position), ...this.#undone];
      return this.proposal;
    });
  }

  /** The last states after some steps from the start. */
  async #remake(steps: readonly Step[]): Promise<State[]> {
    const { image, frame, points } = this.#beginning;
    const model = this.#model;
    const embedding = await encodeRegion(model, image, frame);
    const options = { ...this.#options, points };
    const first = await begin(model, embedding, options);
    const other = new Session(model, options, this.#beginning, first);
    try {
      for (const step of steps) await other.apply(step);
      return other.#states;
    } catch (error) {
      other.dispose();
      throw error;
    }
  }

  /**
   * Accepts a mask as it is shown, or with small repairs. What was accepted last is
   * `mask`, and part of `toJSON`, until the next step.
   *
   * @param candidate Index of a candidate, from 0; by default the recommendation.
   * @param cleaning Small repairs; by default none.
   * @returns The mask at the image's own size, [H, W], 0 or 1.
   * @throws {RangeError} When there is no such candidate, or as `cleanMask`.
   */
  accept(
    candidate?: number,
    cleaning: MaskCleaning = {},
  ): NdArray<Uint8Array> {
    const { largestComponent, fillHoles, minimumSize } = cleaning;
    const repairs = {
      ...(largestComponent && { largestComponent }),
      ...(fillHoles && { fillHoles }),
      ...(minimumSize && { minimumSize }),
    };
    const mask = this.#maskOf(candidate, repairs);
    this.#accepted = {
      kind: "accept",
      ...(candidate !== undefined && { candidate }),
      ...repairs,
    };
    return mask;
  }

  /** The mask of a candidate, or of the recommendation, with repairs. */
  #maskOf(
    candidate: number | undefined,
    repairs: MaskCleaning,
  ): NdArray<Uint8Array> {
    const { candidates, recommended } = this.proposal;
    const shown = candidate === undefined ? recommended : candidates[candidate];
    if (!shown) {
      throw new InputError(
        `Cannot accept as the candidate must be one of those shown, 0..${
          candidates.length - 1
        }: current value is ${candidate}`,
      );
    }
    return Object.keys(repairs).length > 0
      ? cleanMask(shown.mask, repairs)
      : shown.mask;
  }

  /** What the user did. `replay` runs the session again from it. */
  toJSON(): SessionJSON {
    const { frame, seen, points } = this.#beginning;
    const { samples = 48, candidates = 4, update = {} } = this.#options;
    const { box, doubt } = this.#options;
    return {
      format: "spa-session",
      version: 2,
      model: fingerprint(this.#model),
      image: seen,
      region: frame.region,
      samples,
      variations: this.#options.variations ?? samples,
      candidates,
      update,
      ...(this.#options.follow && { follow: true as const }),
      ...(this.#accepted && { accepted: this.#accepted }),
      mask: digestOf(this.mask),
      points,
      ...(box && { box }),
      ...(doubt && { doubt }),
      seed: this.#options.seed ?? 0,
      actions: [...this.#steps],
    };
  }

  /** Gives back the embeddings' memory: no step can follow. */
  dispose(): void {
    this.#jobs.end();
    for (const { embedding } of this.#states) embedding.dispose();
  }

  /** See `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

displayable("session", Session.prototype);
