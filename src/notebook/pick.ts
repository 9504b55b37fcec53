// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { cleanMask } from "../arrays/clean_mask.ts";
import {
  candidatesFigure,
  type CandidatesFigureOptions,
} from "../figures/candidates_figure.ts";
import { isWhole } from "../figures/panel.ts";
import { createRandom, type Random } from "../random.ts";
import type { Proposal } from "../spa/cluster.ts";
import type { Action, Point } from "../spa/feedback.ts";
import { type Box, squareAround } from "../spa/frame.ts";
import { type Answer, ask, type Asked, ownHost, type PickHost } from "./ask.ts";
import { pickPanel } from "./pick_panel.ts";
import type { OtherObject } from "./pick_pictures.ts";
import {
  type Accepted,
  type Choices,
  describePicked,
  type Offered,
  type Picked,
  type PickHistory,
  ZOOM,
} from "./picked.ts";
import { type PanelVolume, sliceViews } from "./slice_views.ts";
import { InputError, InputTypeError } from "../input_error.ts";

/**
 * A rule that answers in a user's place: the index of a candidate, or any other
 * action. Every simulated user is one.
 */
export type PickRule<P extends Picked = Action> = (
  proposal: Proposal,
  random: Random,
) => number | P | Promise<number | P>;

/** How {@linkcode pick} asks, whatever it shows. */
export interface AskOptions {
  /**
   * Who is asked first: "browser" (the default in a notebook), "prompt" (the
   * default elsewhere) or "auto". Whoever does not answer passes it on, in this
   * order. In a terminal, "browser" prints the address of the panel's page.
   */
  readonly by?: Asked;
  /**
   * Seconds in which a browser must show the panel and reach the kernel; default
   * 10. Once the panel is seen, a notebook's question stays open until it is
   * answered or interrupted; a page that is loaded anew shows it again where the
   * notebook was saved meanwhile. Where the browser cannot reach the kernel, which may
   * run on another machine, a prompt opens, and the panel's script types there
   * what is clicked; a prompt without a line for two minutes gives way to a new
   * panel.
   */
  readonly patience?: number;
  /**
   * What a random rule draws from. Default: a stream of the proposal's
   * own seed, or, for a first click, of the image's size and the title.
   */
  readonly random?: Random;
  /** Stops the wait: the pick rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What {@linkcode pick} shows and offers. */
export interface PickOptions extends AskOptions {
  /**
   * The image, [H, W, 1 or 3], values 0..1. Default: the one that the
   * proposal was made from.
   */
  readonly image?: NdArray<Float32Array>;
  /** The clicks so far, which default to none. */
  readonly points?: readonly Point[];
  /** A reference mask, [H, W]: Dice with it is shown; none by default. */
  readonly truth?: NdArray<Uint8Array>;
  /** The first line. Default: a question. */
  readonly title?: string;
  /** Whether there is a step to undo. Default: true. */
  readonly undo?: boolean;
  /**
   * Whether a closer and a wider look of the network are offered, where the
   * proposal knows its region. Default: false, as only a session can zoom.
   */
  readonly zoom?: boolean;
  /** The box around the object, if one was given. */
  readonly box?: Box;
  /** Answers where nobody else does; without it that is an error. */
  readonly auto?: PickRule;
}

const QUESTION = "Which is nearest to what you want?";
const QUESTION_OF_CLICKS =
  "Is this what you want? If not, click where it is wrong.";

/**
 * Shows a proposal and waits for the user: a click on a candidate, on the
 * recommendation's button, on undo or none of these, or on the image itself.
 * In a notebook the panel stands in the cell's output and then becomes a still
 * picture, which is saved with the notebook. Interrupting the cell rejects the
 * pick, at any time, and the kernel lives.
 *
 * @param proposal What the user picks from.
 * @param options What is shown besides, and who is asked.
 * @returns What the user did, told apart by `kind`.
 * @throws {DOMException} "AbortError" when the wait is interrupted.
 * @throws {Error} When nobody answers and there is no rule, or a notebook's
 * cell is run again.
 * @throws {RangeError} When the image or the reference is not of the proposal's
 * size, or the rule gives what is not offered.
 * @throws {TypeError} When neither the proposal nor the options have an image.
 *
 * @example Pick, then adapt
 * ```ts ignore
 * const action = await pick(proposal);
 * if (action.kind === "choose") {
 *   preference = await updatePreference(model, embedding, preference, {
 *     proposal,
 *     choice: action.candidate,
 *   });
 * }
 * ```
 */
export async function pick(
  proposal: Proposal,
  options: PickOptions = {},
): Promise<Action> {
  const { picked } = await pickAt(ownHost(), proposal, options);
  return picked as Action; // nothing else is offered
}

/**
 * With what a user changes a mask: "all" the panel has; "picks" of candidates and
 * clicks, no brush; "clicks" alone, no candidates.
 */
export type Offer = "all" | "picks" | "clicks";

/** What else a program that picks of many images says. */
export interface About {
  /** Which one it is, before every title: "case1 (2 of 8)"; none by default. */
  readonly about?: string;
  /** Why it is asked again; by default it is asked for the first time. */
  readonly excuse?: string;
  /** The recommendation before, to compare with; none by default. */
  readonly before?: NdArray<Uint8Array>;
  /** The session's steps, to go back and forth in, and to paint; none by default. */
  readonly history?: PickHistory;
  /** The volume of which the image is a slice; none by default. */
  readonly volume?: PanelVolume;
  /** Objects that were done before; none by default. */
  readonly others?: readonly OtherObject[];
  /** What is offered besides; nothing by default. */
  readonly offers?: readonly Offered[];
  /** With what a mask is changed. Default: "all". */
  readonly offer?: Offer;
}

/**
 * As {@linkcode pick}, with what surrounds it as an argument; says as well who
 * answered, and in how long.
 */
export async function pickAt(
  host: PickHost,
  made: Proposal,
  {
    points = [],
    box,
    truth,
    offer = "all",
    title = offer === "clicks" ? QUESTION_OF_CLICKS : QUESTION,
    undo = true,
    zoom = false,
    about,
    excuse,
    before,
    history,
    volume,
    others,
    offers = [],
    ...options
  }:
    & Omit<PickOptions, "auto">
    & About
    & { readonly auto?: PickRule<Picked> },
): Promise<Answer<Picked>> {
  const proposal = offer === "clicks" ? { ...made, candidates: [] } : made;
  const { candidates, notice } = proposal;
  const image = imageOf(proposal, options.image);
  if (truth) checkSize("reference", truth, proposal);
  const choices = choicesOf(image, candidates.length, [
    "accept",
    ...(offer === "clicks" ? [] : ["none"] as const),
    "outside",
    ...(undo ? ["undo"] as const : []),
    ...(zoom ? looksOf(proposal.region, image, points) : []),
    ...(offer === "all" && (history || volume) ? ["paint"] as const : []),
    ...redoIn(history),
    ...offers,
  ], { steps: history?.steps.length, slices: volume?.areas.length });
  const line = entitled(about, title);
  const shown = { image, proposal, points, box, truth, title: line };
  const { auto, random, ...asked } = options;
  return await ask({
    ...asked,
    title: [excuse, line, notice?.text].filter(Boolean).join(" "),
    choices,
    panel: () =>
      pickPanel({
        ...{ ...shown, choices, excuse, before, history, volume, others },
      }),
    views: volume && sliceViews(volume),
    still: (answer) =>
      candidatesFigure({ ...shown, ...marksOf(answer, shown, about) }),
    auto: auto && (async () => {
      const { seed } = proposal.predictions.latents;
      const given = await auto(proposal, random ?? createRandom(seed));
      return typeof given === "number"
        ? { kind: "choose", candidate: given } as const
        : given;
    }),
  }, host);
}

/** Whether a step can be done again. */
export function redoIn(history: PickHistory | undefined): "redo"[] {
  return history && history.done < history.steps.length ? ["redo"] : [];
}

/** How the still picture differs by what was picked. */
function marksOf(
  answer: Answer<Picked> | "nothing" | undefined,
  { proposal, points }: {
    readonly proposal: Proposal;
    readonly points: readonly Point[];
  },
  about?: string,
): Partial<CandidatesFigureOptions> {
  if (!answer) return {};
  if (answer === "nothing") {
    return { title: entitled(about, "Nothing was picked") };
  }
  const { picked, by } = answer;
  const words = describePicked(picked) + (by === "auto" ? ", by a rule" : "");
  const title = entitled(about, words);
  switch (picked.kind) {
    case "choose":
      return { title, chosen: picked.candidate };
    case "accept":
      return {
        title,
        chosen: picked.candidate ?? "accept",
        accepted: true,
        proposal: repaired(proposal, picked),
      };
    case "click":
      return { title, points: [...points, picked.point] };
    default:
      return { title };
  }
}

/** The proposal with the accepted mask as it is saved. */
function repaired(
  proposal: Proposal,
  { candidate, ...cleaning }: Accepted,
): CandidatesFigureOptions["proposal"] {
  const { largestComponent, minimumSize, fillHoles } = cleaning;
  if (!largestComponent && !minimumSize && !fillHoles) return proposal;
  const { recommended, candidates, region, notice } = proposal;
  const clean = <T extends { readonly mask: NdArray<Uint8Array> }>(
    shown: T,
  ): T => ({ ...shown, mask: cleanMask(shown.mask, cleaning) });
  return {
    region,
    notice,
    recommended: candidate === undefined ? clean(recommended) : recommended,
    candidates: candidates.map((one, k) => k === candidate ? clean(one) : one),
  };
}

/** The looks that a session can take: a click inside stays in the region. */
function looksOf(
  region: Box | undefined,
  image: NdArray,
  points: readonly Point[],
): ("closer" | "wider" | "box")[] {
  if (!region) return [];
  const { left, top, right, bottom } = region;
  const half = (right - left) / 2 / ZOOM;
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const within = points.every((point) =>
    point.label === 0 ||
    Math.max(Math.abs(point.x - x), Math.abs(point.y - y)) < half
  );
  return [
    ...(within && half > LEAST ? ["closer"] as const : []),
    ...(isWhole(region, image) ? [] : ["wider"] as const),
    "box",
  ];
}

/** Half the side of the smallest region that is looked at closer, in pixels. */
const LEAST = 3;

/** Whether the square around a box holds all positive clicks. */
export function holds(region: Box, points: readonly Point[]): boolean {
  const { left, top, right, bottom } = squareAround(region);
  return points.every(({ x, y, label }) =>
    label === 0 || x > left && x < right && y > top && y < bottom
  );
}

/** What picks of any kind are made of. */

/** A title, of what it is first. */
export function entitled(about: string | undefined, title: string): string {
  return about === undefined ? title : `${about}: ${title}`;
}

/** The image that was given, else the proposal's own. */
export function imageOf(
  proposal: Proposal,
  given?: NdArray<Float32Array>,
): NdArray<Float32Array> {
  const image = given ?? proposal.predictions?.image;
  if (!image) {
    throw new InputTypeError(
      "Cannot pick as the image must be known by the proposal or given as `image`: " +
        `current value is ${given}`,
    );
  }
  checkSize("image", image, proposal);
  return image;
}

/** Refuses what is not of the proposal's size. */
export function checkSize(
  name: string,
  { shape }: NdArray,
  { recommended }: Proposal,
): void {
  const [height, width] = recommended.mask.shape;
  if (shape[0] === height && shape[1] === width) return;
  throw new InputError(
    `Cannot pick as the ${name} must be of the proposal's size, ` +
      `[${height},${width}]: current value is [${shape.slice(0, 2)}]`,
  );
}

/** What can be picked of an image and so many candidates. */
export function choicesOf(
  { shape: [height, width] }: NdArray,
  candidates: number,
  offered: readonly Offered[],
  counts: Pick<Choices, "steps" | "slices"> = {},
): Choices {
  return { candidates, width, height, offered: new Set(offered), ...counts };
}
