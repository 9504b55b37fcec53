import { escapeXML } from "./svg.ts";

/** One column of a {@linkcode Table}. */
export interface Column {
  /** What stands above it. */
  readonly heading: string;
  /** Decimals of its numbers, which defaults to as many as each has. */
  readonly digits?: number;
  /** Which defaults to "right" where all its cells are numbers. */
  readonly align?: "left" | "right";
}

/** Text or a number; nothing known, as NaN, shows as a dash. */
export type Cell = string | number | undefined;

/** Columns, and rows of as many cells. */
export interface Table {
  /** From left to right. */
  readonly columns: readonly Column[];
  /** From top to bottom, a cell for every column. */
  readonly rows: readonly (readonly Cell[])[];
}

/**
 * A table for a terminal: columns aligned, a rule under the headings.
 *
 * @example Dice by iteration
 * ```ts
 * import { textTable } from "./table.ts";
 *
 * console.log(textTable({
 *   columns: [{ heading: "iteration" }, { heading: "Dice", digits: 3 }],
 *   rows: [[1, 0.842], [2, 0.884]],
 * }));
 * // iteration   Dice
 * // ---------  -----
 * //         1  0.842
 * //         2  0.884
 * ```
 */
export function textTable(table: Table): string {
  const { headings, alignments, rows } = format(table);
  const widths = headings.map((heading, c) =>
    Math.max(...[heading, ...rows.map((row) => row[c])].map(displayWidth))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, c) => pad(cell, widths[c], alignments[c])).join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width));
  return [headings, rule, ...rows].map(line).join("\n");
}

/** A table in GitHub's Markdown. */
export function markdownTable(table: Table): string {
  const { headings, alignments, rows } = format(table);
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const escaped = [headings, ...rows].map((cells) =>
    line(
      cells.map((cell) =>
        cell.replaceAll("\\", "\\\\").replaceAll("|", "\\|")
          .replaceAll(/\r?\n/g, " ")
      ),
    )
  );
  const rule = line(alignments.map((side) => side === "right" ? "--:" : "---"));
  return [escaped[0], rule, ...escaped.slice(1)].join("\n");
}

/** A table as an HTML element; numbers have the class "number". */
export function htmlTable(table: Table): string {
  const { headings, alignments, rows } = format(table);
  const row = (tag: "th" | "td") => (cells: readonly string[]) =>
    `<tr>${
      cells.map((cell, c) =>
        `<${tag}${alignments[c] === "right" ? ' class="number"' : ""}>${
          escapeXML(cell)
        }</${tag}>`
      ).join("")
    }</tr>`;
  return `<table><thead>${row("th")(headings)}</thead>` +
    `<tbody>${rows.map(row("td")).join("")}</tbody></table>`;
}

function format({ columns, rows }: Table): {
  headings: string[];
  alignments: ("left" | "right")[];
  rows: string[][];
} {
  for (const row of rows) {
    if (row.length === columns.length) continue;
    throw new RangeError(
      `Cannot format table as every row must have ${columns.length} cells: current value is ${row.length}`,
    );
  }
  return {
    headings: columns.map(({ heading }) => heading),
    alignments: columns.map(({ align }, c) =>
      align ??
        (rows.every((row) => typeof row[c] !== "string") ? "right" : "left")
    ),
    rows: rows.map((row) =>
      row.map((cell, c) => show(cell, columns[c].digits))
    ),
  };
}

function show(cell: Cell, digits?: number): string {
  if (cell === undefined || Number.isNaN(cell)) return "–";
  if (typeof cell === "string" || digits === undefined) return String(cell);
  return cell.toFixed(digits);
}

function pad(cell: string, width: number, side: "left" | "right"): string {
  const space = " ".repeat(width - displayWidth(cell));
  return side === "right" ? space + cell : cell + space;
}

/** Columns a string takes on a terminal, whose colours take none. */
function displayWidth(text: string): number {
  // deno-lint-ignore no-control-regex -- terminal colour codes begin so
  return [...text.replaceAll(/\u001b\[[0-9;]*m/g, "")].length;
}
