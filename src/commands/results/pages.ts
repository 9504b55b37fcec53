/** The pages of `data/results/`, made of the studies' records. */

import type { TargetResult } from "../../evaluation/evaluate.ts";
import {
  gainsTable,
  regionsTable,
} from "../../evaluation/interaction_tables.ts";
import {
  bootstrapInterval,
  byPatient,
  type Figure,
  formatInterval,
  mean,
} from "../../evaluation/statistics.ts";
import { diceTargetsTable, savingsTable } from "../../evaluation/tables.ts";
import { markdownTable } from "../../table.ts";
import {
  ABLATION_TABLES,
  behind,
  claimOf,
  claimsTable,
  diceAt,
  diceTable,
  differences,
  knownRows,
  lead,
  meanOf,
  provenance,
  resultsOf,
  setsTable,
  tablesOf,
  updateClaim,
} from "./record_tables.ts";
import { methods } from "./methods_page.ts";
import { nested } from "./nested_page.ts";
import { KINDS, type Page, pageOf, USER } from "./page.ts";

const WAYS = {
  "whole crop": "lidc-whole",
  "found in the crop": "lidc-auto",
  "found in 512 x 512": "lidc-pad512",
  "found in 1024 x 1024": "lidc-pad1024",
  "by the target": "lidc-given",
  "by the target, moved by a quarter": "lidc-shifted",
};

const SMALL_WAYS = {
  "found in the crop": "small-lidc",
  "found in 512 x 512": "small-lidc-pad512",
  "by the target": "small-lidc-given",
  "by the target, moved by a quarter": "small-lidc-shifted",
  "found in the crop, clicks": "small-lidc-click",
  "found in the crop, whichever gives more": "small-lidc-mixed",
};

const STARTS = {
  "click, picks": "lidc-whole",
  "click, clicks": "lidc-click",
  "click, whichever gives more": "lidc-mixed",
  "box, picks": "lidc-box",
  "box, clicks": "lidc-box-click",
  "damaged mask, picks": "lidc-mask",
};

const REGION_SETS = ["cells", "ultrasound", "hippocampus"];

