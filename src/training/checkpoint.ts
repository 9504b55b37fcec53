/** Training checkpoints: the whole state, so that training resumes exactly. */

import {
  readSafetensors,
  writeSafetensors,
} from "../checkpoints/safetensors.ts";
import { writeFileAtomic } from "../files.ts";
import type { HostTensor } from "../engine/tensors.ts";
import { restoreValue, saveValue } from "./saved_value.ts";

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
 * @param recipe The options of the run that is to go on; they must be those
 * that the checkpoint was written with.
 * @returns The checkpoint, or undefined when there is no such file.
 * @throws {RangeError} When the file is not a checkpoint, or one of another run.
 */
export async function readCheckpoint<Example>(
  path: string,
  recipe: string,
): Promise<Checkpoint<Example> | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.recipe !== recipe) {
    throw new RangeError(
      `Cannot resume from ${path} as its recipe must be this run's: current value is ${metadata.recipe}, this run's ${recipe}`,
    );
  }
  const step = Number(metadata.step);
  if (!/^\d+$/.test(metadata.step) || !Number.isSafeInteger(step)) {
    throw new RangeError(
      `Cannot resume from ${path} as its step must be a whole number: current value is ${metadata.step}`,
    );
  }
  const part = (name: string) => {
    const tensor = tensors.get(name);
    if (tensor) return tensor;
    throw new RangeError(
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
