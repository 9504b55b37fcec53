/** The demo's files: pictures of every proposal, curves, and one report. */

import {
  reportHTML,
  type ReportOptions,
  type ReportSection,
} from "../../figures/report.ts";
import {
  describeAnswer,
  doubtOf,
  iterationsTable,
  type Step,
} from "./demo_step.ts";
import type { Chooser } from "./users.ts";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { join } from "node:path";
import { writeFileAtomic } from "../../files.ts";
import { writeMask } from "../../formats/write_mask.ts";
import { candidatesFigure } from "../../figures/candidates_figure.ts";
import { diceFigure } from "../../figures/dice_figure.ts";
import { entropyFigure, maskFigure } from "../../figures/image_figure.ts";
import { type Figure, writeFigure } from "../../figures/figure.ts";
import { type Profile, profileToJSON } from "../../spa/profile.ts";
import type { Subject } from "./subject.ts";

/** The demo's report. */
export function reportOf(
  { subject, chooser, steps, mask, setting }: Outcome,
  { proposals, curve, entropy, result }: Figures,
): ReportOptions {
  const sections: ReportSection[] = [
    {
      heading: "In numbers",
      figures: curve ? [{ figure: curve }] : [],
      table: iterationsTable(steps),
    },
    ...steps.map((step, i) => ({
      heading: `Proposal ${step.number}`,
      text: [stepText(chooser, step), doubtOf(step, subject.box)]
        .filter(Boolean).join(" "),
      figures: [{ figure: proposals[i] }],
    })),
  ];
  if (mask && result) {
    sections.push({ heading: "Result", figures: [{ figure: result }] });
  }
  sections.push({
    heading: "Uncertainty",
    text: entropy.length > 1
      ? "Predictive entropy of the first and of the last proposal: what was " +
        "open at the start, and what the choices left open."
      : "Predictive entropy of the proposal: where it is undecided.",
    figures: entropy.map((figure) => ({ figure })),
  });
  return {
    title: `Aligning a segmentation: ${subject.name}`,
    lead: leadOf(chooser, subject.rater, steps),
    sections,
    footer: setting,
  };
}

/** A sentence about the user's answer to a proposal. */
function stepText(
  chooser: Chooser,
  { answer, proposal, scores }: Step,
): string {
  const who = `The ${chooser}`;
  const dice = (score?: number) =>
    score === undefined ? "" : `, Dice ${score.toFixed(3)}`;
  switch (answer?.kind) {
    case "choose": {
      const { candidates } = proposal;
      const { share } = candidates[answer.candidate];
      return `${who} picks candidate ${answer.candidate + 1} of ` +
        `${candidates.length} (${Math.round(100 * share)} % of the samples` +
        `${dice(scores?.candidates[answer.candidate])}); ` +
        "the next proposal follows from it.";
    }
    case "click":
      return `${who} adds a ${describeAnswer({ answer, proposal })}.`;
    case "accept":
      return chooser === "nobody"
        ? `The recommendation is accepted as it is${dice(scores?.recommended)}.`
        : answer.candidate === undefined
        ? `${who} accepts the recommendation${dice(scores?.recommended)}.`
        : `${who} accepts candidate ${answer.candidate + 1}${
          dice(scores?.candidates[answer.candidate])
        }.`;
    case "zoom":
      return `${who} lets the network look ${
        answer.factor > 1 ? "closer" : "from farther away"
      }.`;
    case "again":
      return `${who} finds none of these near, and asks for others.`;
    default:
      return `${who} stops here; nothing is accepted.`;
  }
}

/** A sentence about the proposals, for each kind of user. */
function methodOf(chooser: Chooser, rater: string | undefined): string {
  switch (chooser) {
    case "user":
      return "the user picks the nearest one, and the model adapts.";
    case "script":
      return "they were picked by number, as given before the start, and the " +
        "model adapts.";
    case "simulated user":
      return `a simulated user, who has the ${
        rater === undefined ? "reference mask" : `mask of rater "${rater}"`
      } in mind, picks the nearest one, and the model adapts. Of the last ` +
        "proposal the recommendation is accepted, whether or not a candidate " +
        "is nearer.";
    case "nobody":
      return "nobody picks one here, and the first recommendation is accepted.";
  }
}

/** The report's first paragraphs. */
function leadOf(
  chooser: Chooser,
  rater: string | undefined,
  steps: readonly Step[],
): string {
  const method =
    `Every proposal shows a recommended segmentation and distinct candidates; ` +
    methodOf(chooser, rater);
  const [first, last] = [steps[0].scores, steps.at(-1)!.scores];
  if (!first || !last || steps.length < 2) return method;
  return `${method}\n\nDice of the recommendation: ` +
    `${first.recommended.toFixed(3)} in the first proposal, ` +
    `${last.recommended.toFixed(3)} in proposal ${steps.length}, the last.`;
}

