/** Reports as files: .md, .html, .svg and .png, by the name's ending. */

import { writeFileAtomic } from "../../files.ts";
import { reportHTML } from "../../figures/report.ts";
import { stackFigures, writeFigure } from "../../figures/figure.ts";
import { markdownTable } from "../../table.ts";
import type { Section } from "./sections.ts";

/** What a report says. */
export interface Report {
  readonly title: string;
  /** One line: of what, how much, how fast. */
  readonly lead: string;
  readonly sections: readonly Section[];
}

/** The printed tables, in Markdown. */
export function reportText({ sections }: Report): string {
  return sections.filter(({ printed }) => printed)
    .map(({ table }) => markdownTable(table)).join("\n\n");
}

/** A report as text: `.html` has figures and tables, `.md` the printed tables. */
async function formatReport(path: string, report: Report): Promise<string> {
  if (path.endsWith(".md")) return `${reportText(report)}\n`;
  const { title, lead, sections } = report;
  return await reportHTML({
    title,
    lead,
    sections: sections.map(({ heading, table, figure }) => ({
      heading,
      table,
      figures: figure ? [{ figure: figure() }] : [],
    })),
    footer:
      "Bands and whiskers are 95 % intervals by a bootstrap over patients; p is Wilcoxon's signed-rank test over patients' mean differences, not corrected for several comparisons.",
  });
}

/** Writes a report; to `.svg` and `.png` the figures, one under the other. */
export async function writeReport(path: string, report: Report): Promise<void> {
  if (path.endsWith(".svg") || path.endsWith(".png")) {
    const { sections } = report;
    const figures = sections.flatMap(({ figure }) => figure ? [figure()] : []);
    return await writeFigure(path, stackFigures(figures));
  }
  await writeFileAtomic(path, await formatReport(path, report));
}
