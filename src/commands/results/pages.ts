/** The pages of `data/results/`, made of the studies' records. */

import type { TargetResult } from "../../evaluation/evaluate.ts";
import {
  bySet,
  gainsTable,
  regionsTable,
} from "../../evaluation/interaction_tables.ts";
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
import { ablationTable, diceTargetsTable } from "../../evaluation/tables.ts";
import { markdownTable, type Table } from "../../table.ts";
import { sectionsOf } from "../evaluate/sections.ts";
import { argumentsOf, STUDIES, weightsOf } from "./studies.ts";

/** Records by study. */
export type Records = ReadonlyMap<string, SavedEvaluation>;

/** The weights and the version of the method that are current. */
export interface Now {
  readonly model: string;
  /** The weights "small", where studies of them are told. */
  readonly small?: string;
  readonly code: string;
  /** Studies of which only every n-th case is recorded. */
  readonly quick: ReadonlySet<string>;
}

/** A page. */
export interface Page {
  readonly file: string;
  /** The studies that it needs. */
  readonly needs: readonly string[];
  /** The studies that it shows as well, once they have run. */
  readonly wants?: readonly string[];
  render(records: Records, now: Now): string;
}

const diceAt = (i: number): Figure => ({ iterations }) =>
  iterations.at(i)?.dice;

/** The results of a study, of its last variant or a named one. */
function resultsOf(
  records: Records,
  id: string,
  variant?: string,
): readonly TargetResult[] {
  const runs = runsOf(records.get(id)!);
  return variant ? runs[variant] : Object.values(runs).at(-1)!;
}

/** The rows whose study has a record. */
function knownRows(
  records: Records,
  rows: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(rows).filter(([, id]) => records.has(id)),
  );
}

