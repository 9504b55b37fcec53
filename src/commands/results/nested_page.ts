/** The page of nested answers: a part, the object, the whole. */

import {
  byPatient,
  type Figure,
  inOther,
  mean,
} from "../../evaluation/statistics.ts";
import { markdownTable } from "../../table.ts";
import { LEVELS } from "../make_families.ts";
import { type Page, pageOf } from "./page.ts";
import {
  claimOf,
  claimsTable,
  diceAt,
  provenance,
  resultsOf,
  tablesOf,
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
    const gain = (variant: string): Figure => {
      const [both, other] = ["both", variant]
        .map((name) => inOther(of(name), diceAt(0)));
      return (result) => {
        const [a, b] = [both(result), other(result)];
        return a === undefined || b === undefined ? undefined : b - a;
      };
    };
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
    if (ablation) {
      const id = "nested-ablation";
      const both = inOther(resultsOf(records, id, "both"), diceAt(-1));
      claims.push(claimOf(resultsOf(records, id, "none"), (result) => {
        const other = both(result);
        return other === undefined ? undefined : other - diceAt(-1)(result)!;
      }, {
        text: "gain of the mixture's update at the last iteration",
        bound: 0,
        kind: "at least",
        study: id,
      }));
    }
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
          ...figures.map(([, figure]) =>
            mean(byPatient(of("both", level), figure).flat())
          ),
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
          tablesOf(ablation, [
            "Dice by iteration",
            "Paired differences at the last iteration",
          ]),
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
