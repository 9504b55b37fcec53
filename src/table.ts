/** Tables as plain data, and as text: for a terminal, Markdown, CSV. */

import { InputError } from "./input_error.ts";

/** One column of a {@linkcode Table}. */
export interface Column {
  /** What stands above it. */
  readonly heading: string;
  /** Decimals of its numbers. Default: as many as each has. */
  readonly digits?: number;
  /** Default: "right" where all its cells are numbers, else "left". */
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
  const { headings, alignments, rows } = formatTable(table);
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
  const { headings, alignments, rows } = formatTable(table);
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

/** A table whose cells are text. */
export interface FormattedTable {
  /** What stands above each column. */
  readonly headings: readonly string[];
  /** The side of each column. */
  readonly alignments: readonly ("left" | "right")[];
  /** From top to bottom. */
  readonly rows: readonly (readonly string[])[];
}

/**
 * The cells of a table as text, for whatever lays them out.
 *
 * @throws {RangeError} When a row has more or fewer cells than there are columns.
 */
export function formatTable({ columns, rows }: Table): FormattedTable {
  for (const row of rows) {
    if (row.length === columns.length) continue;
    throw new InputError(
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

/** Columns a string takes on a terminal, whose colors take none. */
function displayWidth(text: string): number {
  // deno-lint-ignore no-control-regex -- terminal color codes begin so
  return [...text.replaceAll(/\u001b\[[0-9;]*m/g, "")].length;
}

/** Rows as CSV, a field quoted where it has to be (RFC 4180). */
export function csvText(
  rows: readonly (readonly (string | number)[])[],
): string {
  return rows.map((fields) => `${fields.map(quote).join(",")}\n`).join("");
}

function quote(field: string | number): string {
  const text = String(field);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