/** How the demo ended. */
export interface Outcome {
  readonly subject: Subject;
  readonly chooser: Chooser;
  /** The proposals, without those that were undone. */
  readonly steps: readonly Step[];
  /** The accepted mask, [H, W]; none where the user quit. */
  readonly mask?: NdArray<Uint8Array>;
  readonly profile: Profile;
  /** Plain text on model, engine and seed. */
  readonly setting: string;
}

/** The figures of an outcome; some may be absent. */
export interface Figures {
  /** One per proposal. */
  readonly proposals: readonly Figure[];
  /** Dice by iteration, where a reference is known. */
  readonly curve?: Figure;
  /** Maps of the entropy of the first and the last proposal. */
  readonly entropy: readonly Figure[];
  /** The accepted mask. */
  readonly result?: Figure;
}

/** The picture of a proposal; the choice is marked once it is made. */
export function stepFigure(subject: Subject, step: Step): Figure {
  const { answer, number, proposal, points } = step;
  return candidatesFigure({
    image: subject.image,
    proposal,
    points: [...points],
    box: subject.box,
    truth: subject.reference,
    chosen: answer?.kind === "choose"
      ? answer.candidate
      : answer?.kind === "accept"
      ? answer.candidate ?? "accept"
      : undefined,
    accepted: answer?.kind === "accept",
    title: `${subject.name}${
      subject.rater === undefined ? "" : `, rater "${subject.rater}"`
    }: proposal ${number}`,
  });
}

/** File name of a proposal's picture. */
export function stepFile({ number }: Pick<Step, "number">): string {
  return `proposal-${number}.png`;
}

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
  });
}

function figuresOf({ subject, steps, mask }: Outcome): Figures {
  const { name, image, reference, box } = subject;
  const ends = steps.length > 1 ? [steps[0], steps.at(-1)!] : [steps[0]];
  return {
    proposals: steps.map((step) => stepFigure(subject, step)),
    curve: curveOf(steps),
    entropy: ends.map(({ number, proposal }) =>
      entropyFigure({
        image,
        entropy: proposal.entropy,
        mask: proposal.recommended.mask,
        title: `${name}, where proposal ${number} is undecided`,
      })
    ),
    result: mask && maskFigure({
      image,
      mask,
      label: "accepted",
      truth: reference,
      points: [...steps.at(-1)!.points],
      box,
      region: steps.at(-1)!.proposal.region,
      title: `${name}, the accepted segmentation`,
    }),
  };
}

/** Files of an earlier run that this run does not overwrite. */
const OWN_FILES = /^(proposal-\d+|dice|entropy-(first|last)|result|mask)\.png$/;

/**
 * Writes everything: proposals, Dice curve, entropy, mask, profile, report.
 * Each file is written whole or not at all; pictures of an earlier run that
 * have no successor are removed.
 *
 * @param folder Where to; it must exist.
 * @param outcome What happened.
 * @returns The names of the files, the report's first.
 */
export async function writeOutcome(
  folder: string,
  outcome: Outcome,
): Promise<string[]> {
  const { steps, mask, profile } = outcome;
  const figures = figuresOf(outcome);
  const { proposals, curve, entropy, result } = figures;
  const pictures = new Map<string, Figure>();
  proposals.forEach((figure, i) => pictures.set(stepFile(steps[i]), figure));
  ["entropy-first.png", "entropy-last.png"].forEach((name, i) => {
    if (entropy[i]) pictures.set(name, entropy[i]);
  });
  if (result) pictures.set("result.png", result);

  // All drawn before the first chart: its library takes a second to load and
  // keeps this thread busy, while other threads render what is drawn.
  await Promise.all([...pictures.values()].map((figure) => figure.toSVG()));
  if (curve) pictures.set("dice.png", curve);
  const writing = [...pictures].map(([name, figure]) =>
    writeFigure(join(folder, name), figure)
  );
  const files = ["report.html", ...pictures.keys(), "profile.json"];
  if (mask) {
    files.push("mask.png");
    writing.push(writeMask(mask, join(folder, "mask.png")));
  }
  writing.push(
    writeFileAtomic(join(folder, "profile.json"), profileToJSON(profile)),
    reportHTML(reportOf(outcome, figures)).then((html) =>
      writeFileAtomic(join(folder, "report.html"), html)
    ),
  );
  await Promise.all(writing);
  for await (const { name } of Deno.readDir(folder)) {
    if (!OWN_FILES.test(name) || files.includes(name)) continue;
    await Deno.remove(join(folder, name));
  }
  return files;
}
