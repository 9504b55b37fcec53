/**
 * An evaluation as a file: its settings, and the results of every case that is
 * done. It is written after every case, so that a killed run goes on, and the
 * shards of one evaluation can be merged.
 */

import { writeFileAtomic } from "../files.ts";
import type { TargetResult } from "./evaluate.ts";
import type { Beginning, RegionChoice } from "./targets.ts";
import { InputError } from "../input_error.ts";
import { findDifference } from "../same_settings.ts";

/** Results of every variant, by its name. */
export type Runs = Readonly<Record<string, readonly TargetResult[]>>;

/**
 * The parts that a choice moves; `carried` is `both` with profiles from image
 * to image, `wrong` with those of the next rater.
 */
export type VariantName =
  | "none"
  | "moments"
  | "weights"
  | "both"
  | "carried"
  | "wrong";

/** The simulated users that a command names. */
export type UserName = "nearest" | "noisy" | "random" | "click" | "mixed";

/**
 * The settings that decide the figures; whole numbers as on the command line.
 */
export interface Settings {
  readonly iterations: number;
  readonly samples: number;
  readonly variations: number;
  readonly candidates: number;
  readonly seed: number;
  readonly user: UserName;
  /** The first prompt of the user. */
  readonly beginning: Beginning;
  /** Where the network looks. */
  readonly region: RegionChoice;
  /**
   * The share of its side by which a given region is moved. Absent: it is not
   * moved.
   */
  readonly shift?: number;
  /**
   * Octaves by which the region's side may be off, where that is set. Absent: what
   * the finding of the region leaves open.
   */
  readonly doubt?: number;
  /**
   * Side of the canvases that the images are placed in. Absent: there are no
   * canvases.
   */
  readonly pad?: number;
  /** Whether every separate part of a mask is a target. */
  readonly parts?: boolean;
  readonly rule: "generator" | "m-step";
  /** Whether the mixture alone carries the choices. */
  readonly mixtureOnly?: boolean;
  /** The variants to run, one after the other. */
  readonly variants: readonly VariantName[];
  /**
   * Raters whose majority is the target. Absent: each rater in turn is a
   * target.
   */
  readonly include?: readonly string[];
  /** Whether the first proposal's samples are measured. */
  readonly sampleSet: boolean;
  /** The baseline's method. Absent: SPA. */
  readonly method?: string;
  /** Fingerprint of the model's weights. */
  readonly model: string;
}

/** The settings of its tables. */
export interface Tables {
  /** Dice to count the iterations to. */
  readonly targets: readonly number[];
}

/** The results of one case, one per target. */
export interface CaseResults {
  readonly case: string;
  readonly results: readonly TargetResult[];
}

/** An evaluation or a shard of one, perhaps unfinished. */
export interface SavedEvaluation {
  readonly format: "spa-evaluation";
  readonly version: 1;
  readonly dataset: string;
  /** Ids of all cases, those of other shards included. */
  readonly cases: readonly string[];
  readonly settings: Settings;
  readonly tables: Tables;
  /** The engine, such as "onnx, 2 threads". */
  readonly engine: string;
  /**
   * The version of the method; several, where another version went on with it.
   */
  readonly code?: string;
  /** The cases that are done, by variant. */
  readonly done: Readonly<Record<string, readonly CaseResults[]>>;
  /**
   * Profiles of the users after the last finished case, by rater, as JSON. They
   * are those of the last variant that carries profiles and has begun.
   */
  readonly profiles?: Readonly<Record<string, string>>;
}

/** The values of settings before they could be chosen; old files lack them. */
const BEFORE = { region: "whole", beginning: "click" } as const;

/** Writes an evaluation whole or not at all. */
export async function saveEvaluation(
  path: string,
  saved: SavedEvaluation,
): Promise<void> {
  await writeFileAtomic(path, JSON.stringify(saved));
}

/**
 * Reads an evaluation.
 *
 * @throws {RangeError} When the file holds something else.
 */
export async function readEvaluation(path: string): Promise<SavedEvaluation> {
  const text = await Deno.readTextFile(path);
  let saved: Partial<SavedEvaluation> | null;
  try {
    saved = JSON.parse(text);
  } catch {
    saved = null;
  }
  const { format, version, cases, settings, tables, done } = saved ?? {};
  if (
    format === "spa-evaluation" && version === 1 && Array.isArray(cases) &&
    Array.isArray(settings?.variants) && Array.isArray(tables?.targets) &&
    settings.variants.every((name) => Array.isArray(done?.[name]))
  ) {
    const known = { ...saved, settings: { ...BEFORE, ...settings } };
    return known as SavedEvaluation;
  }
  throw new InputError(
    `Cannot read an evaluation as the file must be one that deno task evaluate wrote as .json: current value is ${path}`,
  );
}

/** The results of every variant, in the order of the dataset. */
export function runsOf({ cases, settings, done }: SavedEvaluation): Runs {
  return Object.fromEntries(settings.variants.map((name) => {
    const found = new Map(done[name].map((item) => [item.case, item.results]));
    return [name, cases.flatMap((id) => found.get(id) ?? [])];
  }));
}

