/** What the commands share: their options, and how they report errors. */

import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

/** A whole number's bounds, both allowed. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** What a command understands, besides `--help` and `-h`. */
export interface CommandOptions {
  /** Options that take a value. */
  readonly values?: readonly string[];
  /** Options that take a value and may be given more than once. */
  readonly repeated?: readonly string[];
  /** Options without a value. */
  readonly flags?: readonly string[];
  /** Whether it takes names of files as well, without an option's name. */
  readonly files?: boolean;
}

/** A command's arguments, read by name; a bad one is an error of one line. */
export class CommandLine {
  readonly #action: string;
  readonly #found: Record<string, string | boolean | (string | boolean)[]>;
  /** The files that were named, in order. */
  readonly files: readonly string[];

  /**
   * @param action What the command does, for its errors: "run the demo".
   * @param args The arguments.
   * @param options What it understands.
   * @throws {RangeError} When an option is unknown or lacks its value.
   */
  constructor(
    action: string,
    args: readonly string[],
    { values = [], repeated = [], flags = [], files = false }: CommandOptions,
  ) {
    this.#action = action;
    const options: ParseArgsOptionsConfig = {
      help: { type: "boolean", short: "h" },
    };
    for (const name of values) options[name] = { type: "string" };
    for (const name of repeated) {
      options[name] = { type: "string", multiple: true };
    }
    for (const name of flags) options[name] = { type: "boolean" };
    try {
      const { values, positionals } = parseArgs({
        args: withNegativeValues(args, options),
        options,
        allowPositionals: files,
      });
      this.files = positionals;
      this.#found = values as Record<
        string,
        string | boolean | (string | boolean)[]
      >;
    } catch (error) {
      // Of the further lines only the last one helps: how to write a dash.
      const [reason, ...more] = (error as Error).message.split(/\.?\n/);
      const hint = more.length > 0 ? `; ${more.at(-1)}` : "";
      throw new RangeError(
        `Cannot ${action} as its options must be those of --help: ${
          reason.split(". ")[0]
        }${hint}`,
      );
    }
  }

  /** Whether an option was given. */
  has(name: string): boolean {
    return this.#found[name] !== undefined;
  }

  /** An option's value as it was given. */
  text(name: string): string | undefined {
    return this.#found[name] as string | undefined;
  }

  /** The values of an option that may be repeated, in order. */
  texts(name: string): string[] {
    return (this.#found[name] ?? []) as string[];
  }

  /** A whole number within bounds. */
  integer(name: string, fallback: number, { min, max }: Bounds): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (
      text.trim() !== "" && Number.isInteger(value) && value >= min &&
      value <= max
    ) return value;
    throw this.refuse(`--${name} must be a whole number, ${min}..${max}`, text);
  }

  /** One of several words. */
  oneOf<const Word extends string>(
    name: string,
    words: readonly Word[],
    fallback: NoInfer<Word>,
  ): Word {
    const text = this.text(name) ?? fallback;
    const word = words.find((word) => word === text);
    if (word !== undefined) return word;
    throw this.refuse(`--${name} must be one of ${words.join(", ")}`, text);
  }

  /** Numbers between commas. */
  numbers(name: string, text: string, form: string): number[] {
    const values = text.split(",").map((part) =>
      part.trim() === "" ? NaN : Number(part)
    );
    if (
      values.every(Number.isFinite) && values.length === form.split(",").length
    ) return values;
    throw this.refuse(`--${name} must be numbers as in ${form}`, text);
  }

  /** The error of an option's value. */
  refuse(rule: string, value: unknown, cause?: unknown): RangeError {
    return new RangeError(
      `Cannot ${this.#action} as ${rule}: current value is ${value}`,
      { cause },
    );
  }
}

/** Joins an option and its negative number, `--point -1,5`, as parseArgs asks. */
function withNegativeValues(
  args: readonly string[],
  options: ParseArgsOptionsConfig,
): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const before = joined.at(-1) ?? "";
    const takesValue = before.startsWith("--") &&
      options[before.slice(2)]?.type === "string";
    if (takesValue && /^-\.?\d/.test(arg)) {
      joined[joined.length - 1] = `${before}=${arg}`;
    } else {
      joined.push(arg);
    }
  }
  return joined;
}

/** Bounds of `--seed`. */
export const SEEDS: Bounds = { min: 0, max: 2 ** 31 - 1 };

/** Bounds of `--threads`. */
export const THREADS: Bounds = { min: 1, max: 256 };

/**
 * Runs a command. An error that explains itself ("Cannot X as ...") or comes
 * from the file system is one line on stderr, any other keeps its stack trace;
 * the exit code is 1 after both.
 */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(describeError(error));
    Deno.exit(1);
  }
}

/** How a command reports an error. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = /^Cannot .+ as /s.test(error.message) ||
    error.name in Deno.errors;
  return expected
    ? error.message.replaceAll(/\s+/g, " ").trim()
    : error.stack ?? error.message;
}
