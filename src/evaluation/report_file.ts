/** Reports as files: .md, .html, .svg and .png, by the name's ending. */

import { writeFileAtomic } from "../datasets/write_file.ts";
import { reportHTML } from "../notebook/report.ts";
import { stackFigures } from "../notebook/stack_figures.ts";
import { markdownTable } from "../table.ts";
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

/**
 * A report as the content of a file: `.html` has figures and tables, `.svg` and
 * `.png` the figures one under the other, `.md` the printed tables.
 */
async function formatReport(
  path: string,
  report: Report,
): Promise<string | Uint8Array> {
  const { title, lead, sections } = report;
  if (path.endsWith(".md")) return `${reportText(report)}\n`;
  if (path.endsWith(".html")) {
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
  const figures = sections.flatMap(({ figure }) => figure ? [figure()] : []);
  const picture = stackFigures(figures);
  return path.endsWith(".svg") ? await picture.toSVG() : await picture.toPNG();
}

/** Writes a report. */
export async function writeReport(path: string, report: Report): Promise<void> {
  const content = await formatReport(path, report);
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  await writeFileAtomic(path, bytes);
}
