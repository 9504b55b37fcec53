import type { TargetResult } from "./evaluate.ts";

/** Results of every variant, by its name. */
export type Results = Readonly<Record<string, readonly TargetResult[]>>;

/**
 * Results as the text of a file: `.csv` has a row per target and iteration,
 * `.md` the printed table, any other name JSON with everything.
 *
 * @param path Where the file will be; its ending counts.
 * @param results Results of every variant.
 * @param table The printed table.
 */
export function formatResults(
  path: string,
  results: Results,
  table: string,
): string {
  if (path.endsWith(".md")) return `${table}\n`;
  if (!path.endsWith(".csv")) return JSON.stringify(results, undefined, 1);
  const rows = Object.entries(results).flatMap(([update, targets]) =>
    targets.flatMap(({ case: id, patient, rater, iterations }) =>
      iterations.map(({ dice, best, spread, milliseconds }, i) =>
        [
          ...[update, id, patient, rater, i + 1],
          ...[dice, best, spread].map((value) => value.toFixed(6)),
          milliseconds.toFixed(2),
        ].map(quote).join(",")
      )
    )
  );
  return `update,case,patient,rater,iteration,dice,best,spread,ms\n${
    rows.join("\n")
  }\n`;
}

/** A field of CSV: quoted where it has to be (RFC 4180). */
function quote(field: string | number): string {
  const text = String(field);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
