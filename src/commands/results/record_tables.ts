/** Tables and claims of the studies' records: what the pages show. */

import type { TargetResult } from "../../evaluation/evaluate.ts";
import { bySet } from "../../evaluation/interaction_tables.ts";
import {
  runsOf,
  type SavedEvaluation,
} from "../../evaluation/saved_evaluation.ts";
import {
  bootstrapInterval,
  byPatient,
  type Figure,
  formatInterval,
  inOther,
  mean,
  pairedCells,
  pairedColumns,
  pairedDifference,
} from "../../evaluation/statistics.ts";
import { ablationTable } from "../../evaluation/tables.ts";
import { markdownTable, type Table } from "../../table.ts";
import { sectionsOf } from "../evaluate/sections.ts";
import {
  argumentsOf,
  type KnownWeights,
  STUDIES,
  weightsOf,
} from "./studies.ts";

/** Records by study. */
export type Records = ReadonlyMap<string, SavedEvaluation>;

/** The weights and the version of the method that are current. */
export interface Now {
  readonly weights: KnownWeights;
  readonly code: string;
  /** Studies of which only every n-th case is recorded. */
  readonly quick: ReadonlySet<string>;
}

export const diceAt = (i: number): Figure => ({ iterations }) =>
  iterations.at(i)?.dice;

/** The tables of an ablation. */
export const ABLATION_TABLES = [
  "Dice by iteration",
  "Paired differences at the last iteration",
];

/** The mean of a figure over targets. */
export function meanOf(
  results: readonly TargetResult[],
  figure: Figure,
): number {
  return mean(byPatient(results, figure).flat());
}

/** A figure's difference on the same targets, one run's less another's. */
export function lead(
  first: readonly TargetResult[],
  second: readonly TargetResult[],
  figure: Figure,
): Figure {
  const one = inOther(first, figure), two = inOther(second, figure);
  return (result) => {
    const [a, b] = [one(result), two(result)];
    return a === undefined || b === undefined ? undefined : a - b;
  };
}

/** The results of a study, of its last variant or a named one. */
export function resultsOf(
  records: Records,
  id: string,
  variant?: string,
): readonly TargetResult[] {
  const runs = runsOf(records.get(id)!);
  return variant ? runs[variant] : Object.values(runs).at(-1)!;
}

/** The rows whose study has a record. */
export function knownRows(
  records: Records,
  rows: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(rows).filter(([, id]) => records.has(id)),
  );
}

/** Dice by iteration of several studies. */
export function diceTable(
  records: Records,
  rows: Readonly<Record<string, string>>,
): string {
  const runs = Object.fromEntries(
    Object.entries(knownRows(records, rows))
      .map(([name, id]) => [name, resultsOf(records, id)]),
  );
  const { columns, rows: cells } = ablationTable(runs);
  const [name, ...others] = columns;
  return markdownTable({
    columns: [{ ...name, heading: "way" }, ...others, { heading: "targets" }],
    rows: cells.map((row, i) => [...row, Object.values(runs)[i].length]),
  });
}

/** Paired differences from one study, at the first and the last iteration. */
export function differences(
  records: Records,
  first: string,
  rows: Readonly<Record<string, string>>,
  names: readonly [string, string],
): string {
  const base = resultsOf(records, first);
  const table: Table = {
    columns: [
      { heading: "way" },
      { heading: "iteration" },
      ...pairedColumns(...names),
    ],
    rows: Object.entries(rows).flatMap(([name, id]) =>
      [0, -1].map((i) => [
        name,
        i === 0 ? 1 : base[0].iterations.length,
        ...pairedCells(
          pairedDifference(
            base,
            diceAt(i),
            inOther(resultsOf(records, id), diceAt(i)),
          ),
        ),
      ])
    ),
  };
  return markdownTable(table);
}

/** A claim, and whether the figures support it. */
export interface Claim {
  readonly text: string;
  /** The measured value and its 95 % interval. */
  readonly value: number;
  readonly interval: readonly [number, number];
  /** The claimed bound, the least or the greatest value. */
  readonly bound: number;
  readonly kind: "at least" | "at most";
  readonly study: string;
}

/**
 * Whether a claim holds. It holds where the whole interval lies on the right
 * side of the bound, does not hold where it lies on the other, and is not shown
 * otherwise.
 */
