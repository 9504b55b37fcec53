import { formatTable, type Table } from "../table.ts";
import type { Figure } from "./figure.ts";
import { escapeXML } from "./svg.ts";

/** One part of a report. */
export interface ReportSection {
  /** Its heading. */
  readonly heading: string;
  /** Plain text; a blank line begins a new paragraph. */
  readonly text?: string;
  /** Figures, after the text. */
  readonly figures?: readonly {
    readonly figure: Figure;
    /** Plain text under the figure. Default: none. */
    readonly caption?: string;
  }[];
  /** A table, after the figures. */
  readonly table?: Table;
}

/** What {@linkcode reportHTML} writes. */
export interface ReportOptions {
  /** The page's title and its first line. */
  title: string;
  /** Plain text under the title; a blank line begins a new paragraph. */
  lead?: string;
  /** In order. */
  sections: readonly ReportSection[];
  /** Plain text at the end, as how the report was made. Default: none. */
  footer?: string;
}

/**
 * A report as one HTML file that holds everything: no scripts, no requests;
 * readable on light and dark screens and on paper.
 *
 * @returns The file's text.
 */
export async function reportHTML(
  { title, lead = "", sections, footer = "" }: ReportOptions,
): Promise<string> {
  const parts = await Promise.all(sections.map(drawSection));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${escapeXML(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>${escapeXML(title)}</h1>${paragraphs(lead)}</header>
<main>
${parts.join("\n")}
</main>
${footer && `<footer>${paragraphs(footer)}</footer>`}
</body>
</html>
`;
}

async function drawSection(
  { heading, text = "", figures = [], table }: ReportSection,
): Promise<string> {
  const drawn = await Promise.all(
    figures.map(async ({ figure, caption }) =>
      `<figure>${await figure.toHTML()}${
        caption ? `<figcaption>${escapeXML(caption)}</figcaption>` : ""
      }</figure>`
    ),
  );
  return `<section><h2>${escapeXML(heading)}</h2>${paragraphs(text)}` +
    `${drawn.join("")}${
      table ? `<div class="wide">${htmlTable(table)}</div>` : ""
    }</section>`;
}

function paragraphs(text: string): string {
  return text.split(/\n\s*\n/).map((part) => part.trim()).filter(Boolean)
    .map((part) => `<p>${escapeXML(part)}</p>`).join("");
}

const STYLE = `
:root { --paper: #fff; --ink: #1b1f24; --muted: #59626e; --rule: #d8dee4; --band: #f5f7f9; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --ink: #e6e9ec; --muted: #9aa4af; --rule: #343b43; --band: #1c2126; }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 960px;
  background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1, h2, p, figcaption { overflow-wrap: anywhere; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .75rem; padding-top: .9rem; border-top: 1px solid var(--rule); }
p { margin: .5rem 0; max-width: 70ch; }
header p, footer p { color: var(--muted); }
footer { margin-top: 3rem; border-top: 1px solid var(--rule); padding-top: .75rem; font-size: .85rem; }
figure { margin: 1rem 0 1.5rem; }
figure img { display: block; width: auto; background: #fff; border: 1px solid var(--rule); border-radius: 8px; }
figcaption { margin-top: .5rem; color: var(--muted); font-size: .875rem; max-width: 80ch; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; font-size: .95rem; }
th, td { padding: .4rem .9rem; border-bottom: 1px solid var(--rule); text-align: left; }
th { color: var(--muted); font-weight: 600; border-bottom-width: 2px; }
td.number, th.number { text-align: right; }
tbody tr:nth-child(even) { background: var(--band); }
@page { margin: 14mm; }
@media print {
  :root { --paper: #fff; --ink: #000; --muted: #444; --rule: #ccc; --band: #f5f5f5; }
  body { padding: 0; max-width: none; font-size: 11pt; }
  figure, table { break-inside: avoid; }
  h2 { break-after: avoid; }
}
`;

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
