// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Dataset } from "../datasets/dataset.ts";
import { digestNumber } from "../digest.ts";
import { dice } from "../metrics/overlap.ts";
import { fingerprint } from "../model/fingerprint.ts";
import type { Model } from "../model/model.ts";
import { createRandom, type Random } from "../random.ts";
import type { Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import type { Profile } from "../spa/profile.ts";
import { Session, type SessionOptions } from "../spa/session.ts";
import { clickInside, nearestUser } from "../spa/simulated_user.ts";
import {
  type AnnotationImage,
  type FirstClicks,
  listImages,
  readFirstClicks,
} from "./annotation_images.ts";
import {
  type AnnotationRecord,
  readAnnotation,
  removeHalfWritten,
  saveAnnotation,
  writeProfile,
} from "./annotation_record.ts";
import { AnnotationReport } from "./annotation_report.ts";
import { ownHost, type PickHost } from "./ask.ts";
import { interruptible } from "./kernel.ts";
import { type AskOptions, pickOf, type PickRule, pickStartAt } from "./pick.ts";

/**
 * Annotates images one after another: the first click, then proposals until
 * the user accepts, while the user's profile is carried from image to image.
 * Undo goes back as far as the first click, if the user made it here.
 * After every image its mask (`masks/ID.png`), its record (`records/ID.json`:
 * picks, times, iterations) and the profile (`profile.json`) are saved, each
 * whole or not at all. An interrupt, as of the notebook's cell, ends it after
 * the step that is computed; run again with the same folder, it goes on with
 * the image at which it was cut off. With all images finished it writes
 * `summary.csv`. A file that cannot be read is told, passed over, and named in
 * the report. In a notebook one panel serves all images; a rule that is asked
 * first shows nothing.
 *
 * @param model The network.
 * @param images A folder of image files, a dataset's folder, a dataset, or a
 * list of images.
 * @param options Where to save, and who is asked.
 * @returns A report: the records of all images, finished earlier or now, and
 * whose reference was empty.
 * @throws {RangeError} When there is no image, two have the same id, a first
 * click lies outside its image, there is no such rater, or a record is damaged,
 * was made with other settings, or is of an image of the same id in another
 * folder.
 * @throws {Deno.errors.NotFound} When the folder or a file is missing.
 * @throws {DOMException} "AbortError" when it is interrupted.
 * @throws As `pick`.
 *
 * @example A simulated user aligns the sample phantoms
 * ```ts ignore
 * const report = await annotate(model, "data/phantoms", {
 *   out: "out/annotated",
 *   rater: "smooth",
 *   by: "auto",
 * });
 * console.log(report);
 * ```
 */
export function annotate(
  model: Model,
  images: string | Dataset | readonly AnnotationImage[],
  options: AnnotateOptions,
): Promise<AnnotationReport> {
  return annotateAt(ownHost(), model, images, options);
}

/** As {@linkcode annotate}, with what surrounds it as an argument. */
export function annotateAt(
  host: PickHost,
  model: Model,
  images: string | Dataset | readonly AnnotationImage[],
  options: AnnotateOptions,
): Promise<AnnotationReport> {
  return interruptible(
    (signal) => annotateAll(host, model, images, { ...options, signal }),
    {
      doing: "annotate",
      left: "finished images are saved, and run again it goes on",
      signal: options.signal,
    },
  );
}

async function annotateAll(
  host: PickHost,
  model: Model,
  images: string | Dataset | readonly AnnotationImage[],
  options: AnnotateOptions & { readonly signal: AbortSignal },
): Promise<AnnotationReport> {
  const { out, carry = true, seed = 0, rater, onImage } = options;
  const { samples = 48, candidates = 4, iterations = 6 } = options;
  const { update, points } = options;
  const { name, list } = await listImages(images);
  const settings = {
    ...(name === undefined ? {} : { images: name }),
    model: model.config.name,
    weights: fingerprint(model),
    ...{ samples, candidates, iterations, seed, carry },
    ...(rater === undefined ? {} : { rater }),
    ...(update && { update }),
  };
  const clicks = typeof points === "string"
    ? await readFirstClicks(points)
    : points;
  // one output for all images, or a folder would fill the notebook
  const output = host.openOutput();
  const shown = options.by === "auto"
    ? { ...host, notebook: false }
    : { ...host, openOutput: () => output };
  await removeHalfWritten(out, list.map(({ id }) => id));
  const records: AnnotationRecord[] = [];
  const skipped: string[] = [];
  const broken: AnnotationReport["broken"][number][] = [];
  let profile = options.profile;
  for (const [i, image] of list.entries()) {
    options.signal.throwIfAborted();
    let record = await readAnnotation(out, image.id, settings);
    if (!record) {
      const about = `${image.id} (${i + 1} of ${list.length})`;
      let pixels: NdArray<Float32Array>;
      try {
        pixels = await image.readImage();
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) throw error;
        const why = error instanceof Error ? error.message : String(error);
        console.warn(`${about}: passed over, as it cannot be read. ${why}`);
        broken.push({ id: image.id, why });
        continue;
      }
      const made = await annotateImage(shown, model, image, about, {
        ...options,
        ...{ points: clicks, seed: seed + i, profile, settings, iterations },
        pixels,
      });
      if (!made) {
        skipped.push(image.id);
        continue;
      }
      record = made.record;
      await saveAnnotation(out, record, made.mask);
      onImage?.(record, records.length + 1, list.length);
    }
    records.push(record);
    if (carry) profile = record.profile;
  }
  const report = new AnnotationReport(out, records, skipped, broken);
  await report.writeSummary();
  // also where the last image was finished by a run that was cut off, or earlier
  if (report.profile) await writeProfile(out, report.profile);
  return report;
}

