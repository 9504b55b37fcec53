/**
 * An evaluation as a file: what was asked, and the results of every case that
 * is done. It is written after every case, so that a run that was killed goes
 * on where it was, and the shards of one evaluation can be merged.
 */

import { writeFileAtomic } from "../files.ts";
import type { TargetResult } from "./evaluate.ts";
import type { Beginning, RegionChoice } from "./targets.ts";
import { InputError } from "../input_error.ts";
import { findDifference } from "../same_settings.ts";

/** Results of every variant, by its name. */
export type Runs = Readonly<Record<string, readonly TargetResult[]>>;

/**
 * What a choice moves; `carried` is `both` with profiles from image to image,
 * `wrong` with those of the next rater.
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

/** What the figures depend on; whole numbers as on the command line. */
export interface Settings {
  readonly iterations: number;
  readonly samples: number;
  readonly variations: number;
  readonly candidates: number;
  readonly seed: number;
  readonly user: UserName;
  /** What the user gives first. */
  readonly beginning: Beginning;
  /** Where the network looks. */
  readonly region: RegionChoice;
  /** By what share of its side a given region is moved; not at all without it. */
  readonly shift?: number;
  /** Side of the canvases that the images are placed in; as they are without it. */
  readonly pad?: number;
  /** Whether every separate part of a mask is a target. */
  readonly parts?: boolean;
  readonly rule: "generator" | "m-step";
  /** Whether the mixture alone carries the choices. */
  readonly mixtureOnly?: boolean;
  /** What is run, one after the other. */
  readonly variants: readonly VariantName[];
  /** Raters whose majority is the target; each rater in turn without it. */
  readonly include?: readonly string[];
  /** Whether the first proposal's samples are measured. */
  readonly sampleSet: boolean;
  /** The baseline's method; SPA without it. */
  readonly method?: string;
  /** Fingerprint of the model's weights. */
  readonly model: string;
}

/** How its tables are made. */
export interface Tables {
  /** Dice to count the iterations to. */
  readonly targets: readonly number[];
}

/** The results of one case: as many as it has targets. */
export interface CaseResults {
  readonly case: string;
  readonly results: readonly TargetResult[];
}

/** An evaluation, or a shard of one, as far as it is done. */
export interface SavedEvaluation {
  readonly format: "spa-evaluation";
  readonly version: 1;
  readonly dataset: string;
  /** Ids of all cases, those of other shards included. */
  readonly cases: readonly string[];
  readonly settings: Settings;
  readonly tables: Tables;
  /** What computed it, such as "onnx, 2 threads". */
  readonly engine: string;
  /** What version of the method it is of; several, where some went on with others. */
  readonly code?: string;
  /** The cases that are done, by variant. */
  readonly done: Readonly<Record<string, readonly CaseResults[]>>;
  /**
   * Profiles of the users after the last case that is done, by rater, as JSON: of
   * the last variant that carries them and is begun.
   */
  readonly profiles?: Readonly<Record<string, string>>;
}

/** What settings were before they could be chosen: an old file lacks them. */
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
 * Throws unless two evaluations are of the same cases, asked alike; each may have
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
 * What is done of an evaluation, to go on with; other tables and variants may be
 * asked for, and what is left may be another engine's.
 *
 * @throws {RangeError} When it was not asked alike.
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

/** All that computed some evaluations, each once. */
function joinTexts(
  parts: readonly SavedEvaluation[],
  name: "engine" | "code",
): string {
  const texts = parts.flatMap((part) => part[name]?.split("; ") ?? []);
  return [...new Set(texts)].join("; ");
}

/** What computed the parts of an evaluation. */
function joinOrigins(parts: readonly SavedEvaluation[]) {
  const known = parts.some(({ code }) => code !== undefined);
  return {
    engine: joinTexts(parts, "engine"),
    ...(known && { code: joinTexts(parts, "code") }),
  };
}

/**
 * Joins the shards of an evaluation; or evaluations of one included rater each,
 * whatever their models, as of those that were trained without that rater, to
 * one of each rater in turn.
 *
 * @param parts At least one.
 * @throws {RangeError} When they were not asked alike, or a case is missing or
 * in more than one of them.
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
