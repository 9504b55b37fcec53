import type { ReportOptions, ReportSection } from "../../figures/report.ts";
import type { Figures, Outcome } from "./pictures.ts";
import { describeAnswer, doubtOf, type Step } from "./step.ts";
import { iterationsTable } from "./tables.ts";
import type { Chooser } from "./users.ts";

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

/** What was done with a proposal, in a sentence. */
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
        : `${who} accepts the recommendation${dice(scores?.recommended)}.`;
    default:
      return `${who} stops here; nothing is accepted.`;
  }
}

/** What happens with the proposals, by who chooses. */
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
