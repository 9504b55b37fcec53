// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { digestNumber } from "../digest.ts";
import { InputError } from "../input_error.ts";
import { dice } from "../metrics/overlap.ts";
import type { Model } from "../model/model.ts";
import { createRandom, type Random } from "../random.ts";
import type { Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import { Session } from "../spa/session.ts";
import { clickInside } from "../spa/simulated_user.ts";
import { type ObjectOptions, userOf } from "./annotate_options.ts";
import type { AnnotationImage } from "./annotation_images.ts";
import type { Annotated, AnnotationRecord } from "./annotation_record.ts";
import type { PickHost } from "./ask.ts";
import type { AskOptions } from "./pick.ts";
import { pickOf } from "./pick_next.ts";
import { pickStartAt } from "./pick_start.ts";

/** How one object of an image is annotated. */
export interface ImageOptions extends ObjectOptions {
  /** [H, W, 1 or 3], values 0..1. */
  readonly pixels: NdArray<Float32Array>;
  /** Whether no rule answers where nobody else does. */
  readonly alone?: boolean;
}

/** Annotates one object of an image; undefined where its reference is empty. */
export async function annotateImage(
  host: PickHost,
  model: Model,
  image: AnnotationImage,
  options: ImageOptions,
): Promise<Annotated | undefined> {
  const { pixels, about, label, settings } = options;
  const reference = await readReference(image, options);
  const empty = reference && !reference.data.some((value) => value > 0);
  if (empty && !label) return undefined;
  const stream = digestNumber(label ? `${image.id}=${label.name}` : image.id);
  const random = createRandom(options.seed ?? 0, stream);
  const began = performance.now();
  const task = { id: image.id, about, pixels, reference, random, began };
  while (true) {
    const start: Start | "absent" = empty
      ? "absent"
      : await firstClicks(host, task, options);
    if (start === "absent") {
      const seconds = (performance.now() - began) / 1000;
      const [height, width] = pixels.shape;
      const mask = ndarray(new Uint8Array(height * width), [height, width]);
      const record: AnnotationRecord = {
        ...{
          id: image.id,
          label,
          settings,
          points: [],
          iterations: 1,
          seconds,
        },
        picks: [{ kind: "absent", by: empty ? "auto" : "browser", seconds }],
        ...(reference && { dice: [dice(mask, reference)] }),
        ...(options.profile && { profile: options.profile }),
      };
      return { mask, record };
    }
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
  const { settings, iterations = 6, label, masks, offer, alone } = options;
  const { samples, candidates, update, seed, profile } = options;
  using session = await Session.start(model, pixels, {
    ...{ samples, candidates, update, seed, profile, points, box },
  });
  const rule = alone
    ? undefined
    : options.auto ?? (reference && userOf(reference, offer));
  const picks: AnnotationRecord["picks"][number][] = [];
  const scores: number[] = [];
  while (true) {
    if (reference) scores.push(dice(session.mask, reference));
    const { picked, by, seconds } = await pickOf(host, session, {
      ...askOf(options),
      ...{ image: pixels, random, undo, about, others: masks, offer },
      auto: rule &&
        ((proposal, random) =>
          picks.length + 1 >= iterations
            ? { kind: "accept" }
            : rule(proposal, random, reference)),
    });
    if (picked.kind === "undo" && !session.canUndo) return undefined;
    picks.push({ ...picked, by, seconds });
    await session.apply(picked);
    if (picked.kind !== "accept") continue;
    const record = {
      ...{
        id,
        ...(label && { label }),
        settings,
        points,
        ...(box && { box }),
        picks,
      },
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
  { rater, label }: ImageOptions,
): Promise<NdArray<Uint8Array> | undefined> {
  if (rater === undefined) return undefined;
  if (image.readMask) return await image.readMask(rater, label?.name);
  throw new InputError(
    `Cannot annotate as image ${image.id} must have masks of raters: current value is none, and the rater is ${rater}`,
  );
}

/** The given first clicks, else one on the image as shown. */
async function firstClicks(
  host: PickHost,
  { id, about, pixels, reference, random }: Task,
  options: ImageOptions,
): Promise<Start | "absent"> {
  const { points, label, masks, alone } = options;
  const given = typeof points === "function"
    ? await points(pixels, id, label?.name)
    : points && Object.hasOwn(points, id)
    ? points[id]
    : [];
  if (given.length > 0) return { points: given, undo: false };
  const { start, by } = await pickStartAt(host, pixels, {
    ...askOf(options),
    ...{ random, about, others: masks, offers: label ? ["absent"] : [] },
    auto: alone || !reference
      ? undefined
      : ((_, random) => ({ points: [clickInside(reference, random)] })),
  });
  if ("kind" in start) return "absent";
  const { points: clicks = [], box } = start;
  return { points: clicks, box, undo: by !== "auto" };
}

function askOf({ by, patience, signal }: AskOptions): AskOptions {
  return { by, patience, signal };
}
