/** Training checkpoints: the whole state, so that training resumes exactly. */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import {
  readSafetensors,
  writeSafetensors,
} from "../checkpoints/safetensors.ts";
import { ifThere, writeFileAtomic } from "../files.ts";
import type { HostTensor } from "../engine/tensors.ts";
import { InputError } from "../input_error.ts";
import { findDifference } from "../same_settings.ts";

/** The vectors of the optimizer's state, [P] each. */
export type HostState = Readonly<
  Record<
    "parameters" | "firstMoment" | "secondMoment" | "average",
    HostTensor
  >
>;

/** A point to resume from. */
export interface Checkpoint<Example> {
  /** Steps done. */
  readonly step: number;
  readonly state: HostState;
  /** The users at work, as `saveValue` takes them. */
  readonly examples: readonly Example[];
}

/**
 * Writes a checkpoint, whole or not at all.
 *
 * @param path The file; written to a temporary name and renamed.
 * @param recipe All options that the run depends on, as JSON.
 */
export async function writeCheckpoint(
  path: string,
  { step, state, examples }: Checkpoint<unknown>,
  recipe: string,
): Promise<void> {
  const saved = saveValue(examples);
  const metadata = { step: `${step}`, recipe, examples: saved.text };
  const tensors = [...Object.entries(state), ...saved.tensors];
  await writeFileAtomic(path, writeSafetensors(tensors, metadata));
}

/**
 * Reads a checkpoint.
 *
 * @param recipe The options of the run that is to go on, as JSON; they must be
 * those that the checkpoint was written with.
 * @param defaults Defaults of the options: what a checkpoint of a version that
 * had no such option was written with.
 * @returns The checkpoint, or undefined when there is no such file.
 * @throws {RangeError} When the file is not a checkpoint, or one of another run.
 */
export async function readCheckpoint<Example>(
  path: string,
  recipe: string,
  defaults: Readonly<Record<string, unknown>> = {},
): Promise<Checkpoint<Example> | undefined> {
  const bytes = await ifThere(Deno.readFile(path));
  if (!bytes) return undefined;
  const { tensors, metadata } = readSafetensors(bytes);
  if (!isSameRun(metadata.recipe, recipe, defaults)) {
    throw new InputError(
      `Cannot resume from ${path} as its recipe must be this run's: current value is ${metadata.recipe}, this run's ${recipe}`,
    );
  }
  const step = Number(metadata.step);
  if (!/^\d+$/.test(metadata.step) || !Number.isSafeInteger(step)) {
    throw new InputError(
      `Cannot resume from ${path} as its step must be a whole number: current value is ${metadata.step}`,
    );
  }
  const part = (name: string) => {
    const tensor = tensors.get(name);
    if (tensor) return tensor;
    throw new InputError(
      `Cannot resume from ${path} as it must have the vector "${name}": current names are ${
        [...tensors.keys()].join(", ")
      }`,
    );
  };
  return {
    step,
    state: {
      parameters: part("parameters"),
      firstMoment: part("firstMoment"),
      secondMoment: part("secondMoment"),
      average: part("average"),
    },
    examples: restoreValue({
      tensors,
      text: metadata.examples ?? "[]",
    }) as Example[],
  };
}

/** Whether two texts of options are of the same run. */
function isSameRun(
  before: string | undefined,
  now: string,
  defaults: Readonly<Record<string, unknown>>,
): boolean {
  if (before === now) return true;
  try {
    const [was, is] = [before ?? "", now].map((text) => JSON.parse(text));
    return findDifference({ run: was }, { run: is }, { run: defaults }) ===
      undefined;
  } catch {
    return false; // not JSON
  }
}

/** A value with arrays in it, taken apart into tensors and text. */
interface SavedValue {
  /** Its arrays, exactly as they were. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** The rest, as JSON. */
  readonly text: string;
}

/** The entry of the text for an array. */
interface Reference {
  /** The tensor's name. */
  readonly tensor: string;
  /** `words`: an array of float64, as pairs of int32; `map`: an ndarray. */
  readonly as: "array" | "words" | "map";
  /** The ndarray's shape. */
  readonly shape?: number[];
}

const KEY = "$saved";

/**
 * Takes a value apart.
 *
 * @param value Plain objects and lists of numbers, strings, typed arrays
 * (float32, float64, int32) and contiguous ndarrays of float32.
 */
function saveValue(value: unknown): SavedValue {
  const tensors = new Map<string, HostTensor>();
  const put = (
    data: HostTensor["data"],
    as: Reference["as"],
    shape?: number[],
  ): Record<typeof KEY, Reference> => {
    const tensor = `values.${tensors.size}`;
    tensors.set(tensor, { data, shape: [data.length] });
    return { [KEY]: { tensor, as, shape } };
  };
  const text = JSON.stringify(value, (_, part) => {
    if (part instanceof Float32Array || part instanceof Int32Array) {
      return put(part, "array");
    }
    if (part instanceof Float64Array) {
      return put(new Int32Array(part.slice().buffer), "words");
    }
    if (part?.data instanceof Float32Array && part.stride) {
      return put(part.data, "map", part.shape);
    }
    return part;
  });
  return { tensors, text };
}

/**
 * Puts a value together again.
 *
 * @throws {RangeError} When a tensor is missing.
 */
function restoreValue({ tensors, text }: SavedValue): unknown {
  return JSON.parse(text, (_, part) => {
    const reference: Reference | undefined = part?.[KEY];
    if (!reference) return part;
    const { tensor, as, shape } = reference;
    const data = tensors.get(tensor)?.data;
    if (!data) {
      throw new InputError(
        `Cannot restore the users of a checkpoint as it must have the tensor "${tensor}": current names are ${
          [...tensors.keys()].join(", ")
        }`,
      );
    }
    if (as === "words") return new Float64Array(data.slice().buffer);
    return as === "map" ? ndarray(data, shape) : data;
  });
}
