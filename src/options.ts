/**
 * Options as a caller without types gives them: notebooks run without a type
 * check, so every public function looks at its options' names and types once.
 */

import { InputTypeError } from "./input_error.ts";

/** Types of an option; several are joined by " | ". */
const TYPES = {
  number: (value: unknown) => typeof value === "number",
  string: (value: unknown) => typeof value === "string",
  boolean: (value: unknown) => typeof value === "boolean",
  function: (value: unknown) => typeof value === "function",
  array: (value: unknown) => Array.isArray(value),
  object: (value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value),
  ndarray: isNdArray,
};

/** The name of a type. */
type OptionType = keyof typeof TYPES;

const NAMES: Record<OptionType, string> = {
  number: "a number",
  string: "a string",
  boolean: "true or false",
  function: "a function",
  array: "an array",
  object: "an object",
  ndarray: "an ndarray",
};

/** Whether a value is an ndarray, or has all that is read of one. */
export function isNdArray(value: unknown): boolean {
  const array = value as Record<string, unknown> | null | undefined;
  return typeof array === "object" && array !== null &&
    Array.isArray(array.shape) && Array.isArray(array.stride) &&
    typeof array.offset === "number" && typeof array.data === "object";
}

/** A value as an error shows it: short, and told from its text. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (isNdArray(value)) {
    return `an ndarray [${(value as { shape: number[] }).shape}]`;
  }
  if (typeof value === "object" && value !== null) {
    return `an object with ${
      Object.keys(value).slice(0, 5).join(", ") || "nothing"
    }`;
  }
  return typeof value === "bigint" ? `${value}n` : String(value);
}

/** How many letters differ between two words, their case aside (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

/** The known name that an unknown one was probably meant to be. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const [best] = known
    .map((word) => ({ word, far: distance(lower, word.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  return best && best.far <= Math.max(1, name.length / 3)
    ? best.word
    : undefined;
}

/**
 * Throws unless an options object has known names only, each with a value of its
 * type. An option that is undefined counts as absent.
 *
 * @param action What the caller does, for the message: "read the image".
 * @param options What was given.
 * @param types The type of every option; several are joined: "number | array".
 * @throws {TypeError} When the options are no object, a name is unknown, or a
 * value is of another type.
 *
 * @example A name that is spelled wrong
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkOptions } from "./options.ts";
 *
 * const options: { slice?: number } = JSON.parse('{ "Slice": 3 }');
 * assert.throws(
 *   () => checkOptions("read the image", options, { slice: "number" }),
 *   /there is no option "Slice": did you mean "slice"\?/,
 * );
 * ```
 */
export function checkOptions<T extends object>(
  action: string,
  options: T,
  types: { readonly [Name in keyof Required<T>]: string },
): void {
  if (!TYPES.object(options)) {
    throw new InputTypeError(
      `Cannot ${action} as the options must be an object: current value is ${
        showValue(options)
      }`,
    );
  }
  const table = types as Record<string, string>;
  const known = Object.keys(table);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(table, name)) {
      const meant = nearest(name, known);
      throw new InputTypeError(
        `Cannot ${action} as there is no option ${showValue(name)}: ${
          meant ? `did you mean "${meant}"? ` : ""
        }The options are ${known.join(", ")}`,
      );
    }
    if (value === undefined) continue;
    const allowed = table[name].split(" | ") as OptionType[];
    if (allowed.some((type) => TYPES[type](value))) continue;
    throw new InputTypeError(
      `Cannot ${action} as the option "${name}" must be ${
        allowed.map((type) => NAMES[type]).join(" or ")
      }: current value is ${showValue(value)}`,
    );
  }
}
