/** The page of nested answers: a part, the object, the whole. */

import type { Figure } from "../../evaluation/statistics.ts";
import { markdownTable } from "../../table.ts";
import { LEVELS } from "../make_families.ts";
import { type Page, pageOf } from "./page.ts";
import {
  ABLATION_TABLES,
  claimOf,
  claimsTable,
  diceAt,
  lead,
  meanOf,
  provenance,
  resultsOf,
  tablesOf,
  updateClaim,
} from "./record_tables.ts";
import { familiesArguments } from "./studies.ts";

/** Dice of the best candidate of the first proposal. */
const bestOfFirst: Figure = ({ iterations: [first] }) => first.best;

/** The page. */
export const nested: Page = {
  file: "nested.md",
  needs: ["nested"],
  wants: ["nested-ablation"],
  render(records, now) {
    const of = (variant: string, rater?: string) =>
      resultsOf(records, "nested", variant)
        .filter((result) => rater === undefined || result.rater === rater);
    const later = of("carried").filter(({ carried }) => carried);
    const gain = (variant: string) => lead(of(variant), of("both"), diceAt(0));
    const atLeast = (
      results: ReturnType<typeof of>,
      figure: Figure,
      text: string,
      bound: number,
    ) =>
      claimOf(results, figure, {
        ...{ text, bound, kind: "at least", study: "nested" },
      });
    const claims = [
      ...LEVELS.flatMap((level) => [
        atLeast(
          of("both", level),
          bestOfFirst,
          `${level}: Dice of the best of the first four`,
          0.85,
        ),
        atLeast(
          of("both", level),
          diceAt(1),
          `${level}: Dice after one pick`,
          0.85,
        ),
      ]),
      atLeast(
        later,
        gain("carried"),
        "the own profile's gain in Dice of the first recommendation",
        0,
      ),
      atLeast(
        later.filter(({ rater }) => rater === "whole"),
        gain("carried"),
        "that of a profile that wants wholes",
        0.1,
      ),
      claimOf(later, gain("wrong"), {
        text: "another's profile's gain",
        bound: 0,
        kind: "at most",
        study: "nested",
      }),
    ];
    const ablation = records.get("nested-ablation");
    if (ablation) claims.push(updateClaim(records, "nested-ablation"));
    const figures: [string, Figure][] = [
      ["first recommendation", diceAt(0)],
      ["best of the first four", bestOfFirst],
      ["after one pick", diceAt(1)],
    ];
    return pageOf(
      "Nested meanings",
      "One click has nested answers: a part, the object, the whole it belongs to. These figures are of `small`, on families that `families` draws on validation images, none of them trained on. Three raters always want the part, the object or the whole. One click in the own mask, the whole region looked at, nearest of four candidates, N = 48, one seed. The families are pieces of a segmentation, many of them ragged, which nobody would draw; the network gives smooth things.",
      markdownTable({
        columns: [
          { heading: "rater" },
          ...figures.map(([heading]) => ({
            heading: `Dice, ${heading}`,
            digits: 3,
          })),
          { heading: "targets" },
        ],
        rows: LEVELS.map((level) => [
          level,
          ...figures.map(([, figure]) => meanOf(of("both", level), figure)),
          of("both", level).length,
        ]),
      }),
      "## A profile over images",
      "Each rater aligns family after family, with the profile of those before. Another's profile is the next rater's, of the same images.",
      tablesOf(records.get("nested")!, [
        "A user's profile from image to image",
        "The next rater's profile instead",
        "First recommendation by rater",
      ]),
      "## What the components mean",
      "The mean Dice of each component's samples with each rater, at the first proposal. A component that leans to wholes on one image does so on others, which is why a profile of weights can be carried. `--out report.html` draws it as a figure.",
      tablesOf(records.get("nested")!, ["What the components mean (both)"]),
      ...(ablation
        ? [
          "## What the update of the mixture gives",
          tablesOf(ablation, ABLATION_TABLES),
        ]
        : []),
      "## Claims",
      markdownTable(claimsTable(claims)),
      "## Where the figures come from",
      `The families: \`families ${
        familiesArguments("$DATA").join(" ")
      } --out families\`.`,
      provenance(records, [...this.needs, ...this.wants!], now),
    );
  },
};
