/**
 * What the commands share: the reading of arguments, `--help`, and the report
 * of errors. One table of options per command serves the first two.
 */

import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { ENGINE_NAMES, PROVIDERS } from "../engine/active_engine.ts";
import type { Provider } from "../engine/engine.ts";
import { InputError, isInputError } from "../input_error.ts";

/** One option of a command; without value and words it is a flag. */
export interface Option {
  /** What `--help` calls its value, such as FILE. */
  readonly value?: string;
  /** The words that the value must be one of. */
  readonly words?: readonly string[];
  /** The least number, allowed itself. */
  readonly min?: number;
  /** The largest number, allowed itself. */
  readonly max?: number;
  /** The value where none is given. */
  readonly default?: string | number;
  /** The words of `--help` for a default that is no fixed value. */
  readonly shown?: string;
  /** Whether it may be given more than once. */
  readonly repeated?: boolean;
  /** What it does, in plain English. */
  readonly help: string;
}

/** Options by name. */
export type Options = Readonly<Record<string, Option>>;

/** A command: its purpose, and all its options besides `--help`. */
export interface Command {
  /** What it does, as its errors say it: "run the demo". */
  readonly action: string;
  /** How it is called, a line each. */
  readonly usage: readonly string[];
  /** What it does, for `--help`; paragraphs are parted by an empty line. */
  readonly about: string;
  /** Its options under their headings. */
  readonly options: Readonly<Record<string, Options>>;
  /** Whether it takes names of files besides its options. */
  readonly files?: boolean;
}

/** The column at which the options' texts begin, and at which lines end. */
const INDENT = 23, WIDTH = 80;

/** What a command's `--help` prints. */
export function helpOf({ usage, about, options }: Command): string {
  const groups = Object.entries(options).map(([heading, group]) => {
    const lines = Object.entries(group).map(([name, option]) =>
      describeOption(name, option)
    );
    return [...(heading ? [heading] : []), ...lines].join("\n");
  });
  const text = about.split("\n\n").map((paragraph) => wrap(paragraph, WIDTH));
  return [usage.join("\n"), ...text, ...groups].join("\n\n") + "\n";
}

/** The lines of one option. */
function describeOption(name: string, option: Option): string {
  const { value = option.words && "NAME", words, repeated, help } = option;
  const fallback = option.shown ?? option.default;
  const facts = [
    help,
    ...(words ? [`: ${words.join(", ")}`] : []),
    ...(repeated ? ["; may be repeated"] : []),
    ...(fallback === undefined ? [] : [` (${fallback})`]),
  ].join("");
  const left = `  --${name}${value ? ` ${value}` : ""}`;
  const lines = wrap(facts, WIDTH - INDENT).split("\n");
  const indented = lines.map((line) => " ".repeat(INDENT) + line);
  if (left.length >= INDENT - 1) return [left, ...indented].join("\n");
  return [left.padEnd(INDENT) + lines[0], ...indented.slice(1)].join("\n");
}

/** Breaks a text between words into lines of a width at most. */
function wrap(text: string, width: number): string {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) {
      lines.push(word);
    } else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join("\n");
}

/** What every command has. */
const HELP: Option = { help: "this text" };

/** The given values, by the options' names. */
type Given = Record<string, string | boolean | (string | boolean)[]>;

/** A command's arguments, read by name; a bad one is an error of one line. */
export class CommandLine {
  readonly #action: string;
  readonly #options: Options;
  readonly #found: Given;
  /** The files that were named, in order. */
  readonly files: readonly string[];
  /** The text of `--help`, where it was asked for. */
  readonly help?: string;