/** How `annotate` asks, and where it saves. */
export interface AnnotateOptions
  extends
    Omit<AskOptions, "random">,
    Pick<SessionOptions, "samples" | "candidates" | "update"> {
  /** The folder for masks and records; one that has some is resumed. */
  readonly out: string;
  /** The user's profile from earlier images; none by default. */
  readonly profile?: Profile;
  /** Whether the profile goes from image to image. Default: true. */
  readonly carry?: boolean;
  /**
   * Seed of the samples and of every rule. Default: 0; image k, from 0,
   * has seed + k.
   */
  readonly seed?: number;
  /**
   * First clicks: by the image's id, or the path of a JSON file with them
   * (`{ "case1": [{ "x": 61, "y": 40 }] }`), or a function. An image without
   * any is shown, to be clicked on; by default every one.
   */
  readonly points?:
    | string
    | FirstClicks
    | ((
      image: NdArray<Float32Array>,
      id: string,
    ) => readonly Point[] | Promise<readonly Point[]>);
  /**
   * The rater whose masks are the reference: Dice with it is recorded, not
   * shown, and a rule clicks inside it and picks what is nearest to it.
   */
  readonly rater?: string;
  /** Answers where nobody else does, by default as `rater` would. */
  readonly auto?: PickRule;
  /** Proposals until a rule accepts, which default to 6. */
  readonly iterations?: number;
  /** Told of every image: how many are finished, of how many. */
  readonly onImage?: (
    record: AnnotationRecord,
    finished: number,
    images: number,
  ) => void;
}

/** How one image is annotated. */
export interface ImageOptions extends AnnotateOptions {
  readonly points?: Exclude<AnnotateOptions["points"], string>;
  readonly settings: AnnotationRecord["settings"];
  readonly iterations: number;
  /** [H, W, 1 or 3], values 0..1. */
  readonly pixels: NdArray<Float32Array>;
}

/** An image's mask and record. */
export interface Annotated {
  readonly record: AnnotationRecord;
  readonly mask: NdArray<Uint8Array>;
}

