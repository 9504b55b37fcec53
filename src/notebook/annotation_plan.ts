/** The plan of a user study: which person does which images, in what order, with what. */

import { join } from "node:path";
import { ifThere } from "../files.ts";
import { InputError } from "../input_error.ts";
import type { AnnotationItem } from "./annotation_images.ts";
import { parseFormat } from "./annotation_record.ts";

/** What a person changes a mask with: picks (and clicks), or clicks alone. */
export type StudyArm = "picks" | "clicks";

/** Images that are done one after another, with one arm. */
export interface StudyBlock {
  readonly arm: StudyArm;
  /** Ids of images, in the order in which they are done. */
  readonly images: readonly string[];
}

/** Who does what; `deno task study plan` writes it as JSON. */
export interface StudyPlan {
  readonly format: typeof PLAN_FORMAT;
  readonly version: 1;
  /** The seed that it was drawn with. */
  readonly seed: number;
  /** The blocks of each person, in order. */
  readonly persons: Readonly<Record<string, readonly StudyBlock[]>>;
}

/** What a plan says it is. */
export const PLAN_FORMAT = "spa-study";

/** What a person's name must be: it names a folder. */
export const PERSON = /^[\p{L}\p{N}][\p{L}\p{N}_-]{0,63}$/u;

/** The folder of a block's masks and records; blocks count from 1. */
export function blockFolder(
  out: string,
  person: string,
  block: number,
  arm: StudyArm,
): string {
  return join(out, person, `${block}-${arm}`);
}

/**
 * Reads a plan.
 *
 * @throws {RangeError} When there is no such file, or it is no plan.
 */
export async function readStudyPlan(path: string): Promise<StudyPlan> {
  const refuse = (rule: string, found: unknown) =>
    new InputError(
      `Cannot read the plan of a study as ${path} must ${rule}: current value is ${found}`,
    );
  const text = await ifThere(Deno.readTextFile(path));
  if (text === undefined) throw refuse("be a file", "none");
  const json = parseFormat(text, PLAN_FORMAT, 1, refuse);
  const { persons } = json;
  if (typeof persons !== "object" || !persons || Array.isArray(persons)) {
    throw refuse("have persons by their names", JSON.stringify(persons));
  }
  for (const [person, blocks] of Object.entries(persons)) {
    if (!PERSON.test(person)) {
      throw refuse(
        "name persons by letters, digits, _ and -",
        JSON.stringify(person),
      );
    }
    if (Array.isArray(blocks) && blocks.every(isBlock)) continue;
    throw refuse(
      `give ${person} blocks { "arm": "picks" or "clicks", "images": [ids] }`,
      JSON.stringify(blocks)?.slice(0, 80),
    );
  }
  return json as unknown as StudyPlan;
}

function isBlock(value: unknown): value is StudyBlock {
  const { arm, images } = Object(value) as Record<string, unknown>;
  return (arm === "picks" || arm === "clicks") && Array.isArray(images) &&
    images.length > 0 && images.every((id) => typeof id === "string");
}

/** The blocks of a person. */
export function blocksOf(
  { persons }: StudyPlan,
  person: string | undefined,
): readonly StudyBlock[] {
  if (person !== undefined && Object.hasOwn(persons, person)) {
    return persons[person];
  }
  throw new InputError(
    `Cannot annotate as person must be in the plan, ${
      Object.keys(persons).join(", ")
    }: current value is ${person}`,
  );
}

/** The images of a block, in its order. */
export function itemsOf<Item extends AnnotationItem>(
  { images }: StudyBlock,
  list: readonly Item[],
): Item[] {
  const found = new Map(list.map((item) => [item.id, item]));
  return images.map((id) => {
    const item = found.get(id);
    if (item) return item;
    throw new InputError(
      `Cannot annotate as the images must be those of the plan: current value lacks ${id}`,
    );
  });
}