export function verdictOf({ interval: [low, high], bound, kind }: Claim) {
  const [good, bad] = kind === "at least"
    ? [low >= bound, high < bound]
    : [high <= bound, low > bound];
  return good ? "holds" : bad ? "does not hold" : "not shown";
}

/** Claims as a table. */
export function claimsTable(claims: readonly Claim[]): Table {
  return {
    columns: [
      { heading: "claim" },
      { heading: "bound" },
      { heading: "measured", digits: 4 },
      { heading: "95 % interval" },
      { heading: "verdict" },
      { heading: "studies" },
    ],
    rows: claims.map((claim) => [
      claim.text,
      `${claim.kind} ${claim.bound}`,
      claim.value,
      formatInterval(claim.interval, 4),
      verdictOf(claim),
      claim.study,
    ]),
  };
}

/** A claim about the mean of a figure over targets. */
export function claimOf(
  results: readonly TargetResult[],
  figure: Figure,
  claim: Omit<Claim, "value" | "interval">,
): Claim {
  const groups = byPatient(results, figure);
  return {
    ...claim,
    value: mean(groups.flat()),
    interval: bootstrapInterval(groups, 0),
  };
}

/** The loss of one study against another, on the same targets. */
export function behind(
  records: Records,
  first: string,
  second: string,
  i: number,
): Figure {
  return lead(
    resultsOf(records, first),
    resultsOf(records, second),
    diceAt(i),
  );
}

/** That what a choice moves in the mixture raises the last recommendation. */
export function updateClaim(records: Records, study: string): Claim {
  const [none, both] = ["none", "both"]
    .map((variant) => resultsOf(records, study, variant));
  return claimOf(none, lead(both, none, diceAt(-1)), {
    text: "gain of the mixture's update at the last iteration",
    bound: 0,
    kind: "at least",
    study,
  });
}

/** By data set: Dice in found regions and in those of the target's size. */
export function setsTable(records: Records, groups: readonly string[]): string {
  const rows = groups.flatMap((group) => {
    if (!records.has(`${group}-auto`) || !records.has(`${group}-given`)) {
      return [];
    }
    const found = resultsOf(records, `${group}-auto`);
    const given = resultsOf(records, `${group}-given`);
    return [...bySet(found)].flatMap(([set, own]) =>
      [0, 2, -1].map((i) => [
        set || group,
        i < 0 ? own[0].iterations.length : i + 1,
        ...pairedCells(
          pairedDifference(own, inOther(given, diceAt(i)), diceAt(i)),
        ),
      ])
    );
  });
  return markdownTable({
    columns: [
      { heading: "data set" },
      { heading: "iteration" },
      ...pairedColumns("Dice, region by the target", "region found"),
    ],
    rows,
  });
}

/** The source of the figures. */
export function provenance(
  records: Records,
  ids: readonly string[],
  now: Now,
): string {
  const rows = [...new Set(ids)].map((id) => {
    const study = STUDIES.find((study) => study.id === id)!;
    const saved = records.get(id);
    if (!saved) {
      const command = argumentsOf(study, "$DATA", false).join(" ");
      return [
        ...[id, undefined, undefined, undefined],
        ...["not run", `evaluate ${command}`],
      ];
    }
    const every = Object.values(runsOf(saved))[0];
    const full = !now.quick.has(id);
    const same = saved.settings.model === weightsOf(study, now.weights) &&
      saved.code === now.code;
    return [
      id,
      every.length,
      saved.settings.model,
      saved.code ?? "unknown",
      same ? "current" : "stale",
      `evaluate ${argumentsOf(study, "$DATA", full).join(" ")}`,
    ];
  });
  return markdownTable({
    columns: [
      ...["study", "targets", "weights", "method", "state", "command"].map(
        (heading) => ({ heading }),
      ),
    ],
    rows,
  });
}

/** The tables of one record under their headings. */
export function tablesOf(
  saved: SavedEvaluation,
  headings: readonly string[],
): string {
  return sectionsOf({ ...saved, tables: { targets: [0.75, 0.8, 0.85, 0.9] } })
    .filter(({ heading }) => headings.includes(heading))
    .map(({ heading, table }) => `### ${heading}\n\n${markdownTable(table)}`)
    .join("\n\n");
}