  /**
   * @param command What it understands.
   * @param args The arguments.
   * @throws {InputError} When an option is unknown or lacks its value.
   */
  constructor(command: Command, args: readonly string[]) {
    this.#action = command.action;
    this.#options = Object.assign({}, ...Object.values(command.options));
    const options: ParseArgsOptionsConfig = {
      help: { type: "boolean", short: "h" },
    };
    for (const [name, option] of Object.entries(this.#options)) {
      const flag = option.value === undefined && option.words === undefined;
      options[name] = {
        type: flag ? "boolean" : "string",
        ...(option.repeated && { multiple: true }),
      };
    }
    try {
      const { values, positionals } = parseArgs({
        args: withNegativeValues(args, options),
        options,
        allowPositionals: command.files ?? false,
      });
      this.files = positionals;
      this.#found = values as Given;
    } catch (error) {
      // Only the last of the further lines helps: how to write a dash.
      const [reason, ...more] = (error as Error).message.split(/\.?\n/);
      const hint = more.length > 0 ? `; ${more.at(-1)}` : "";
      throw new InputError(
        `Cannot ${this.#action} as its options must be those of --help: ${
          reason.split(". ")[0]
        }${hint}`,
      );
    }
    if (this.#found.help) this.help = helpOf(command);
  }

  /** Whether the command has such an option. */
  knows(name: string): boolean {
    return Object.hasOwn(this.#options, name);
  }

  /** Whether an option was given. */
  has(name: string): boolean {
    this.#option(name);
    return this.#found[name] !== undefined;
  }

  /** An option's value as it was given, else its default. */
  text<Value extends string | undefined = string | undefined>(
    name: string,
  ): Value {
    const { default: fallback } = this.#option(name);
    return (this.#found[name] ?? fallback?.toString()) as Value;
  }

  /** The values of an option that may be repeated, in order. */
  texts(name: string): string[] {
    this.#option(name);
    return (this.#found[name] ?? []) as string[];
  }

  /**
   * A whole number within the option's bounds.
   *
   * @param fallback Where none is given and the table has no default.
   */
  integer(name: string, fallback?: number): number {
    return this.#number(name, fallback, Number.isInteger, "a whole number");
  }

  /** A number within the option's bounds. */
  number(name: string, fallback?: number): number {
    return this.#number(name, fallback, Number.isFinite, "a number");
  }

  #number(
    name: string,
    fallback: number | undefined,
    fits: (value: number) => boolean,
    kind: string,
  ): number {
    const { default: usual, min = 0, max = 1 } = this.#option(name);
    const text = this.#found[name] as string | undefined;
    if (text === undefined) return fallback ?? Number(usual);
    const value = text.trim() === "" ? NaN : Number(text);
    if (fits(value) && value >= min && value <= max) return value;
    throw this.refuse(`--${name} must be ${kind}, ${min}..${max}`, text);
  }

  /** One of the option's words; without a default it has to be given. */
  oneOf<const Word extends string>(
    name: string,
    words: readonly Word[],
    fallback?: NoInfer<Word>,
  ): Word {
    const text = this.#found[name] ?? fallback ?? this.#option(name).default;
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
  refuse(rule: string, value: unknown, cause?: unknown): InputError {
    return new InputError(
      `Cannot ${this.#action} as ${rule}: current value is ${value}`,
      { cause },
    );
  }

  #option(name: string): Option {
    if (name === "help") return HELP;
    if (this.knows(name)) return this.#options[name];
    throw new Error(`--${name} is not in the table of this command's options`);
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

/** Bounds of every `--seed`. */
export const SEEDS = { value: "N", min: 0, max: 2 ** 31 - 1 } as const;

/** The words of every `--split`. */
export const SPLITS = ["train", "val", "test"] as const;

/** The `--engine` of every command. */
export const ENGINE = {
  words: ["auto", ...ENGINE_NAMES] as const,
  default: "auto",
  help: "the engine that computes",
} satisfies Option;

/** The `--threads` of every command. */
export const THREADS: Option = {
  value: "N",
  min: 1,
  max: 256,
  help: "threads of the engine",
};

/** The `--model` of every command. */
export const MODEL: Option = {
  value: "FILE",
  default: "tiny",
  help: "weights; those that come with the module are tiny and small",
};

/** The `--samples` of every command. */
export const SAMPLES: Option = {
  value: "N",
  min: 1,
  max: 1024,
  default: 48,
  help: "samples of a proposal",
};

/** The `--candidates` of every command. */
export const CANDIDATES: Option = {
  value: "N",
  min: 1,
  max: 16,
  default: 4,
  help: "candidates of a proposal",
};

/** The `--provider` of commands that use ONNX Runtime. */
export const PROVIDER: Option = {
  words: PROVIDERS,
  shown: "cpu",
  help: "what computes for ONNX Runtime; webgpu and cuda need a GPU",
};

/** The `--provider` that was given, if any. */
export function readProvider(line: CommandLine): { provider?: Provider } {
  return line.has("provider")
    ? { provider: line.oneOf("provider", PROVIDERS) }
    : {};
}

/** The `--threads` that was given, if any. */
export function readThreads(line: CommandLine): { threads?: number } {
  return line.has("threads") ? { threads: line.integer("threads") } : {};
}

/**
 * Runs a command. An input error, or one of the file system, is one line on
 * stderr; any other keeps its stack trace. The exit code is 1 after both.
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
  return isInputError(error)
    ? error.message.replaceAll(/\s+/g, " ").trim()
    : error.stack ?? error.message;
}
