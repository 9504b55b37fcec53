import { type Cell, type Column, type Table, textTable } from "../../table.ts";
import { describeAnswer, type Step } from "./step.ts";

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
 * The lines that one more step adds to a printed table of iterations: the
 * headings before the first.
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
