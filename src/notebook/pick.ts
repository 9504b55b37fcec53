// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { createRandom, type Random } from "../random.ts";
import type { Proposal } from "../spa/cluster.ts";
import type { Point } from "../spa/feedback.ts";
import { type Answer, ask, type Asked } from "./ask.ts";
import {
  candidatesFigure,
  type CandidatesFigureOptions,
} from "../figures/candidates_figure.ts";
import { ownHost, type PickHost } from "./pick_host.ts";
import { pickPanel } from "./pick_panel.ts";
import { describePicked, type Picked } from "./picked.ts";
import { checkSize, choicesOf, entitled, imageOf } from "./pick_parts.ts";

/**
 * A rule that answers in a user's place: the index of a candidate, or any other
 * pick. Every simulated user is one.
 */
export type PickRule = (
  proposal: Proposal,
  random: Random,
) => number | Picked | Promise<number | Picked>;

/** How {@linkcode pick} asks, whatever it shows. */
export interface AskOptions {
  /**
   * Who is asked first: "browser" (the default in a notebook, until a panel is
   * shown by none), "prompt" (the default elsewhere) or "auto". Whoever does not
   * answer passes it on, in this order. In a terminal, "browser" prints the
   * address of the panel's page.
   */
  readonly by?: Asked;
  /**
   * Seconds in which a browser must show the panel, which default to 10. Once it
   * is seen, the wait lasts as long as it is open, and so many seconds more: a
   * notebook's page that is loaded anew, or a cell that is run again, has lost
   * it, and the pick rejects. A kernel on another machine is not reached by
   * clicks, and a notebook that runs without a browser has none.
   */
  readonly patience?: number;
  /**
   * What a random rule draws from, which defaults to a stream of the proposal's
   * own seed, or, for a first click, of the image's size and the title.
   */
  readonly random?: Random;
  /** Stops the wait: the pick rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What {@linkcode pick} shows and offers. */
export interface PickOptions extends AskOptions {
  /**
   * The image, [H, W, 1 or 3], values 0..1, which defaults to the one that the
   * proposal was made from.
   */
  readonly image?: NdArray<Float32Array>;
  /** The clicks so far, which default to none. */
  readonly points?: readonly Point[];
  /** A reference mask, [H, W]: Dice with it is shown; none by default. */
  readonly truth?: NdArray<Uint8Array>;
  /** The first line, which defaults to a question. */
  readonly title?: string;
  /** Whether there is a step to undo, which defaults to true. */
  readonly undo?: boolean;
  /** Answers where nobody else does; without it that is an error. */
  readonly auto?: PickRule;
}

const QUESTION = "Which is nearest to what you want?";

/**
 * Shows a proposal and waits for the user: a click on a candidate, on the
 * recommendation's button, on undo or none of these, or on the image itself.
 * In a notebook the panel stands in the cell's output and then becomes a still
 * picture, which is saved with the notebook. Interrupting the cell rejects the
 * pick, and the kernel lives; at a prompt the interrupt waits for the next line.
 *
 * @param proposal What the user picks from.
 * @param options What is shown besides, and who is asked.
 * @returns What the user did, told apart by `kind`.
 * @throws {DOMException} "AbortError" when the wait is interrupted.
 * @throws {Error} When nobody answers and there is no rule, or a notebook's
 * panel is closed.
 * @throws {RangeError} When the image or the reference is not of the proposal's
 * size, or the rule gives what is not offered.
 * @throws {TypeError} When neither the proposal nor the options have an image.
 *
 * @example Pick, then adapt
 * ```ts ignore
 * const picked = await pick(proposal);
 * if (picked.kind === "candidate") {
 *   preference = await updatePreference(
 *     model, embedding, preference, proposal, picked.index,
 *   );
 * }
 * ```
 */
export async function pick(
  proposal: Proposal,
  options: PickOptions = {},
): Promise<Picked> {
  return (await pickAt(ownHost(), proposal, options)).picked;
}

/** What else a program that picks of many images says. */
export interface About {
  /** Which one it is, before every title: "case1 (2 of 8)"; none by default. */
  readonly about?: string;
}

/**
 * As {@linkcode pick}, with what surrounds it as an argument; says as well who
 * answered, and in how long.
 */
export async function pickAt(
  host: PickHost,
  proposal: Proposal,
  { points = [], truth, title = QUESTION, undo = true, about, ...options }:
    & PickOptions
    & About,
): Promise<Answer> {
  const { candidates } = proposal;
  const image = imageOf(proposal, options.image);
  if (truth) checkSize("reference", truth, proposal);
  const choices = choicesOf(image, candidates.length, [
    "accept",
    "none",
    "outside",
    ...(undo ? ["undo"] as const : []),
  ]);
  const line = entitled(about, title);
  const shown = { image, proposal, points, truth, title: line };
  const { auto, random, ...asked } = options;
  return await ask({
    ...asked,
    title: line,
    choices,
    panel: () => pickPanel({ ...shown, choices }),
    still: (answer) =>
      candidatesFigure({ ...shown, ...marksOf(answer, points, about) }),
    auto: auto && (async () => {
      const { seed } = proposal.predictions.latents;
      const given = await auto(proposal, random ?? createRandom(seed));
      return typeof given === "number"
        ? { kind: "candidate", index: given } as const
        : given;
    }),
  }, host);
}

/** How the still picture differs by what was picked. */
function marksOf(
  answer: Answer | "nothing" | undefined,
  points: readonly Point[],
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
    case "candidate":
      return { title, chosen: picked.index };
    case "accept":
      return { title, chosen: "accept" };
    case "point":
      return { title, points: [...points, picked] };
    default:
      return { title };
  }
}
