import { formatTable, type Table } from "../table.ts";
import { escapeXML } from "./svg.ts";

/** A table as an HTML element; numbers have the class "number". */
export function htmlTable(table: Table): string {
  const { headings, alignments, rows } = formatTable(table);
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
