/** Whether two runs have the same settings, so that one goes on with the other. */

/** The first setting in which two runs differ, as texts to show. */
export interface Difference {
  /** Its name; of a setting inside another, "recipe.samples". */
  readonly name: string;
  readonly was: string;
  readonly is: string;
}

/**
 * Finds the first setting in which a run that goes on differs from the one that
 * was saved. The order of the settings does not matter. A setting that only one
 * of them has counts as its default in the other: a version that adds a setting
 * goes on with what versions before it saved.
 *
 * @param before What was saved.
 * @param now What is asked for.
 * @param defaults The settings' defaults, nested as they are; a setting without
 * one differs where only one run has it.
 * @param textOf How a value is shown, and compared. Default: JSON, or "not
 * given".
 * @returns The difference; undefined where they are the same.
 *
 * @example A version that adds `pad`
 * ```ts
 * import assert from "node:assert/strict";
 * import { findDifference } from "./same_settings.ts";
 *
 * const saved = { samples: 48 };
 * const defaults = { pad: 0 };
 * assert.equal(findDifference(saved, { pad: 0, samples: 48 }, defaults), undefined);
 * assert.deepEqual(findDifference(saved, { pad: 2, samples: 48 }, defaults), {
 *   name: "pad",
 *   was: "0",
 *   is: "2",
 * });
 * ```
 */
export function findDifference(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, unknown>> = {},
  textOf: (value: unknown) => string = showJSON,
): Difference | undefined {
  for (const name of Object.keys({ ...before, ...now })) {
    const usual = defaults[name];
    const { [name]: was = usual } = before;
    const { [name]: is = usual } = now;
    if (isRecord(was) && isRecord(is)) {
      const inner = isRecord(usual) ? usual : {};
      const found = findDifference(was, is, inner, textOf);
      if (found) return { ...found, name: `${name}.${found.name}` };
    } else if (textOf(was) !== textOf(is)) {
      return { name, was: shorten(textOf(was)), is: shorten(textOf(is)) };
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function showJSON(value: unknown): string {
  return value === undefined ? "not given" : JSON.stringify(value);
}

/** The beginning of a text, enough to recognize it. */
function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
