// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { fileURLToPath } from "node:url";
import { contiguous } from "../../arrays/contiguous.ts";
import type { Case, Dataset } from "../../datasets/dataset.ts";
import { openDataset } from "../../datasets/open_dataset.ts";
import { readImage } from "../../formats/read_image.ts";
import { readMask } from "../../formats/read_mask.ts";
import { digest, digestNumber } from "../../digest.ts";
import { createRandom, type Random } from "../../random.ts";
import type { Point } from "../../spa/feedback.ts";
import { type Box, frameOf } from "../../spa/frame.ts";
import { clickInside } from "../../spa/simulated_user.ts";
import { checkBox, checkPoint } from "../../spa/start_preference.ts";
import type { DemoOptions } from "./options.ts";

/** The image to segment, and the known facts about it. */
export interface Subject {
  /** Its name in titles. */
  readonly name: string;
  /** [H, W, C], values 0..1. */
  readonly image: NdArray<Float32Array>;
  /** The mask the user has in mind, [H, W], where it is known. */
  readonly reference?: NdArray<Uint8Array>;
  /** The rater of that mask. */
  readonly rater?: string;
  /** The first clicks; may be none where there is a box. */
  readonly points: readonly Point[];
  /** The box around the object, if one was given. */
  readonly box?: Box;
}

/** The sample phantoms, and a rater whose mask takes some picks to reach. */
const SAMPLES = new URL("../../../data/phantoms/", import.meta.url);
const SAMPLE = { id: "fundus-3", rater: "strict" };

/**
 * Opens what the options name.
 *
 * @throws When a file, case or rater is missing, the reference is empty or of
 * another size than the image, or a click or box lies outside.
 */
export async function openSubject(options: DemoOptions): Promise<Subject> {
  return options.image === undefined
    ? await openCase(options)
    : await openImage(options, options.image);
}

async function openImage(options: DemoOptions, path: string): Promise<Subject> {
  const [image, reference] = await Promise.all([
    readImage(path),
    options.reference === undefined ? undefined : readMask(options.reference),
  ]);
  const [height, width] = image.shape;
  if (
    reference && (reference.shape[0] !== height || reference.shape[1] !== width)
  ) {
    throw options.refuse(
      `--reference must have the image's size, ${height} x ${width}`,
      `${reference.shape[0]} x ${reference.shape[1]} (${options.reference})`,
    );
  }
  const name = path.split(/[\\/]/).at(-1)!;
  return withClicks(options, { name, image, reference });
}

async function openCase(options: DemoOptions): Promise<Subject> {
  const { data, split } = options;
  const dataset = await openDataset(data ?? fileURLToPath(SAMPLES), { split });
  const found = findCase(options, dataset);
  const sample = data === undefined && found.id === SAMPLE.id
    ? SAMPLE.rater
    : undefined;
  const rater = options.rater ?? sample ?? found.raters[0];
  const [image, reference] = await Promise.all([
    found.readImage(),
    found.readMask(rater),
  ]);
  // A user who chooses is not shown a mask without asking for it.
  const hidden = options.interactive && options.rater === undefined;
  const { id: name } = found;
  const subject = withClicks(options, { name, image, reference, rater });
  return hidden
    ? { ...subject, reference: undefined, rater: undefined }
    : subject;
}

function findCase(
  { caseId, data, refuse }: DemoOptions,
  { cases }: Dataset,
): Case {
  const wanted = caseId ?? (data === undefined ? SAMPLE.id : cases[0].id);
  const found = cases.find(({ id }) => id === wanted);
  if (found) return found;
  const ids = nearest(wanted, cases.map(({ id }) => id), 5);
  throw refuse(
    `--case must be one of the ${cases.length} cases, such as ${
      ids.join(", ")
    }`,
    wanted,
  );
}

function withClicks(
  { points, box, seed }: DemoOptions,
  subject: Omit<Subject, "points" | "box">,
): Subject {
  const [height, width] = subject.image.shape;
  const frame = frameOf(height, width, Math.max(height, width));
  for (const point of points) checkPoint(point, frame);
  if (box) checkBox(box, frame);
  if (subject.reference) {
    // Also a check: an empty mask has no pixel to click.
    const click = clickInside(subject.reference, clickStream(seed, subject));
    if (points.length === 0 && !box) return { ...subject, points: [click] };
  }
  return { ...subject, points, box };
}

/**
 * The random numbers of a subject's click. The seed alone would draw the same
 * place in every mask. A mask without a rater is identified by its pixels, as
 * one file has many paths.
 */
function clickStream(
  seed: number,
  { name, rater, reference }: Omit<Subject, "points">,
): Random {
  const whose = rater ?? digest([contiguous(reference!).data]);
  return createRandom(seed, digestNumber(name), digestNumber(whose));
}

/** The names most like `wanted`, the most alike first. */
export function nearest(
  wanted: string,
  names: readonly string[],
  count: number,
): string[] {
  const distance = (name: string) =>
    editDistance(wanted.toLowerCase(), name.toLowerCase());
  return names.map((name) => ({ name, distance: distance(name) }))
    .sort((a, b) => a.distance - b.distance).slice(0, count)
    .map(({ name }) => name);
}

/** Least number of letters inserted, removed or replaced (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, replaced));
    }
    row = next;
  }
  return row[b.length];
}
