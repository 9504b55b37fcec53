/** What the demo writes: pictures of every proposal, curves, and one report. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { join } from "node:path";
import { writeFileAtomic } from "../datasets/write_file.ts";
import { writeMask } from "../datasets/write_image.ts";
import { candidatesFigure } from "../notebook/candidates_figure.ts";
import { diceFigure } from "../notebook/dice_figure.ts";
import { entropyFigure } from "../notebook/entropy_figure.ts";
import type { Figure } from "../notebook/figure.ts";
import { maskFigure } from "../notebook/mask_figure.ts";
import { reportHTML } from "../notebook/report.ts";
import { type Profile, profileToJSON } from "../spa/profile.ts";
import { describeAnswer, type Step } from "./step.ts";
import type { Subject } from "./subject.ts";
import { iterationsTable } from "./tables.ts";

/** How the demo ended. */
export interface Outcome {
  readonly subject: Subject;
  /** The proposals, without those that were undone. */
  readonly steps: readonly Step[];
  /** The accepted mask, [H, W]; none where the user quit. */
  readonly mask?: NdArray<Uint8Array>;
  readonly profile: Profile;
  /** One line on model, engine and seed. */
  readonly setting: string;
}

/** The picture of a proposal; the choice is marked once it is made. */
export function stepFigure(subject: Subject, step: Step): Figure {
  const { answer, number, proposal, points } = step;
  return candidatesFigure({
    image: subject.image,
    proposal,
    points: [...points],
    truth: subject.reference,
    chosen: answer?.kind === "choose"
      ? answer.candidate
      : answer?.kind === "accept"
      ? "accept"
      : undefined,
    title: `${subject.name}, proposal ${number}`,
  });
}

/** File name of a proposal's picture. */
export function stepFile(step: Step): string {
  return `proposal-${step.number}.png`;
}

/** Writes a figure as PNG, whole or not at all. */
export async function writeFigure(path: string, figure: Figure): Promise<void> {
  await writeFileAtomic(path, await figure.toPNG());
}

/** The Dice curve, where a reference is known. */
function curveOf(steps: readonly Step[]): Figure | undefined {
  const scores = steps.flatMap(({ scores }) => scores ? [scores] : []);
  if (scores.length < 2) return undefined;
  const best = scores.map(({ candidates }) => Math.max(...candidates));
  return diceFigure({
    series: [
      {
        name: "recommendation",
        values: scores.map(({ recommended }) => recommended),
      },
      { name: "best candidate", values: best },
    ],
    title: "Dice by iteration",
  });
}

/**
 * Writes everything: proposals, Dice curve, entropy, mask, profile, report.
 *
 * @param folder Where to.
 * @param outcome What happened.
 * @returns The report's path.
 */
export async function writeOutcome(
  folder: string,
  { subject, steps, mask, profile, setting }: Outcome,
): Promise<string> {
  const last = steps[steps.length - 1];
  const { image, reference } = subject;
  const figures = steps.map((step) => stepFigure(subject, step));
  const curve = curveOf(steps);
  const entropy = entropyFigure({
    image,
    entropy: last.proposal.entropy,
    mask: last.proposal.recommended.mask,
    title: `${subject.name}, where the samples disagree`,
  });
  const result = mask && maskFigure({
    image,
    mask,
    label: "accepted",
    truth: reference,
    title: `${subject.name}, the accepted segmentation`,
  });
  const report = join(folder, "report.html");
  const writing: Promise<unknown>[] = [
    ...steps.map((step, i) =>
      writeFigure(join(folder, stepFile(step)), figures[i])
    ),
    writeFigure(join(folder, "entropy.png"), entropy),
    writeFileAtomic(
      join(folder, "profile.json"),
      new TextEncoder().encode(profileToJSON(profile)),
    ),
  ];
  if (curve) writing.push(writeFigure(join(folder, "dice.png"), curve));
  if (result) writing.push(writeFigure(join(folder, "result.png"), result));
  if (mask) writing.push(writeMask(join(folder, "mask.png"), mask));
  writing.push(
    reportHTML({
      title: `Aligning a segmentation: ${subject.name}`,
      lead: lead(subject, steps),
      sections: [
        {
          heading: "In numbers",
          table: iterationsTable(steps),
          figures: curve ? [{ figure: curve }] : [],
        },
        ...steps.map((step, i) => ({
          heading: `Proposal ${step.number}`,
          text: step.answer ? `Answer: ${describeAnswer(step)}.` : "",
          figures: [{ figure: figures[i] }],
        })),
        {
          heading: "Uncertainty that is left",
          text: "Predictive entropy of the last proposal, in nats.",
          figures: [{ figure: entropy }],
        },
        ...result ? [{ heading: "Result", figures: [{ figure: result }] }] : [],
      ],
      footer: setting,
    }).then((html) => writeFileAtomic(report, new TextEncoder().encode(html))),
  );
  await Promise.all(writing);
  return report;
}

/** The report's first paragraph. */
function lead({ rater }: Subject, steps: readonly Step[]): string {
  const who = rater === undefined
    ? "a user"
    : `a simulated user who has the mask of rater "${rater}" in mind`;
  const scores = steps.flatMap(({ scores }) => scores ? [scores] : []);
  const rise = scores.length > 1
    ? ` Dice of the recommendation: ${
      scores[0].recommended.toFixed(3)
    } at first, ${scores[scores.length - 1].recommended.toFixed(3)} after ${
      scores.length - 1
    } choices.`
    : "";
  return `Every proposal shows a recommended segmentation and distinct candidates; ${who} picks the nearest one, and the model adapts.${rise}`;
}
