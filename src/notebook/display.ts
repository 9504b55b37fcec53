/**
 * How this module's values show themselves: as the last expression of a
 * notebook's cell, and on a console. Importing it registers them all.
 *
 * @module
 */

// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import type { Dataset } from "../datasets/dataset.ts";
import { registerDisplay } from "../displayable.ts";
import type { TargetResult } from "../evaluation/evaluate.ts";
import { Model } from "../model/model.ts";
import type { Candidate, Proposal } from "../spa/cluster.ts";
import type { Point } from "../spa/feedback.ts";
import { Session } from "../spa/session.ts";
import { candidateFigure } from "../figures/candidate_figure.ts";
import { candidatesFigure } from "../figures/candidates_figure.ts";
import { datasetFigure } from "../figures/dataset_figure.ts";
import {
  describeCandidate,
  describeDataset,
  describeEvaluation,
  describeModel,
  describeProposal,
  describeSession,
} from "../figures/describe.ts";
import { evaluationFigure } from "../figures/evaluation_figure.ts";
import { Figure } from "../figures/figure.ts";
import {
  type Bundle,
  displayBundle,
  guardOutputs,
  inKernel,
} from "./kernel.ts";
import { modelFigure } from "../figures/model_figure.ts";

/** What can be shown. */
export type Showable =
  | Figure
  | Session
  | Proposal
  | Candidate
  | Model
  | Dataset
  | readonly TargetResult[];

/** What a figure of a value says besides the value. */
export interface ShowOptions {
  /**
   * The image of a proposal or candidate, [H, W, 1 or 3], values 0..1; by
   * default the one it was made from.
   */
  image?: NdArray<Float32Array>;
  /** The clicks on a proposal's image; a session knows its own. */
  points?: readonly Point[];
  /** A reference mask for a session or proposal, [H, W]. */
  truth?: NdArray<Uint8Array>;
  /** What the user picked of a proposal. */
  chosen?: number | "accept";
  /** One line above; each kind of value has its own by default. */
  title?: string;
}

/**
 * The figure of a value: of a session or proposal the recommendation and its
 * candidates, of a candidate its changes, of a model its parts, of a dataset
 * some cases, of the results of `evaluate` Dice by iteration.
 *
 * @param value What is drawn; a figure comes back as it is.
 * @param options What the figure says besides.
 * @returns A figure for a notebook or a file.
 * @throws {RangeError} When a mask is of another size than the image, or there
 * are no results.
 *
 * @example A dataset as a picture
 * ```ts
 * import { figureOf } from "@spa-seg/spa";
 * import { openDataset } from "@spa-seg/spa/datasets";
 *
 * const figure = figureOf(await openDataset("data/phantoms"));
 * const png = await figure.toPNG(); // the bytes, for Deno.writeFile
 * ```
 */
export function figureOf(value: Showable, options: ShowOptions = {}): Figure {
  const { title } = options;
  if (value instanceof Figure) return value;
  if (value instanceof Session) return sessionFigure(value, options);
  if (value instanceof Model) return modelFigure(value);
  if ("cases" in value) return datasetFigure(value, { title });
  if ("candidates" in value) {
    const image = options.image ?? value.predictions.image ??
      blank(value.recommended.mask);
    return candidatesFigure({ ...options, image, proposal: value });
  }
  if ("added" in value) {
    const image = options.image ?? value.image ?? blank(value.mask);
    return candidateFigure({ image, candidate: value, title });
  }
  return evaluationFigure(value, { title });
}

/** One or a few lines about a value. */
function describe(value: Showable): string {
  if (value instanceof Figure) return value.toString();
  if (value instanceof Session) return describeSession(value);
  if (value instanceof Model) return describeModel(value);
  if ("cases" in value) return describeDataset(value);
  if ("candidates" in value) return describeProposal(value);
  return "added" in value
    ? describeCandidate(value)
    : describeEvaluation(value);
}

/** The forms of a value for a notebook. */
async function bundleOf(
  value: Showable,
  options?: ShowOptions,
): Promise<Bundle> {
  const nothing = Array.isArray(value) && value.length === 0;
  const figure = nothing ? undefined : figureOf(value, options);
  return { ...await figure?.toBundle(), "text/plain": describe(value) };
}

/**
 * Shows a value now, anywhere in a cell; outside a notebook prints a few lines
 * about it.
 *
 * @throws In a notebook, as {@linkcode figureOf}.
 *
 * @example In the middle of a cell
 * ```ts ignore
 * await show(proposal, { truth });
 * ```
 */
export async function show(
  value: Showable,
  options: ShowOptions = {},
): Promise<void> {
  if (inKernel()) await displayBundle(bundleOf(value, options));
  else console.log(describe(value));
}

function sessionFigure(session: Session, options: ShowOptions): Figure {
  const { iteration, preference, proposal } = session;
  return figureOf(proposal, {
    title: `Proposal ${iteration + 1}`,
    points: preference.feedback.points,
    ...options,
  });
}

/** What stands for an image that is not known. */
function blank({ shape }: NdArray<Uint8Array>): NdArray<Float32Array> {
  const [height, width] = shape;
  const grey = new Float32Array(height * width).fill(0.25);
  return ndarray(grey, [height, width, 1]);
}

for (
  const kind of [
    "session",
    "proposal",
    "candidate",
    "model",
    "dataset",
    "evaluation",
  ] as const
) {
  registerDisplay<Showable>(kind, {
    describe,
    display: (value) => bundleOf(value),
  });
}
guardOutputs();
