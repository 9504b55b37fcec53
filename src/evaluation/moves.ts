/**
 * The proposals that a simulated user sees, and the moves that answer them: a
 * pick or a click.
 */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Model } from "../model/model.ts";
import type { Random } from "../random.ts";
import {
  addPoint,
  type UpdateOptions,
  updatePreference,
} from "../spa/update_preference.ts";
import { cluster, type Proposal } from "../spa/cluster.ts";
import { decode } from "../spa/decode.ts";
import type { ImageEmbedding } from "../spa/embedding.ts";
import type { Action } from "../spa/feedback.ts";
import { followChoice, lookAt } from "../spa/follow_choice.ts";
import { isInRegion, regionWith } from "../spa/frame.ts";
import type { Preference } from "../spa/preference.ts";
import { sampleGMM } from "../spa/sample_gmm.ts";
import { errorClick, type SimulatedUser } from "../spa/simulated_user.ts";

/** The moves of a simulated user. */
export type Interaction = "pick" | "click" | "mixed";

/** How proposals are made; see `EvaluateOptions`. */
interface ShowOptions {
  readonly samples?: number;
  readonly variations?: number;
  readonly candidates?: number;
  readonly mixtureOnly?: boolean;
}

/** How moves update the preference; see `EvaluateOptions`. */
interface MoveOptions extends ShowOptions {
  readonly update?: UpdateOptions;
}

/** A user's place in a session. */
export interface State {
  readonly embedding: ImageEmbedding;
  readonly preference: Preference;
  /** Whether the region follows the next pick. */
  readonly follow: boolean;
}

/** The proposal that the user sees. */
export interface Shown extends State {
  readonly proposal: Proposal;
  readonly milliseconds: number;
}

/** A move of a simulated user. */
export type Move = Extract<Action, { readonly kind: "choose" | "click" }>;

/** Makes the proposal of a state. */
export async function show(
  model: Model,
  { embedding, preference, follow }: State,
  [drawn, grouped]: readonly number[],
  options: ShowOptions,
): Promise<Shown> {
  const { samples = 48, candidates = 4, variations } = options;
  const start = performance.now();
  const latents = sampleGMM(preference.distribution, { samples, seed: drawn });
  const predictions = await decode(
    model,
    embedding,
    options.mixtureOnly ? mixtureAlone(preference) : preference,
    { latents, variations },
  );
  const proposal = cluster(predictions, { candidates, seed: grouped });
  const milliseconds = performance.now() - start;
  return { embedding, preference, follow, proposal, milliseconds };
}

/** The moves that a user tries; none where the recommendation has no error. */
export function movesOf(
  { proposal }: Shown,
  target: NdArray<Uint8Array>,
  user: SimulatedUser,
  random: Random,
  interaction: Interaction,
): Move[] {
  const moves: Move[] = [];
  if (interaction !== "click") {
    moves.push({ kind: "choose", candidate: user(proposal, random) });
  }
  if (interaction !== "pick") {
    const point = errorClick(proposal.recommended.mask, target);
    if (point) moves.push({ kind: "click", point });
  }
  return moves;
}

/**
 * Makes a move. A click beside the region widens it first, as in a session, and
 * corrects what the wider one shows.
 */
export async function advance(
  model: Model,
  { embedding, preference, follow, proposal }: Shown,
  move: Move,
  options: MoveOptions,
): Promise<State & { milliseconds: number }> {
  const { update, mixtureOnly } = options;
  const start = performance.now();
  if (move.kind === "choose") {
    preference = await updatePreference(model, embedding, preference, {
      proposal: mixtureOnly ? freshAlone(proposal) : proposal,
      choice: move.candidate,
      ...update,
    });
    if (follow) {
      const { probability } = proposal.candidates[move.candidate];
      ({ embedding, preference } = await followChoice(
        model,
        embedding,
        preference,
        probability,
        update,
      ));
    }
  } else {
    const { point } = move;
    if (!isInRegion(embedding.frame, point)) {
      const region = regionWith(embedding.region, point);
      const look = { embedding, preference };
      ({ embedding, preference } = await lookAt(
        model,
        look,
        region,
        update,
      ));
      follow = false;
      const wider = { embedding, preference, follow };
      ({ proposal } = await show(model, wider, [0, 0], options));
    }
    preference = await addPoint(model, embedding, preference, {
      point,
      proposal,
      ...update,
    });
  }
  const milliseconds = performance.now() - start;
  return { embedding, preference, follow, milliseconds };
}

/** The preference with its choices removed; only the mixture remains. */
function mixtureAlone(
  { kept: _, around: __, ...preference }: Preference,
): Preference {
  return { ...preference, feedback: { ...preference.feedback, choices: [] } };
}

/** A proposal with its fresh samples only; the others are no evidence. */
function freshAlone(proposal: Proposal): Proposal {
  const { candidates, predictions } = proposal;
  const { components } = predictions.latents;
  const N = components.length;
  const [, side] = predictions.probabilities.shape;
  const maps = predictions.probabilities.data.subarray(0, N * side * side);
  return {
    ...proposal,
    candidates: candidates.map((candidate) => ({
      ...candidate,
      members: candidate.members.filter((i) => i < N),
    })),
    predictions: {
      ...predictions,
      components,
      probabilities: ndarray(maps as Float32Array, [N, side, side]),
    },
  };
}