const regions: Page = {
  file: "regions.md",
  needs: [...new Set([...Object.values(WAYS), "lidc-click", "lidc-mixed"])],
  wants: [
    ...[...Object.values(STARTS), ...Object.values(SMALL_WAYS)],
    ...REGION_SETS.flatMap((group) => [`${group}-auto`, `${group}-given`]),
  ],
  render(records, now) {
    const found = (id: string, name: string) =>
      resultsOf(records, id).map((result) => ({ ...result, set: name }));
    const looked = Object.entries(WAYS).filter(([name]) =>
      name.startsWith("found")
    ).flatMap(([name, id]) => found(id, name));
    /** That a way of looking loses at most 0.01 of another's Dice. */
    const loses = (from: string, to: string, iteration: number, what: string) =>
      claimOf(
        resultsOf(records, from),
        behind(records, from, to, iteration - 1),
        {
          text: `${what} at iteration ${iteration}`,
          bound: 0.01,
          kind: "at most",
          study: `${from}, ${to}`,
        },
      );
    const lost = [1, 3, 6].flatMap((iteration) =>
      ["pad512", "pad1024"].map((id) =>
        loses(
          "lidc-whole",
          `lidc-${id}`,
          iteration,
          `Dice that a found region in a canvas (${id}) loses to the crop`,
        )
      )
    );
    const clicks = resultsOf(records, "lidc-click");
    const gain: Figure = ({ iterations }) =>
      iterations[1].dice - iterations[0].dice;
    /** What is asked of both weights; `small-` names the studies of `small`. */
    const asked = (weights: "" | "small-") => {
      const id = (way: string) => `${weights}lidc-${way}`;
      const of = weights === "" ? "" : "`small`: ";
      const given = id("given"), shifted = id("shifted"), click = id("click");
      const known = (study: string) => resultsOf(records, study);
      return [
        loses(
          given,
          shifted,
          1,
          `${of}Dice that a region moved by a quarter loses`,
        ),
        claimOf(known(click), (result) => gain(result)! > 0 ? 1 : 0, {
          text: `${of}share of targets that a corrective click raises`,
          bound: 0.9,
          kind: "at least",
          study: click,
        }),
        claimOf(known(click), gain, {
          text: `${of}mean gain of a corrective click`,
          bound: 0.02,
          kind: "at least",
          study: click,
        }),
        claimOf(known(click), diceAt(2), {
          text: `${of}Dice after three clicks`,
          bound: 0.88,
          kind: "at least",
          study: click,
        }),
        claimOf(known(id("mixed")), diceAt(5), {
          text: `${of}Dice of a mixed user at iteration 6`,
          bound: 0.93,
          kind: "at least",
          study: id("mixed"),
        }),
      ];
    };
    const ofSmall = Object.values(SMALL_WAYS).every((id) => records.has(id));
    const claims = [
      ...lost,
      ...asked(""),
      ...(ofSmall
        ? [
          ...[1, 3, 6].map((iteration) =>
            loses(
              "small-lidc",
              "small-lidc-pad512",
              iteration,
              "`small`: Dice that a found region in a canvas (pad512) loses to one found in the crop",
            )
          ),
          ...asked("small-"),
        ]
        : []),
    ];
    return pageOf(
      "Whole images: where the network looks",
      USER,
      "The network looks at a square region of the image. It finds it from the click: it looks, measures what it recommends, and looks again at a square three times as long. It follows what the user picks. `whole crop` sees the crop that somebody made around the nodule. A canvas goes on with the crop's reflections, and the crop stands in it at random. `By the target` is the square three times as long as the user's own mask, which no user has.",
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
      ...(Object.values(SMALL_WAYS).some((id) => records.has(id))
        ? [
          "## The same with `small`",
          diceTable(records, SMALL_WAYS),
        ]
        : []),
      "## Claims",
      markdownTable(claimsTable(claims)),
      "## Where the figures come from",
      provenance(records, [...this.needs, ...this.wants ?? []], now),
    );
  },
};

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
  wants: Object.values(MINDS),
  render(records, now) {
    const [both, carried, wrong] = ["both", "carried", "wrong"].map((name) =>
      resultsOf(records, "habits", name)
    );
    const later = carried.filter((result) => result.carried);
    const first = diceAt(0);
    const gain = (other: readonly TargetResult[]) => lead(other, both, first);
    const claims = [
      claimOf(later, gain(carried), {
        text: "the own profile's gain in Dice of the first recommendation",
        bound: 0,
        kind: "at least" as const,
        study: "habits",
      }),
      claimOf(later, gain(wrong), {
        text: "another's profile's gain",
        bound: 0,
        kind: "at most" as const,
        study: "habits",
      }),
    ];
    return pageOf(
      "Habits: a rater's profile over images",
      USER,
      "The weights are `small`, the images those of validation. BU-BIL's raters are persons with a tool, the same from image to image; two of them draw larger and smaller than the others in all three sets. Regions are given, three times as long as the own mask, so that it is the profile that is compared. Each rater aligns image after image, and the profile of the images before starts the next one. Another's profile is the next rater's, of the same images. Below, the paper's Table 2: users who have some raters in mind, and the Dice with all others.",
      tablesOf(records.get("habits")!, HABIT_TABLES),
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

const OTHER_KINDS = Object.keys(KINDS).filter((kind) => kind !== "lidc");

const mixture: Page = {
  file: "mixture.md",
  needs: ["lidc-few"],
  wants: [
    ...["lidc-ablation", "lidc-alone"],
    ...OTHER_KINDS.flatMap((kind) => [`${kind}-ablation`, `${kind}-alone`]),
  ],
  render(records, now) {
    const ids = [...this.wants!, ...this.needs].filter((id) => records.has(id));
    const others = OTHER_KINDS.flatMap((kind) =>
      Object.entries({ ablation: "whole method", alone: "mixture alone" })
        .filter(([way]) => records.has(`${kind}-${way}`))
        .map(([way, name]) => {
          const [none, both] = ["none", "both"]
            .map((variant) => resultsOf(records, `${kind}-${way}`, variant));
          const figures = [
            meanOf(both, diceAt(0)),
            ...[none, both].map((results) => meanOf(results, diceAt(-1))),
          ];
          return [KINDS[kind], name, ...figures, both.length];
        })
    );
    const claims = ids.map((id) => updateClaim(records, id));
    return pageOf(
      "What the update of the mixture gives",
      USER,
      "What a choice moves: nothing of the mixture, its moments, its weights, or both (the paper's Table 3). In all four the choice is the decoder's mask prompt, samples count by how well they explain the choices, and the chosen cluster's samples are kept.",
      ...(records.has("lidc-ablation")
        ? [
          "## N = 48",
          tablesOf(records.get("lidc-ablation")!, ABLATION_TABLES),
        ]
        : []),
      "## N = 8",
      tablesOf(records.get("lidc-few")!, ABLATION_TABLES),
      ...(records.has("lidc-alone")
        ? [
          "## The mixture alone",
          "Nothing else carries a choice on: the decoder does not see it, samples count alike, and none is kept. The update is the training-free M-step.",
          tablesOf(records.get("lidc-alone")!, ABLATION_TABLES),
        ]
        : []),
      ...(others.length > 0
        ? [
          "## Other kinds",
          "`small`, in regions three times as long as the own mask; then the mixture alone.",
          markdownTable({
            columns: [
              { heading: "kind" },
              { heading: "way" },
              ...["at 1", "at 3, no update", "at 3, both"].map((heading) => ({
                heading: `Dice ${heading}`,
                digits: 4,
              })),
              { heading: "targets" },
            ],
            rows: others,
          }),
        ]
        : []),
      "## Claims",
      markdownTable(claimsTable(claims)),
      "## Where the figures come from",
      provenance(records, [...this.needs, ...this.wants ?? []], now),
    );
  },
};

/** Users whose interactions are compared, those who may need fewest first. */
const SAVERS: readonly (keyof typeof STARTS)[] = [
  ...["click, whichever gives more", "click, picks"] as const,
  ...["click, clicks", "box, clicks"] as const,
];

const interactions: Page = {
  file: "interactions.md",
  needs: ["lidc-whole", "lidc-click", "lidc-mixed"],
  wants: ["lidc-box", "lidc-box-click", "lidc-mask"],
  render(records, now) {
    const dices = [0.75, 0.8, 0.85, 0.9];
    const runs = Object.fromEntries(
      Object.entries(knownRows(records, STARTS)).map((
        [name, id],
      ) => [name, resultsOf(records, id)]),
    );
    return pageOf(
      "Interactions to a Dice",
      USER,
      "Iterations that users of several kinds need on the LIDC crops. The first proposal is the first iteration.",
      markdownTable(diceTargetsTable(runs, dices)),
      "## How many fewer",
      "Of every two users, on the same targets. The paper says that picks need at least 39 % fewer interactions than click refinement.",
      markdownTable(savingsTable(
        Object.fromEntries(
          SAVERS.flatMap((name) => runs[name] ? [[name, runs[name]]] : []),
        ),
        dices,
      )),
      "## Where the figures come from",
      provenance(records, [...this.needs, ...this.wants ?? []], now),
    );
  },
};

const kinds: Page = {
  file: "kinds.md",
  needs: Object.keys(KINDS).map((id) => `small-${id}`),
  wants: Object.keys(KINDS).flatMap((id) => [
    ...["more", "given", "click", "box"].map((way) => `small-${id}-${way}`),
    `tiny-${id}`,
    ...(id === "qubiq" ? [`adapted-${id}`] : []),
  ]),
  render(records, now) {
    const rows = Object.entries(KINDS).flatMap(([id, name]) =>
      ([
        ["`small`, more targets", `small-${id}-more`],
        ["`small`", `small-${id}`],
        ["`small`, region by the target", `small-${id}-given`],
        ["`small`, clicks at errors alone", `small-${id}-click`],
        ["`small`, a box first, then clicks", `small-${id}-box`],
        ["`tiny`", `tiny-${id}`],
        ["`small`, adapted by 20 cases", `adapted-${id}`],
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
      "One click on a whole image; the network finds the region, but where it is given: three times as long as the user's own mask. The user picks, but in the rows that say clicks. Validation splits; each separate part of an ultrasound mask is a target. The rows of more targets take every image, of the hippocampus every sixth slice; the others, which compare ways, fewer. `small` was trained on the training splits of all kinds but the last. Adapted weights went on from it for 500 steps on 20 training images of that kind (`train --adapt`); QUBIQ's images are for research alone.",
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
  ...[regions, interactions, habits, mixture, kinds, nested, methods],
];
