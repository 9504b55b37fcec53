/** The analysis of a user study: seconds and iterations, paired. */

import { formatInterval, mean, quantile } from "../../evaluation/statistics.ts";
import { InputError } from "../../input_error.ts";
import {
  blockFolder,
  type StudyArm,
  type StudyPlan,
} from "../../notebook/annotation_plan.ts";
import {
  type AnnotationRecord,
  readAnnotation,
} from "../../notebook/annotation_record.ts";
import { COLUMNS, measures } from "../../notebook/annotation_report.ts";
import { createRandom } from "../../random.ts";
import { findDifference } from "../../same_settings.ts";
import { type Cell, csvText, type Table } from "../../table.ts";
import { type Claim, claimsTable } from "../results/record_tables.ts";

/** One image as one person did it in one arm. */
export interface Turn {
  readonly person: string;
  readonly image: string;
  /** The person's block, from 1. */
  readonly block: number;
  readonly arm: StudyArm;
  readonly record: AnnotationRecord;
}

/**
 * Reads the records of all persons of a plan; images that are not finished are left
 * out.
 *
 * @param plan The plan.
 * @param out The folder with a folder for every person.
 * @throws {RangeError} When a record is damaged, of another arm than the plan says,
 * or not of the same weights and settings as the others.
 */
export async function readTurns(
  plan: StudyPlan,
  out: string,
): Promise<Turn[]> {
  const turns: Turn[] = [];
  for (const [person, blocks] of Object.entries(plan.persons)) {
    for (const [i, { arm, images }] of blocks.entries()) {
      const folder = blockFolder(out, person, i + 1, arm);
      for (const image of images) {
        const record = await readAnnotation(
          folder,
          { id: image },
          undefined,
          "analyze the study",
        );
        if (!record) continue;
        turns.push({ person, image, block: i + 1, arm, record });
      }
    }
  }
  const refuse = ({ person, image, block }: Turn, rule: string, is: unknown) =>
    new InputError(
      `Cannot analyze the study as the record of ${image} by ${person}, block ${block}, must ${rule}: current value is ${is}`,
    );
  for (const turn of turns) {
    const { offer = "all", seed: _, ...own } = turn.record.settings;
    if (offer !== turn.arm) {
      throw refuse(turn, `be of the arm ${turn.arm}, as planned`, offer);
    }
    const { offer: __, seed: ___, ...first } = turns[0].record.settings;
    const found = findDifference(first, own);
    if (!found) continue;
    throw refuse(
      turn,
      `have the same ${found.name} as the first, ${found.was}`,
      found.is,
    );
  }
  return turns;
}

/** A value of the same image by the same person in both arms. */
export interface Pair {
  readonly person: string;
  readonly image: string;
  readonly picks: number;
  readonly clicks: number;
}

/** The pairs of a value; a turn without the other, or without the value, has none. */
export function pairsOf(
  turns: readonly Turn[],
  valueOf: (record: AnnotationRecord) => number | undefined,
): Pair[] {
  const found = new Map<string, Partial<Record<StudyArm, number>>>();
  for (const { person, image, arm, record } of turns) {
    const key = JSON.stringify([person, image]);
    const pair = found.get(key) ?? {};
    found.set(key, { ...pair, [arm]: valueOf(record) });
  }
  return [...found].flatMap(([key, { picks, clicks }]) => {
    const [person, image] = JSON.parse(key);
    return picks === undefined || clicks === undefined
      ? []
      : [{ person, image, picks, clicks }];
  });
}

/** Draws of the bootstrap. */
const DRAWS = 2000;

/** A value compared between the arms, with 95 % intervals. */
export interface Compared {
  /** The means over the pairs. */
  readonly picks: number;
  readonly clicks: number;
  /** Picks minus clicks. */
  readonly difference: number;
  readonly interval: readonly [number, number];
  /** The share of the clicks' value that picks save, 1 - picks / clicks. */
  readonly saved: number;
  readonly savedInterval: readonly [number, number];
}

/**
 * Compares the arms. The bootstrap is over persons and images at once: persons and,
 * independently of them, images are drawn with replacement, and a pair counts as
 * often as its person times as often as its image was drawn. With one person or one
 * image there is no interval.
 *
 * @param pairs One of each person and image at most.
 * @param seed Seed of the draws.
 */