/**
 * Annotates one image; undefined where its reference is empty.
 *
 * @param about The image's id, and which of how many it is.
 */
export async function annotateImage(
  host: PickHost,
  model: Model,
  image: AnnotationImage,
  about: string,
  options: ImageOptions,
): Promise<Annotated | undefined> {
  const { pixels } = options;
  const reference = await readReference(image, options.rater);
  if (reference && !reference.data.some((value) => value > 0)) return undefined;
  const random = createRandom(options.seed ?? 0, digestNumber(image.id));
  const began = performance.now();
  const task = { id: image.id, about, pixels, reference, random, began };
  while (true) {
    const start = await firstClicks(host, task, options);
    const made = await align(host, model, task, start, options);
    if (made) return made; // else the first click was undone
  }
}

/** What is annotated. */
interface Task {
  readonly id: string;
  /** The id, and which of how many it is. */
  readonly about: string;
  readonly pixels: NdArray<Float32Array>;
  readonly reference?: NdArray<Uint8Array>;
  readonly random: Random;
  /** When it was begun, in ms. */
  readonly began: number;
}

/** First clicks or a box, and whether a user made them just now and may undo. */
interface Start {
  readonly points: readonly Point[];
  readonly box?: Box;
  readonly undo: boolean;
}

/** Asks until a proposal is accepted; undefined where the start is undone. */
async function align(
  host: PickHost,
  model: Model,
  { id, about, pixels, reference, random, began }: Task,
  { points, box, undo }: Start,
  options: ImageOptions,
): Promise<Annotated | undefined> {
  const { settings, iterations } = options;
  using session = await Session.start(model, pixels, {
    ...options,
    points,
    box,
  });
  const rule = options.auto ?? (reference && nearestUser(reference));
  const picks: AnnotationRecord["picks"][number][] = [];
  const scores: number[] = [];
  while (true) {
    if (reference) scores.push(dice(session.mask, reference));
    const { picked, by, seconds } = await pickOf(host, session, {
      ...askOf(options),
      ...{ image: pixels, random, undo, about },
      auto: rule &&
        ((proposal, random) =>
          picks.length + 1 >= iterations
            ? { kind: "accept" }
            : rule(proposal, random)),
    });
    if (picked.kind === "undo" && !session.canUndo) return undefined;
    picks.push({ ...picked, by, seconds });
    await session.apply(picked);
    if (picked.kind !== "accept") continue;
    const record = {
      ...{ id, settings, points, ...(box && { box }), picks },
      iterations: picks.length,
      seconds: (performance.now() - began) / 1000,
      ...(reference && { dice: scores }),
      profile: session.profile,
    };
    return { record, mask: session.mask };
  }
}

async function readReference(
  image: AnnotationImage,
  rater: string | undefined,
): Promise<NdArray<Uint8Array> | undefined> {
  if (rater === undefined) return undefined;
  if (image.readMask) return await image.readMask(rater);
  throw new RangeError(
    `Cannot annotate as image ${image.id} must have masks of raters: current value is none, and the rater is ${rater}`,
  );
}

/** The given first clicks, else one on the image as shown. */
async function firstClicks(
  host: PickHost,
  { id, about, pixels, reference, random }: Task,
  options: ImageOptions,
): Promise<Start> {
  const { points } = options;
  const given = typeof points === "function"
    ? await points(pixels, id)
    : points && Object.hasOwn(points, id)
    ? points[id]
    : [];
  if (given.length > 0) return { points: given, undo: false };
  const { start, by } = await pickStartAt(host, pixels, {
    ...askOf(options),
    ...{ random, about },
    auto: reference &&
      ((_, random) => ({ points: [clickInside(reference, random)] })),
  });
  const { points: clicks = [], box } = start;
  return { points: clicks, box, undo: by !== "auto" };
}

function askOf({ by, patience, signal }: AskOptions): AskOptions {
  return { by, patience, signal };
}