/** Dice by iteration of several studies. */
function diceTable(
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
function differences(
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
function claimOf(
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
function behind(
  records: Records,
  first: string,
  second: string,
  i: number,
): Figure {
  const one = inOther(resultsOf(records, first), diceAt(i));
  const two = inOther(resultsOf(records, second), diceAt(i));
  return (result) => {
    const [a, b] = [one(result), two(result)];
    return a === undefined || b === undefined ? undefined : a - b;
  };
}

/** By data set: Dice in found regions and in those of the target's size. */
function setsTable(records: Records, groups: readonly string[]): string {
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
function provenance(
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
    const same = saved.settings.model === weightsOf(study, now) &&
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

const NOTE =
  "This page is written by `deno task results`. Intervals are 95 % bootstraps over patients (of cells: over images); p is Wilcoxon's signed-rank test over them, not corrected for several comparisons.";

const USER =
  "Each rater in turn is the user: one random click inside the own mask, then the nearest of four candidates; N = 48 samples, one seed, unless it is said otherwise.";

/** A page's text. */
function pageOf(title: string, ...blocks: readonly string[]): string {
  return `${[`# ${title}`, NOTE, ...blocks].join("\n\n")}\n`;
}

const WAYS = {
  "whole crop": "lidc-whole",
  "found in the crop": "lidc-auto",
  "found in 512 x 512": "lidc-pad512",
  "found in 1024 x 1024": "lidc-pad1024",
  "by the target": "lidc-given",
  "by the target, moved by a quarter": "lidc-shifted",
};

const STARTS = {
  "click, picks": "lidc-whole",
  "click, clicks": "lidc-click",
  "click, whichever gives more": "lidc-mixed",
  "box, picks": "lidc-box",
  "damaged mask, picks": "lidc-mask",
};

const REGION_SETS = ["cells", "ultrasound", "hippocampus"];

const regions: Page = {
  file: "regions.md",
  needs: [...new Set([...Object.values(WAYS), "lidc-click", "lidc-mixed"])],
  wants: [
    ...Object.values(STARTS),
    ...REGION_SETS.flatMap((group) => [`${group}-auto`, `${group}-given`]),
  ],
  render(records, now) {
    const found = (id: string, name: string) =>
      resultsOf(records, id).map((result) => ({ ...result, set: name }));
    const looked = Object.entries(WAYS).filter(([name]) =>
      name.startsWith("found")
    ).flatMap(([name, id]) => found(id, name));
    const whole = resultsOf(records, "lidc-whole");
    const lost = ([1, 3, 6] as const).flatMap((iteration) =>
      ["pad512", "pad1024"].map((id) =>
        claimOf(
          whole,
          behind(records, "lidc-whole", `lidc-${id}`, iteration - 1),
          {
            text:
              `Dice that a found region in a canvas (${id}) loses to the crop at iteration ${iteration}`,
            bound: 0.01,
            kind: "at most",
            study: `lidc-whole, lidc-${id}`,
          },
        )
      )
    );
    const clicks = resultsOf(records, "lidc-click");
    const gain: Figure = ({ iterations }) =>
      iterations[1].dice - iterations[0].dice;
    const claims = [
      ...lost,
      claimOf(
        resultsOf(records, "lidc-given"),
        behind(records, "lidc-given", "lidc-shifted", 0),
        {
          text: "Dice that a region moved by a quarter loses at iteration 1",
          bound: 0.01,
          kind: "at most",
          study: "lidc-given, lidc-shifted",
        },
      ),
      claimOf(clicks, (result) => gain(result)! > 0 ? 1 : 0, {
        text: "share of targets that a corrective click raises",
        bound: 0.9,
        kind: "at least",
        study: "lidc-click",
      }),
      claimOf(clicks, gain, {
        text: "mean gain of a corrective click",
        bound: 0.02,
        kind: "at least",
        study: "lidc-click",
      }),
      claimOf(clicks, diceAt(2), {
        text: "Dice after three clicks",
        bound: 0.88,
        kind: "at least",
        study: "lidc-click",
      }),
      claimOf(resultsOf(records, "lidc-mixed"), diceAt(5), {
        text: "Dice of a mixed user at iteration 6",
        bound: 0.93,
        kind: "at least",
        study: "lidc-mixed",
      }),
    ];
    return pageOf(
      "Whole images: where the network looks",
      USER,
      "The network looks at a square region of the image. It finds it from the click: it looks, measures what it recommends, and looks again at a square three times as long. `whole crop` sees the crop that somebody made around the nodule. A canvas goes on with the crop's reflections, and the crop stands in it at random. `By the target` is the square three times as long as the user's own mask, which no user has.",
      "## LIDC validation: Dice by iteration",
      diceTable(records, WAYS),
      "Paired with the whole crop, on the same targets with the same clicks:",
      differences(
        records,
        "lidc-whole",
        Object.fromEntries(
          Object.entries(WAYS).filter(([, id]) => id !== "lidc-whole"),
        ),
        ["Dice, whole crop", "this way"],
      ),
      "## What was looked at",
      "The side is in sides of the target: three in training.",
      markdownTable(regionsTable(looked)),
      "## Clicks, boxes, masks",
      "The crops again. A click goes to the center of the largest error. The mixed user tries both and keeps what gives the better next recommendation: the most that a user can make of them. A box is off by up to a tenth of its side; a damaged mask is too large or small, bitten, moved or smoothed, as in training.",
      diceTable(records, STARTS),
      "What each click gave:",
      markdownTable(gainsTable(clicks)),
      ...(REGION_SETS.some((group) =>
          records.has(`${group}-auto`) && records.has(`${group}-given`)
        )
        ? [
          "## Whole images of other kinds",
          "Found regions beside those of the target's size, on the same targets: single cells, nerves and vessels in ultrasound (each separate part of a mask is a target), and slices of the hippocampus.",
          setsTable(records, REGION_SETS),
        ]
        : []),
      "## Claims",
      markdownTable(claimsTable(claims)),
      "## Where the figures come from",
      provenance(records, [...this.needs, ...this.wants ?? []], now),
    );
  },
};

/** The tables of one record under their headings. */
function tablesOf(saved: SavedEvaluation, headings: readonly string[]): string {
  return sectionsOf({ ...saved, tables: { targets: [0.75, 0.8, 0.85, 0.9] } })
    .filter(({ heading }) => headings.includes(heading))
    .map(({ heading, table }) => `### ${heading}\n\n${markdownTable(table)}`)
    .join("\n\n");
}

const HABIT_TABLES = [
  "A user's profile from image to image",
  "The next rater's profile instead",
  "First recommendation by rater",
  "First recommendation by images before",
  "Iterations to a Dice",
];

/** Users who have some raters in mind: their names and studies. */
const MINDS = {
  "The generous rater, 5": "minds-generous",
  "The strict rater, 6": "minds-strict",
  "The majority of 1, 2, 3, 4": "minds-four",
};

const habits: Page = {
  file: "habits.md",
  needs: ["habits"],
  wants: [...Object.values(MINDS), "habits-mstep"],
  render(records, now) {
    const ids = ["habits", "habits-mstep"].filter((id) => records.has(id));
    const claims = ids.flatMap((id) => {
      const [both, carried, wrong] = ["both", "carried", "wrong"].map((name) =>
        resultsOf(records, id, name)
      );
      const later = carried.filter((result) => result.carried);
      const first = diceAt(0);
      const gain = (other: readonly TargetResult[]): Figure => (result) => {
        const [a, b] = [
          inOther(both, first)(result),
          inOther(other, first)(result),
        ];
        return a === undefined || b === undefined ? undefined : b - a;
      };
      return [
        claimOf(later, gain(carried), {
          text: "the own profile's gain in Dice of the first recommendation",
          bound: 0,
          kind: "at least" as const,
          study: id,
        }),
        claimOf(later, gain(wrong), {
          text: "another's profile's gain",
          bound: 0,
          kind: "at most" as const,
          study: id,
        }),
      ];
    });
    return pageOf(
      "Habits: a rater's profile over images",
      USER,
      "BU-BIL's raters are persons with a tool, the same from image to image; two of them draw larger and smaller than the others in all three sets. Regions are given, three times as long as the own mask, so that it is the profile that is compared. Each rater aligns image after image, and the profile of the images before starts the next one. Another's profile is the next rater's, of the same images. Below, the paper's Table 2: users who have some raters in mind, and the Dice with all others.",
      "## The trained generator",
      tablesOf(records.get("habits")!, HABIT_TABLES),
      ...(records.has("habits-mstep")
        ? [
          "## The training-free update",
          tablesOf(records.get("habits-mstep")!, HABIT_TABLES),
        ]
        : []),
      ...Object.entries(knownRows(records, MINDS)).flatMap(([name, id]) => [
        `## ${name} in mind`,
        tablesOf(records.get(id)!, ["Raters in the target and not"]),
      ]),
      "## Claims",
      markdownTable(claimsTable(claims)),
      "## Where the figures come from",
      provenance(records, [...this.needs, ...this.wants ?? []], now),
    );
  },
};

const mixture: Page = {
  file: "mixture.md",
  needs: ["lidc-few"],
  wants: ["lidc-ablation"],
  render(records, now) {
    const ids = ["lidc-ablation", "lidc-few"].filter((id) => records.has(id));
    const claims = ids.map((id) => {
      const none = resultsOf(records, id, "none");
      const both = resultsOf(records, id, "both");
      const last = diceAt(-1);
      return claimOf(none, (result) => {
        const other = inOther(both, last)(result);
        return other === undefined ? undefined : other - last(result)!;
      }, {
        text: "gain of the mixture's update at the last iteration",
        bound: 0,
        kind: "at least",
        study: id,
      });
    });
    return pageOf(
      "What the update of the mixture gives",
      USER,
      "What a choice moves: nothing of the mixture, its moments, its weights, or both (the paper's Table 3). In all four the choice is the decoder's mask prompt, samples count by how well they explain the choices, and the chosen cluster's samples are kept.",
      ...(records.has("lidc-ablation")
        ? [
          "## N = 48",
          tablesOf(records.get("lidc-ablation")!, [
            "Dice by iteration",
            "Paired differences at the last iteration",
          ]),
        ]
        : []),
      "## N = 8",
      tablesOf(records.get("lidc-few")!, [
        "Dice by iteration",
        "Paired differences at the last iteration",
      ]),
      "## Claims",
      markdownTable(claimsTable(claims)),
      "## Where the figures come from",
      provenance(records, [...this.needs, ...this.wants ?? []], now),
    );
  },
};

const interactions: Page = {
  file: "interactions.md",
  needs: ["lidc-whole", "lidc-click", "lidc-mixed"],
  wants: ["lidc-box", "lidc-mask"],
  render(records, now) {
    const runs = Object.fromEntries(
      Object.entries(knownRows(records, STARTS)).map((
        [name, id],
      ) => [name, resultsOf(records, id)]),
    );
    return pageOf(
      "Interactions to a Dice",
      USER,
      "Iterations that users of several kinds need on the LIDC crops. The first proposal is the first iteration.",
      markdownTable(diceTargetsTable(runs, [0.75, 0.8, 0.85, 0.9])),
      "## Where the figures come from",
      provenance(records, [...this.needs, ...this.wants ?? []], now),
    );
  },
};

/** What a kind of image is called, and whether `small` was trained on such. */
const KINDS: Readonly<Record<string, string>> = {
  lidc: "lung nodules, CT",
  cells: "single cells, microscopy",
  nerves: "nerves, ultrasound",
  vessels: "vessels, ultrasound",
  hippocampus: "hippocampus, MR",
  qubiq: "brain growth, MR (never trained on)",
};

const kinds: Page = {
  file: "kinds.md",
  needs: Object.keys(KINDS).map((id) => `small-${id}`),
  wants: Object.keys(KINDS).flatMap((id) => [
    ...["given", "click", "box"].map((way) => `small-${id}-${way}`),
    `tiny-${id}`,
  ]),
  render(records, now) {
    const rows = Object.entries(KINDS).flatMap(([id, name]) =>
      ([
        ["`small`", `small-${id}`],
        ["`small`, region by the target", `small-${id}-given`],
        ["`small`, clicks at errors alone", `small-${id}-click`],
        ["`small`, a box first, then clicks", `small-${id}-box`],
        ["`tiny`", `tiny-${id}`],
      ] as const).filter(([, study]) => records.has(study)).map((
        [way, study],
      ) => {
        const results = resultsOf(records, study);
        const at = (i: number) => {
          const groups = byPatient(results, diceAt(i));
          return { value: mean(groups.flat()), groups };
        };
        return [
          name,
          way,
          ...[0, 2, 5].map((i) => at(i).value),
          formatInterval(bootstrapInterval(at(5).groups, 0), 3),
          mean(results.map(({ iterations }) => iterations[0].best)),
          results.length,
        ];
      })
    );
    return pageOf(
      "Kinds of images",
      USER,
      "One click on a whole image; the network finds the region, but where it is given: three times as long as the user's own mask. The user picks, but in the rows that say clicks. Validation splits; each separate part of an ultrasound mask is a target. `small` was trained on the training splits of all kinds but the last.",
      markdownTable({
        columns: [
          { heading: "kind" },
          { heading: "weights" },
          ...["1", "3", "6"].map((heading) => ({
            heading: `Dice at ${heading}`,
            digits: 3,
          })),
          { heading: "95 % interval at 6" },
          { heading: "best of the first four", digits: 3 },
          { heading: "targets" },
        ],
        rows,
      }),
      "## Where the figures come from",
      provenance(records, [...this.needs, ...this.wants ?? []], now),
    );
  },
};

/** All pages. */
export const PAGES: readonly Page[] = [
  ...[regions, interactions, habits, mixture, kinds],
];
