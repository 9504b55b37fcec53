/** One proposal of the demo, its quality, and its row in a table. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { dice } from "../../metrics/overlap.ts";
import type { Proposal } from "../../spa/cluster.ts";
import type { Action, Point } from "../../spa/feedback.ts";
import type { Box } from "../../spa/frame.ts";
import { candidateDice } from "../../spa/simulated_user.ts";
import { type Cell, type Column, type Table, textTable } from "../../table.ts";

/** One proposal that was shown. */
export interface Step {
  /** Counted from 1. */
  readonly number: number;
  readonly proposal: Proposal;
  /** The clicks so far. */
  readonly points: readonly Point[];
  /** The time from the click or the choice to the candidates. */
  readonly milliseconds: number;
  /** Dice of the recommendation and of each candidate, where a mask is known. */
  readonly scores?: {
    readonly recommended: number;
    readonly candidates: readonly number[];
  };
  /** The user's answer; absent while it is shown. */
  readonly answer?: Action;
}

/** Dice of all that a proposal shows. */
export function scoreProposal(
  proposal: Proposal,
  reference: NdArray<Uint8Array> | undefined,
): Step["scores"] {
  if (!reference) return undefined;
  return {
    recommended: dice(proposal.recommended.mask, reference),
    candidates: candidateDice(proposal, reference),
  };
}

/**
 * A sentence about an obvious error of a recommendation: it is empty, misses
 * the point, or is cut off by the region's edge.
 *
 * @returns The sentence; undefined where there is no such error.
 */
export function doubtOf(
  { proposal, points }: Pick<Step, "proposal" | "points">,
  box?: Box,
): string | undefined {
  const { mask } = proposal.recommended;
  const [height, width] = mask.shape;
  const covers = (x: number, y: number) =>
    mask.get(Math.round(y), Math.round(x)) > 0;
  const any = (left: number, top: number, right: number, bottom: number) => {
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) if (covers(x, y)) return true;
    }
    return false;
  };
  const { notice } = proposal;
  if (!any(0, 0, width - 1, height - 1)) {
    return notice?.text ?? "The recommendation is empty.";
  }
  const missed = points.filter(({ x, y, label = 1 }) =>
    label === 1 && !covers(x, y)
  );
  if (missed.length > 0) {
    const places = missed.map(({ x, y }) => `(${x}, ${y})`).join(", ");
    return `The recommendation leaves out the click inside at ${places}.`;
  }
  return box && !any(box.left, box.top, box.right, box.bottom)
    ? "The recommendation lies outside the box."
    : notice?.text;
}

/** The answer in a few words. */
export function describeAnswer(
  { answer, proposal }: Pick<Step, "answer" | "proposal">,
): string {
  switch (answer?.kind) {
    case "choose": {
      const { share } = proposal.candidates[answer.candidate];
      return `candidate ${
        answer.candidate + 1
      } of ${proposal.candidates.length} (${
        Math.round(100 * share)
      } % of samples)`;
    }
    case "click": {
      const { x, y, label = 1 } = answer.point;
      return `click ${label === 1 ? "inside" : "outside"} at (${x}, ${y})`;
    }
    case "accept":
      return answer.candidate === undefined
        ? "accept the recommendation"
        : `accept candidate ${answer.candidate + 1}`;
    case "zoom":
      return answer.factor > 1 ? "look closer" : "look wider";
    case "again":
      return "none of these";
    case undefined:
      return "";
    default:
      return answer!.kind;
  }
}

/** Columns of the table of iterations; those of Dice where a mask is known. */
function columns(scored: boolean): Column[] {
  return [
    { heading: "iteration" },
    ...(scored
      ? [{ heading: "Dice", digits: 3 }, {
        heading: "best candidate",
        digits: 3,
      }]
      : []),
    { heading: "sample spread", digits: 4 },
    { heading: "ms", digits: 0 },
    { heading: "choice", align: "left" as const },
  ];
}

function row(step: Step): Cell[] {
  const { number, scores, proposal, milliseconds } = step;
  return [
    number,
    ...(scores ? [scores.recommended, Math.max(...scores.candidates)] : []),
    proposal.spread,
    milliseconds,
    describeAnswer(step),
  ];
}

/** The table of iterations: one row per proposal. */
export function iterationsTable(steps: readonly Step[]): Table {
  return {
    columns: columns(steps[0]?.scores !== undefined),
    rows: steps.map(row),
  };
}

/**
 * The lines that a further step adds to a printed table of iterations. The
 * first step adds the headings as well.
 */
export function iterationLines(step: Step): string {
  const { columns, rows } = iterationsTable([step]);
  // Wide enough for any time, so that the rows stand under each other.
  const padded = columns.map((column) =>
    column.heading === "ms" ? { ...column, heading: "   ms" } : column
  );
  const [headings, rule, line] = textTable({ columns: padded, rows }).split(
    "\n",
  );
  return step.number === 1 ? [headings, rule, line].join("\n") : line;
}

/** What the user at the terminal chooses from. */
export function interactiveTable(
  { number, proposal, scores, milliseconds }: Step,
): string {
  const { recommended, candidates, spread } = proposal;
  const pixels = ({ data }: { data: ArrayLike<number> }) => {
    let count = 0;
    for (let i = 0; i < data.length; i++) count += data[i];
    return count;
  };
  const score = scores ? `, Dice ${scores.recommended.toFixed(3)}` : "";
  const table = textTable({
    columns: [
      { heading: "candidate" },
      { heading: "% of samples", digits: 0 },
      { heading: "pixels" },
      { heading: "added" },
      { heading: "removed" },
      ...(scores ? [{ heading: "Dice", digits: 3 }] : []),
    ],
    rows: candidates.map(({ share, mask, added, removed }, k) => [
      k + 1,
      100 * share,
      pixels(mask),
      pixels(added),
      pixels(removed),
      ...(scores ? [scores.candidates[k]] : []),
    ]),
  });
  return `Proposal ${number}: ${pixels(recommended.mask)} pixels${score}, ` +
    `sample spread ${spread.toFixed(4)}, ${
      milliseconds.toFixed(0)
    } ms\n${table}`;
}
