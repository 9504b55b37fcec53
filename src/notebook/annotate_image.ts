// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { digestNumber } from "../digest.ts";
import { dice } from "../metrics/overlap.ts";
import type { Model } from "../model/model.ts";
import { createRandom, type Random } from "../random.ts";
import type { Point } from "../spa/feedback.ts";
import { Session } from "../spa/session.ts";
import { clickInside, nearestUser } from "../spa/simulated_user.ts";
import type { AnnotationImage } from "./annotation_images.ts";
import type { AnnotateOptions } from "./annotation_options.ts";
import type { AnnotationRecord } from "./annotation_record.ts";
import { type AskOptions, pickAt } from "./pick.ts";
import type { PickHost } from "./pick_host.ts";
import { applyPick } from "./pick_next.ts";
import { pickPointAt } from "./pick_point.ts";

/** How one image is annotated. */
export interface ImageOptions extends AnnotateOptions {
  readonly points?: Exclude<AnnotateOptions["points"], string>;
  readonly settings: AnnotationRecord["settings"];
  readonly iterations: number;
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
  const pixels = await image.readImage();
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

/** First clicks, and whether a user made them just now and may undo them. */
interface Start {
  readonly points: readonly Point[];
  readonly undo: boolean;
}

/** Asks until a proposal is accepted; undefined where the start is undone. */
async function align(
  host: PickHost,
  model: Model,
  { id, about, pixels, reference, random, began }: Task,
  { points, undo }: Start,
  options: ImageOptions,
): Promise<Annotated | undefined> {
  const { settings, iterations } = options;
  using session = await Session.start(model, pixels, { ...options, points });
  const rule = options.auto ?? (reference && nearestUser(reference));
  const picks: AnnotationRecord["picks"][number][] = [];
  const scores: number[] = [];
  while (picks.at(-1)?.kind !== "accept") {
    if (reference) scores.push(dice(session.accept(), reference));
    const { picked, by, seconds } = await pickAt(host, session.proposal, {
      ...askOf(options),
      ...{ image: pixels, random, undo: undo || session.canUndo },
      points: session.preference.feedback.points,
      about,
      auto: rule &&
        ((proposal, random) =>
          picks.length + 1 >= iterations
            ? { kind: "accept" }
            : rule(proposal, random)),
    });
    if (picked.kind === "undo" && !session.canUndo) return undefined;
    picks.push({ ...picked, by, seconds });
    await applyPick(session, picked);
  }
  const record = {
    ...{ id, settings, points, picks },
    iterations: picks.length,
    seconds: (performance.now() - began) / 1000,
    ...(reference && { dice: scores }),
    profile: session.profile,
  };
  return { record, mask: session.accept() };
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
  const { point, by } = await pickPointAt(host, pixels, {
    ...askOf(options),
    ...{ random, about },
    auto: reference && ((_, random) => clickInside(reference, random)),
  });
  return { points: [point], undo: by !== "auto" };
}

function askOf({ by, patience, signal }: AskOptions): AskOptions {
  return { by, patience, signal };
}
