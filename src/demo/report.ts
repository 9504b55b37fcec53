import type { ReportOptions, ReportSection } from "../notebook/report.ts";
import type { Figures, Outcome } from "./pictures.ts";
import { describeAnswer, type Step } from "./step.ts";
import { iterationsTable } from "./tables.ts";

/** The demo's report. */
export function reportOf(
  { subject, steps, mask, setting }: Outcome,
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
      text: stepText(step),
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
    lead: leadOf(subject.rater, steps),
    sections,
    footer: setting,
  };
}

/** What the user did with a proposal, in a sentence. */
function stepText({ answer, proposal, scores }: Step): string {
  switch (answer?.kind) {
    case "choose": {
      const { candidates } = proposal;
      const { share } = candidates[answer.candidate];
      const dice = scores
        ? `, Dice ${scores.candidates[answer.candidate].toFixed(3)}`
        : "";
      return `The user picks candidate ${answer.candidate + 1} of ` +
        `${candidates.length} (${Math.round(100 * share)} % of the samples` +
        `${dice}); the next proposal follows from it.`;
    }
    case "click":
      return `The user adds a ${describeAnswer({ answer, proposal })}.`;
    case "accept":
      return "The user accepts the recommendation.";
    default:
      return "The user stops here; nothing is accepted.";
  }
}

/** The report's first paragraphs. */
function leadOf(rater: string | undefined, steps: readonly Step[]): string {
  const who = rater === undefined
    ? "the user"
    : `a simulated user, who has the mask of rater "${rater}" in mind,`;
  const method =
    `Every proposal shows a recommended segmentation and distinct candidates; ` +
    `${who} picks the nearest one, and the model adapts.`;
  const [first, last] = [steps[0].scores, steps.at(-1)!.scores];
  if (!first || !last || steps.length < 2) return method;
  const turns = steps.length - 1;
  return `${method}\n\nDice of the recommendation: ` +
    `${first.recommended.toFixed(3)} after one click, ` +
    `${last.recommended.toFixed(3)} after ${turns} ` +
    `${turns === 1 ? "choice" : "choices"} more.`;
}