/** All variants, in the order of their tables. */
const ORDER: readonly VariantName[] = [
  ...["none", "moments", "weights", "both", "carried", "wrong"] as const,
];

/** The variants of some evaluations, each once. */
function joinVariants(parts: readonly SavedEvaluation[]): VariantName[] {
  const found = parts.flatMap(({ settings }) => settings.variants);
  return ORDER.filter((name) => found.includes(name));
}

/**
 * Throws unless two evaluations have the same cases and settings. Each may have
 * variants that the other lacks.
 *
 * @param action What needs it: "resume the evaluation".
 */
export function checkSame(
  action: string,
  one: SavedEvaluation,
  other: SavedEvaluation,
): void {
  const asked = ({ dataset, cases, settings }: SavedEvaluation) => ({
    dataset,
    cases,
    ...settings,
    variants: undefined,
  });
  const found = findDifference(asked(one), asked(other), BEFORE);
  if (!found) return;
  throw new InputError(
    `Cannot ${action} as its "${found.name}" must be ${found.was}: current value is ${found.is}`,
  );
}

/**
 * Takes the results of a saved evaluation, to go on with it. The new run may
 * have other tables, variants and another engine.
 *
 * @throws {RangeError} When the settings differ.
 */
export function resumeEvaluation(
  path: string,
  before: SavedEvaluation,
  asked: SavedEvaluation,
): SavedEvaluation {
  checkSame(`go on with ${path}`, before, asked);
  const { cases } = before;
  const variants = joinVariants([before, asked]);
  const done = { ...asked.done, ...before.done };
  const all = variants.every((name) => done[name].length === cases.length);
  return {
    ...before,
    settings: { ...before.settings, variants },
    done,
    tables: asked.tables,
    ...(all ? {} : joinOrigins([before, asked])),
  };
}

/** The engines or versions of some evaluations, each once. */
function joinTexts(
  parts: readonly SavedEvaluation[],
  name: "engine" | "code",
): string {
  const texts = parts.flatMap((part) => part[name]?.split("; ") ?? []);
  return [...new Set(texts)].join("; ");
}

/** The engines and versions of the parts of an evaluation. */
function joinOrigins(parts: readonly SavedEvaluation[]) {
  const known = parts.some(({ code }) => code !== undefined);
  return {
    engine: joinTexts(parts, "engine"),
    ...(known && { code: joinTexts(parts, "code") }),
  };
}

/**
 * Joins the shards of an evaluation. It also joins evaluations of one included
 * rater each to one of each rater in turn; their models may differ, such as
 * models trained without that rater.
 *
 * @param parts At least one.
 * @throws {RangeError} When their settings differ, or a case is missing or in
 * more than one of them.
 */
export function mergeEvaluations(
  parts: readonly SavedEvaluation[],
): SavedEvaluation {
  const [first, ...rest] = parts;
  if (!first) {
    throw new InputError(
      "Cannot merge as there must be a file: current value is none",
    );
  }
  const alone = new Set(
    parts.map(({ settings: { include } }) =>
      include?.length === 1 ? include[0] : undefined
    ),
  );
  if (rest.length > 0 && alone.size === parts.length && !alone.has(undefined)) {
    return joinRaters(parts);
  }
  for (const part of rest) checkSame("merge", first, part);
  const { cases } = first;
  const settings = { ...first.settings, variants: joinVariants(parts) };
  const done = Object.fromEntries(settings.variants.map((name) => {
    const all = parts.flatMap((part) => part.done[name] ?? []);
    const found = new Map(all.map((item) => [item.case, item]));
    const missing = cases.filter((id) => !found.has(id));
    if (missing.length > 0 || found.size < all.length) {
      throw new InputError(
        `Cannot merge as every case must be in one file: current value is ${missing.length} missing${
          missing.length > 0 ? ` (${missing[0]})` : ""
        } and ${all.length - found.size} repeated of "${name}"`,
      );
    }
    return [name, cases.map((id) => found.get(id)!)];
  }));
  return { ...first, settings, ...joinOrigins(parts), done };
}

/** Joins whole evaluations of different raters, one each. */
function joinRaters(parts: readonly SavedEvaluation[]): SavedEvaluation {
  const models = new Set(parts.map(({ settings }) => settings.model));
  const model = [...models].join(", ");
  const [first, ...rest] = parts.map((part) => ({
    ...mergeEvaluations([part]), // no case may be missing
    settings: { ...part.settings, include: undefined, model },
  }));
  for (const part of rest) checkSame("merge", first, part);
  const done = Object.fromEntries(
    first.settings.variants.map((name) => [
      name,
      first.cases.map((id, i) => ({
        case: id,
        results: [first, ...rest].flatMap(({ done }) => done[name][i].results),
      })),
    ]),
  );
  return { ...first, ...joinOrigins(parts), done };
}
