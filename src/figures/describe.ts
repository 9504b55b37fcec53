/** Values as one or a few lines of text: what a console shows of them. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { TargetResult } from "../evaluation/evaluate.ts";
import { summarize, summaryTable } from "../evaluation/statistics.ts";
import type { Volume } from "../formats/volume.ts";
import type { Preference } from "../spa/preference.ts";
import { embeddingSide } from "../model/config.ts";
import type { Model } from "../model/model.ts";
import type { Candidate, Proposal } from "../spa/cluster.ts";
import type { Session } from "../spa/session.ts";
import { textTable } from "../table.ts";

/** A count and its noun: "1 case", "2 cases". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A share as whole percent. */
export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** The pixels that a candidate adds and removes, in few characters. */
export function changes(
  { added, removed }: Pick<Candidate, "added" | "removed">,
): [plus: string, minus: string] {
  return [
    `+${compactCount(countPixels(added))}`,
    `−${compactCount(countPixels(removed))}`,
  ];
}

/** A count in at most four characters: 467, 1.2k, 34k, 1.3M. */
export function compactCount(count: number): string {
  if (count < 1000) return String(count);
  const [unit, letter] = count < 999_500 ? [1e3, "k"] : [1e6, "M"];
  return `${(count / unit).toFixed(count < 9.95 * unit ? 1 : 0)}${letter}`;
}

/** A large count in short: 467, 33.7 k, 1.29 M. */
export function short(count: number): string {
  if (count < 1000) return String(count);
  return count < 999_500
    ? `${(count / 1e3).toPrecision(3)} k`
    : `${(count / 1e6).toPrecision(3)} M`;
}

/** Pixels of a mask. */
export function countPixels(mask: NdArray<Uint8Array>): number {
  return contiguous(mask).data
    .reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
}

/** The number of a model's parameters. */
export function countParameters({ weights }: Model): number {
  return [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);
}

/** A model: its size and what it takes. */
export function describeModel(model: Model): string {
  const { config } = model;
  const side = embeddingSide(config);
  return `Model "${config.name}": ${
    short(countParameters(model))
  } parameters, ` +
    `images of ${config.imageSize} px, embedding ${side} x ${side} x ` +
    `${config.channels}, mixture of ${config.components} Gaussians over ` +
    counted(config.latentChannels, "channel");
}

/** A dataset: its cases, patients and raters. */
export function describeDataset({ name, cases }: Dataset): string {
  const patients = new Set(cases.map(({ patient }) => patient)).size;
  const counts = cases.map(({ raters }) => raters.length);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const raters = cases.length === 0
    ? ""
    : `, ${least === most ? "" : `${least} to `}${counted(most, "rater")} each`;
  return `Dataset "${name}": ${counted(cases.length, "case")} of ` +
    `${counted(patients, "patient")}${raters}`;
}

/** A candidate: its share and its pixels. */
export function describeCandidate(candidate: Candidate): string {
  const { share, mask, added, removed, members } = candidate;
  return `Candidate: ${Math.round(100 * share)} % of samples ` +
    `(${members.length}), ${countPixels(mask)} px, ` +
    `+${countPixels(added)} −${countPixels(removed)}`;
}

/** A proposal: the recommendation, and a line for each candidate, numbered as in figures. */
export function describeProposal(proposal: Proposal): string {
  const { recommended, candidates, spread, notice } = proposal;
  const lines = candidates.map((candidate, k) =>
    `  ${k + 1}  ${describeCandidate(candidate).replace("Candidate: ", "")}`
  );
  return `Proposal: recommendation of ${countPixels(recommended.mask)} px, ` +
    `${counted(candidates.length, "candidate")}, ` +
    [
      `sample spread ${spread.toFixed(4)}`,
      ...lines,
      ...(notice ? [notice.text] : []),
    ].join("\n");
}

/** A session: how far it is, and its proposal. */
export function describeSession(session: Session): string {
  const { points } = session.preference.feedback;
  return `Session: ${counted(points.length, "click")}, ` +
    `${counted(session.iteration, "choice")}\n` +
    describeProposal(session.proposal);
}

/** An evaluation: means by iteration, as a table. */
export function describeEvaluation(results: readonly TargetResult[]): string {
  const cases = new Set(results.map((result) => result.case)).size;
  const head = `Evaluation: ${counted(results.length, "target")} of ` +
    counted(cases, "case");
  if (results.length === 0) return head;
  return `${head}\n${textTable(summaryTable(summarize(results)))}`;
}

/** An image or a mask: its size. */
export function describeArray(
  array: NdArray<Float32Array> | NdArray<Uint8Array>,
): string {
  const [height, width, channels = 1] = array.shape;
  const size = `${width} x ${height} pixels`;
  if (array.dtype === "uint8") {
    return `Mask of ${size}, ${
      countPixels(array as NdArray<Uint8Array>)
    } inside`;
  }
  return `Image of ${size}, ${channels === 1 ? "gray" : "color"}`;
}

/** A volume: its size, and its spacing where it is known. */
export function describeVolume({ values, spacing }: Volume): string {
  const [slices, height, width] = values.shape;
  const millimeters = spacing
    ? `, ${spacing.map((mm) => Number(mm.toPrecision(3))).join(" x ")} mm`
    : "";
  return `Volume of ${counted(slices, "slice")}, ` +
    `${width} x ${height} pixels each${millimeters}`;
}

/** A preference: what the user said so far. */
export function describePreference(
  { feedback, iteration, distribution }: Preference,
): string {
  const { points } = feedback;
  return `Preference after ${counted(points.length, "click")} and ` +
    `${counted(iteration, "choice")}: mixture of ` +
    counted(distribution.logWeights.length, "Gaussian");
}
