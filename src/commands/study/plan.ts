/** Draws the plan of a user study: SPA's picks against clicks alone. */

import { InputError } from "../../input_error.ts";
import {
  PERSON,
  PLAN_FORMAT,
  type StudyArm,
  type StudyBlock,
  type StudyPlan,
} from "../../notebook/annotation_plan.ts";
import { createRandom, type Random } from "../../random.ts";

/** Values in random order. */
function shuffled<T>(values: readonly T[], random: Random): T[] {
  const left = [...values];
  for (let i = left.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [left[i], left[j]] = [left[j], left[i]];
  }
  return left;
}

/**
 * Draws who does which images in what order and with which arm. Everyone does every
 * image once by picks and once by clicks alone, so that both are compared within
 * the person and the image. Two persons share two halves of the images: one does
 * the first half by picks, the second by clicks, then the first by clicks and the
 * second by picks; the other has the arms the other way round. So each image is
 * met first by picks by as many persons as by clicks, what is learned and
 * remembered helps both arms alike, and a whole block lies between an image's two
 * turns. The order within a block is random, of each person and block anew.
 *
 * @param ids The images that there are.
 * @param names The persons, an even number.
 * @param count How many of the images, drawn at random.
 * @param seed Seed of all draws.
 * @throws {RangeError} When persons are odd in number, twice the same or not
 * named by letters and digits, or there are fewer images than asked for.
 */
export function makePlan(
  ids: readonly string[],
  names: readonly string[],
  count: number,
  seed: number,
): StudyPlan {
  const refuse = (rule: string, found: unknown) =>
    new InputError(
      `Cannot plan a study as ${rule}: current value is ${found}`,
    );
  const unnamed = names.find((name) => !PERSON.test(name));
  if (unnamed !== undefined) {
    throw refuse(
      "a person's name must have letters, digits, _ and - only",
      JSON.stringify(unnamed),
    );
  }
  if (new Set(names).size !== names.length) {
    throw refuse("every person must have a name of their own", names.join(","));
  }
  if (names.length < 2 || names.length % 2 === 1) {
    throw refuse(
      "persons must be an even number, 2 at least: two share the halves of the images with the arms exchanged",
      names.length,
    );
  }
  if (count < 2 || count > ids.length) {
    throw refuse(
      `the images must be 2 at least, and as many as there are at most, ${ids.length}`,
      count,
    );
  }
  const chosen = shuffled(ids, createRandom(seed, 0)).slice(0, count);
  const persons: Record<string, StudyBlock[]> = {};
  names.forEach((name, i) => {
    const pair = Math.floor(i / 2);
    const mixed = shuffled(chosen, createRandom(seed, 1, pair));
    const middle = Math.ceil(count / 2);
    const halves = [mixed.slice(0, middle), mixed.slice(middle)];
    const [one, other]: StudyArm[] = i % 2 === 0
      ? ["picks", "clicks"]
      : ["clicks", "picks"];
    persons[name] = [one, other, other, one].map((arm, k) => ({
      arm,
      images: shuffled(halves[k % 2], createRandom(seed, 2, i, k)),
    }));
  });
  return { format: PLAN_FORMAT, version: 1, seed, persons };
}
