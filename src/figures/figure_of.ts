// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import type { Dataset } from "../datasets/dataset.ts";
import type { TargetResult } from "../evaluation/evaluate.ts";
import { Model } from "../model/model.ts";
import type { Candidate, Proposal } from "../spa/cluster.ts";
import type { Point } from "../spa/feedback.ts";
import { Session } from "../spa/session.ts";
import { contiguous } from "../arrays/contiguous.ts";
import { type Volume, volumeImage } from "../formats/volume.ts";
import type { Preference } from "../spa/preference.ts";
import { imageFigure, maskFigure } from "./image_figure.ts";
import { mixtureFigure } from "./mixture_figure.ts";
import { candidateFigure, candidatesFigure } from "./candidates_figure.ts";
import { datasetFigure } from "./dataset_figure.ts";
import {
  describeArray,
  describeCandidate,
  describeDataset,
  describeEvaluation,
  describeModel,
  describePreference,
  describeProposal,
  describeSession,
  describeVolume,
} from "./describe.ts";
import { evaluationFigure } from "./evaluation_figures.ts";
import { Figure } from "./figure.ts";
import { modelFigure } from "./model_figure.ts";
import { VolumeSession } from "../volumes/volume_session.ts";
import {
  describeVolumeSession,
  volumeFigure,
  volumeSessionFigure,
} from "./volume_figure.ts";

/** What can be shown. */
export type Showable =
  | Figure
  | Session
  | VolumeSession
  | Proposal
  | Candidate
  | Model
  | Dataset
  | Preference
  | Volume
  | NdArray<Float32Array>
  | NdArray<Uint8Array>
  | readonly TargetResult[];

/** Options of the figure of a value. */
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
  /** The user's pick of a proposal. */
  chosen?: number | "accept";
  /** One line above; each kind of value has its own by default. */
  title?: string;
}

/**
 * The figure of a value: of a session or proposal the recommendation and its
 * candidates, of a candidate its changes, of a model its parts, of a dataset
 * some cases, of the results of `evaluate` Dice by iteration, of a preference its
 * mixture, of a volume three planes, of a session with a volume its mask in them
 * and the area per slice; an image or a mask as it is.
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
  if (value instanceof VolumeSession) {
    return volumeSessionFigure(value, { title });
  }
  if (value instanceof Model) return modelFigure(value);
  if (isArray(value)) return arrayFigure(value, options);
  if ("layout" in value) {
    if (value.values.shape[0] > 1) {
      return volumeFigure({ volume: value, title });
    }
    const channels = value.color ? undefined : [0];
    const image = volumeImage(value, { channels });
    return imageFigure({ image, title: title ?? describe(value) });
  }
  if ("distribution" in value) {
    return mixtureFigure(value.distribution, undefined, {
      title: title ?? describe(value),
    });
  }
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
export function describe(value: Showable): string {
  if (value instanceof Figure) return value.toString();
  if (value instanceof Session) return describeSession(value);
  if (value instanceof VolumeSession) return describeVolumeSession(value);
  if (value instanceof Model) return describeModel(value);
  if (isArray(value)) return describeArray(value);
  if ("layout" in value) return describeVolume(value);
  if ("distribution" in value) return describePreference(value);
  if ("cases" in value) return describeDataset(value);
  if ("candidates" in value) return describeProposal(value);
  return "added" in value
    ? describeCandidate(value)
    : describeEvaluation(value);
}

function sessionFigure(session: Session, options: ShowOptions): Figure {
  const { iteration, preference: { feedback }, proposal } = session;
  return candidatesFigure({
    title: `Proposal ${iteration + 1}`,
    points: feedback.points,
    box: feedback.box,
    ...options,
    image: options.image ?? proposal.predictions.image ??
      blank(proposal.recommended.mask),
    proposal,
  });
}

/** Whether a value is an array, as an image or a mask is. */
function isArray(
  value: Showable,
): value is NdArray<Float32Array> | NdArray<Uint8Array> {
  return "stride" in value && "offset" in value;
}

/** An image unchanged; a mask light on dark, or outlined on its image. */
function arrayFigure(
  value: NdArray<Float32Array> | NdArray<Uint8Array>,
  { image, title, points, truth }: ShowOptions,
): Figure {
  if (value.dtype === "uint8") {
    const mask = value as NdArray<Uint8Array>;
    return maskFigure({
      ...{ mask, label: "mask", title, points, truth },
      image: image ?? grayOf(mask),
    });
  }
  const line = title ?? describeArray(value);
  return imageFigure({
    image: value as NdArray<Float32Array>,
    points,
    title: line,
  });
}

/** A mask as an image: dark, and lighter inside. */
function grayOf(mask: NdArray<Uint8Array>): NdArray<Float32Array> {
  const [height, width] = mask.shape;
  const gray = Float32Array.from(
    contiguous(mask).data,
    (value) => value === 0 ? 0.15 : 0.55,
  );
  return ndarray(gray, [height, width, 1]);
}

/** The replacement for an unknown image. */
function blank({ shape }: NdArray<Uint8Array>): NdArray<Float32Array> {
  const [height, width] = shape;
  const gray = new Float32Array(height * width).fill(0.25);
  return ndarray(gray, [height, width, 1]);
}
