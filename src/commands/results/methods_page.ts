/** The page of the paper's Table 1: SPA beside other methods. */

import {
  bootstrapInterval,
  byPatient,
  formatInterval,
  mean,
} from "../../evaluation/statistics.ts";
import { markdownTable } from "../../table.ts";
import { KINDS, type Page, pageOf, USER } from "./page.ts";
import {
  behind,
  diceAt,
  knownRows,
  meanOf,
  provenance,
  type Records,
  resultsOf,
} from "./record_tables.ts";
import { tableOf, trainingArguments, TRAININGS } from "./studies.ts";

/** A mean with as many digits, or a dash. */
const shortMean = (values: readonly number[], digits: number) =>
  values.length === 0 ? "–" : mean(values).toFixed(digits);

/** How the weights of Table 1 were made. */
function trainingsTable(): string {
  return markdownTable({
    columns: [{ heading: "weights" }, { heading: "command" }],
    rows: TRAININGS.map((training) => [
      training.id,
      `train ${trainingArguments(training, "$DATA").join(" ")}`,
    ]),
  });
}

/** The paper's Table 1 on one kind of image: a row for each method. */
function methodsTable(records: Records, kind: string): string {
  const rows = tableOf(kind);
  const { spacing } = resultsOf(records, rows.SPA)[0];
  return markdownTable({
    columns: [
      { heading: "method" },
      ...["1", "3", "6"].map((heading) => ({
        heading: `Dice at ${heading}`,
        digits: 3,
      })),
      { heading: "SPA's lead at 6" },
      { heading: "95 % interval" },
      { heading: `HD95 at 6 (${spacing ? "mm" : "px"})` },
      { heading: "GED at 1" },
    ],
    rows: Object.entries(knownRows(records, rows)).map(([name, id]) => {
      const results = resultsOf(records, id);
      const groups = byPatient(results, behind(records, rows.SPA, id, 5));
      const itself = id === rows.SPA;
      return [
        name,
        ...[0, 2, 5].map((i) => meanOf(results, diceAt(i))),
        itself ? "–" : shortMean(groups.flat(), 3),
        itself ? "–" : formatInterval(bootstrapInterval(groups, 0), 3),
        shortMean(
          results.flatMap(({ iterations }) => iterations[5].hd95 ?? []),
          2,
        ),
        shortMean(
          results.flatMap(({ sampleSet }) => sampleSet?.energyDistance ?? []),
          3,
        ),
      ];
    }),
  });
}

/** The page. */
export const methods: Page = {
  file: "baselines.md",
  needs: Object.keys(KINDS).map((kind) => tableOf(kind).SPA),
  wants: Object.keys(KINDS).flatMap((kind) => Object.values(tableOf(kind))),
  render(records, now) {
    return pageOf(
      "Beside other methods",
      USER,
      "The paper's Table 1, on validation splits. Every method looks at the same regions, three times as long as the user's own mask and about its center, which tells what a box tells. Methods without prompts were trained with the object in the middle, and so they profit of it; those with clicks with the object anywhere. The prompted ones have the network of `tiny` and began with its weights; all were trained on the same images of all kinds but brain growth, which none has seen. Methods without prompts make the same mask for every user, and those with one box for every iteration; users of clicks click at the largest error. The trainings are short, as the table below says: the U-Nets began with random weights, the prompted methods with weights that know lung nodules. Rows on LiteMedSAM have the network of `small`. GED is the squared generalized energy distance of the first proposal's samples to all raters' masks: less is better. HD95 has a mask without pixels at the image's diagonal.",
      ...Object.entries(KINDS).map(([kind, name]) =>
        `## ${name[0].toUpperCase()}${name.slice(1)}\n\n${
          methodsTable(records, kind)
        }`
      ),
      "## How they were trained",
      "With `evaluate`'s `--model` each of these is measured; files of the same names are kept with the records.",
      trainingsTable(),
      "## Where the figures come from",
      provenance(records, [...this.needs, ...this.wants ?? []], now),
    );
  },
};