export function compareArms(pairs: readonly Pair[], seed = 0): Compared {
  const persons = [...new Set(pairs.map(({ person }) => person))];
  const images = [...new Set(pairs.map(({ image }) => image))];
  const places = pairs.map(({ person, image }) => [
    persons.indexOf(person),
    images.indexOf(image),
  ]);
  const random = createRandom(seed);
  const draw = (count: number) => {
    const times = new Uint32Array(count);
    for (let i = 0; i < count; i++) times[random.integer(count)]++;
    return times;
  };
  const differences: number[] = [], saved: number[] = [];
  const enough = persons.length > 1 && images.length > 1;
  for (let i = 0; enough && i < DRAWS; i++) {
    const [often, seen] = [draw(persons.length), draw(images.length)];
    let picks = 0, clicks = 0, weight = 0;
    pairs.forEach((pair, k) => {
      const times = often[places[k][0]] * seen[places[k][1]];
      picks += times * pair.picks;
      clicks += times * pair.clicks;
      weight += times;
    });
    if (weight === 0) continue; // nobody who was drawn has done what was drawn
    differences.push((picks - clicks) / weight);
    saved.push(1 - picks / clicks);
  }
  const interval = (values: number[]): [number, number] =>
    values.length === 0
      ? [NaN, NaN]
      : [quantile(values, 0.025), quantile(values, 0.975)];
  const picks = mean(pairs.map(({ picks }) => picks));
  const clicks = mean(pairs.map(({ clicks }) => clicks));
  return {
    ...{ picks, clicks },
    difference: picks - clicks,
    interval: interval(differences),
    saved: 1 - picks / clicks,
    savedInterval: interval(saved),
  };
}

/** What is compared. */
const VALUES: readonly {
  readonly name: string;
  readonly digits: number;
  readonly of: (record: AnnotationRecord) => number | undefined;
}[] = [
  { name: "seconds", digits: 1, of: ({ seconds }) => seconds },
  { name: "iterations", digits: 2, of: ({ iterations }) => iterations },
  { name: "last Dice", digits: 3, of: ({ dice }) => dice?.at(-1) },
];

/** Seconds and iterations per image of every person in each arm. */
export function personsTable(turns: readonly Turn[]): Table {
  const groups = new Map<string, Turn[]>();
  for (const turn of turns) {
    const key = `${turn.person} ${turn.arm}`;
    groups.set(key, [...groups.get(key) ?? [], turn]);
  }
  return {
    columns: [
      ...[{ heading: "person" }, { heading: "arm" }, { heading: "images" }],
      ...VALUES.map(({ name, digits }) => ({
        heading: name === "last Dice" ? name : `${name} per image`,
        digits,
      })),
    ],
    rows: [...groups.values()].map((own): Cell[] => [
      ...[own[0].person, own[0].arm, own.length],
      ...VALUES.map(({ of }) => {
        const values = own.map(({ record }) => of(record));
        return values.includes(undefined)
          ? undefined
          : mean(values as number[]);
      }),
    ]),
  };
}

/** The arms, paired by person and image. */
export function pairedTable(turns: readonly Turn[]): Table {
  return {
    columns: [
      ...["per image", "clicks", "picks", "difference"].map((heading) => ({
        heading,
        ...(heading !== "per image" && { align: "right" as const }),
      })),
      { heading: "95 % interval" },
      { heading: "saved", align: "right" },
      { heading: "95 % interval" },
      ...[{ heading: "pairs" }, { heading: "persons" }, { heading: "images" }],
    ],
    rows: VALUES.flatMap(({ name, digits, of }): Cell[][] => {
      const pairs = pairsOf(turns, of);
      if (pairs.length === 0) return [];
      const found = compareArms(pairs);
      const percents = found.savedInterval.map((share) => 100 * share);
      const saves = name !== "last Dice";
      return [[
        name,
        ...[found.clicks, found.picks, found.difference]
          .map((value) => value.toFixed(digits)),
        formatInterval(found.interval, digits),
        saves ? `${(100 * found.saved).toFixed(1)} %` : undefined,
        saves ? formatInterval(percents as [number, number], 1) : undefined,
        pairs.length,
        new Set(pairs.map(({ person }) => person)).size,
        new Set(pairs.map(({ image }) => image)).size,
      ]];
    }),
  };
}

/** The paper's claims beside what was measured. */
export function studyClaims(turns: readonly Turn[]): Table {
  const claim = (
    text: string,
    bound: number,
    of: (record: AnnotationRecord) => number | undefined,
  ): Claim => {
    const { saved, savedInterval } = compareArms(pairsOf(turns, of));
    return {
      ...{ text, bound, kind: "at least", study: "this one" },
      ...{ value: saved, interval: savedInterval },
    };
  };
  const [seconds, iterations] = VALUES;
  return claimsTable([
    claim(
      "share of a user's time that picks save beside clicks (the paper: a reduction)",
      0,
      seconds.of,
    ),
    claim(
      "share of the iterations that picks save beside clicks (the paper: 39 % fewer)",
      0.39,
      iterations.of,
    ),
  ]);
}

/** All turns as CSV, one a row: measures of the record as in `summary.csv`. */
export function turnsCSV(turns: readonly Turn[]): string {
  return csvText([
    ["person", "image", "block", "arm", "by rule"].concat(
      COLUMNS.map(({ heading }) => heading),
    ),
    ...turns.map(({ person, image, block, arm, record }) => {
      const values = measures(record);
      return [
        ...[person, image, block, arm, byRule(record) ? 1 : 0],
        ...COLUMNS.map((_, k) => values[k] ?? ""),
      ];
    }),
  ]);
}

/** Whether a rule answered, and no person. */
export function byRule({ picks }: AnnotationRecord): boolean {
  return picks.some(({ by }) => by === "auto");
}
