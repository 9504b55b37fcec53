/** One object of one volume, annotated: a click, picks, walks, looks where they help. */

// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { type Volume, volumeSlice } from "../formats/volume.ts";
import { dice } from "../metrics/overlap.ts";
import type { Model } from "../model/model.ts";
import { createRandom, type Random } from "../random.ts";
import { digestNumber } from "../digest.ts";
import { clickInside } from "../spa/simulated_user.ts";
import { acquisitionAxis } from "../volumes/volume_identity.ts";
import { VolumeSession } from "../volumes/volume_session.ts";
import { type ObjectOptions, userOf } from "./annotate_options.ts";
import type { AnnotationVolume, FirstClick } from "./annotation_images.ts";
import {
  type Annotated,
  type AnnotationKey,
  type AnnotationRecord,
  type OpenAnnotation,
  readOpen,
  removeOpen,
  saveOpen,
} from "./annotation_record.ts";
import type { Asked, PickHost } from "./ask.ts";
import { type PickedVolumeStart, pickVolumeStartAt } from "./pick_start.ts";
import { doInVolume, pickOfVolume, type VolumeRule } from "./pick_volume.ts";
import { sliceImage } from "./slice_views.ts";
import { InputError } from "../input_error.ts";

/** How one object of a volume is annotated. */
export interface VolumeOptions extends ObjectOptions {
  readonly volume: Volume;
}

/** An answer to the question where the object is. */
interface Begun {
  readonly start: PickedVolumeStart | "absent";
  readonly by: Asked;
  /** Whether it was answered here, so that it can be undone. */
  readonly undo: boolean;
}

/**
 * Annotates one object of a volume; undefined where its reference is empty. After
 * every step all that was done is saved, and the next run goes on from there.
 */
export async function annotateVolume(
  host: PickHost,
  model: Model,
  item: AnnotationVolume,
  options: VolumeOptions,
): Promise<Annotated | undefined> {
  const { volume, out, label, settings, masks, about, signal } = options;
  const { by, patience, offer } = options;
  const key: AnnotationKey = { id: item.id, label: label?.name };
  const reference = await readReference(item, options);
  if (reference && !label && !isMarked(reference)) return undefined;
  const random = createRandom(
    options.seed ?? 0,
    digestNumber(`${item.id}=${label?.name ?? ""}`),
  );
  const began = performance.now();
  let open = await readOpen(out, key, settings);
  const before = open?.seconds ?? 0;
  const rule = ruleOf(reference, options);
  while (true) {
    const begun: Begun = open
      ? { start: open.start, by: "browser", undo: true }
      : await beginning(host, item.id, reference, random, options);
    const { start } = begun;
    const seconds = () => before + (performance.now() - began) / 1000;
    if (start === "absent") {
      const shape = volume.values.shape.slice(0, 3);
      const size = shape.reduce((product, side) => product * side, 1);
      const picks = [{ kind: "absent", by: begun.by, seconds: seconds() }];
      const mask = ndarray(new Uint8Array(size), shape);
      return {
        mask,
        record: {
          ...{ id: item.id, ...(label && { label }), settings, points: [] },
          picks: picks as AnnotationRecord["picks"],
          ...{ iterations: 1, seconds: seconds(), profile: options.profile },
          ...(reference && { dice: [dice(mask, reference)] }),
        },
      };
    }
    using session = open
      ? await resumed(model, options, key, open)
      : await VolumeSession.start(model, volume, {
        ...pickOptions(options),
        ...start,
      });
    const picks: AnnotationRecord["picks"][number][] = [...open?.picks ?? []];
    open = undefined;
    while (true) {
      const answer = await pickOfVolume(host, session, {
        ...{ by, patience, signal, random, about, masks, offer, auto: rule },
        undo: begun.undo,
      });
      const { picked } = answer;
      if (picked.kind === "undo" && !session.canUndo) break;
      picks.push({ ...picked, by: answer.by, seconds: answer.seconds });
      await doInVolume(host, session, picked, signal);
      const so: OpenAnnotation = {
        ...{ settings, start, picks, profile: options.profile },
        ...{ seconds: seconds(), session: session.toJSON() },
      };
      await saveOpen(out, key, so);
      if (picked.kind !== "finish") continue;
      const { points = [], box, slice, axis } = start;
      return {
        mask: session.mask,
        record: {
          ...{ id: item.id, ...(label && { label }), settings },
          ...{ points, ...(box && { box }), slice, axis, picks },
          ...{ iterations: picks.length, seconds: seconds() },
          ...(reference && { dice: [dice(session.mask, reference)] }),
          ...{ profile: session.profile, session: so.session },
        },
      };
    }
    await removeOpen(out, key); // the first click was undone
  }
}

/** What of the options a session takes. */
function pickOptions(
  { samples, candidates, update, seed, profile }: VolumeOptions,
) {
  return { samples, candidates, update, seed, profile };
}

/** The session that a run before left. */
async function resumed(
  model: Model,
  { volume, out }: VolumeOptions,
  key: AnnotationKey,
  { session, profile }: OpenAnnotation,
): Promise<VolumeSession> {
  try {
    return await VolumeSession.replay(model, volume, session, { profile });
  } catch (error) {
    throw new InputError(
      `Cannot resume as what was done in ${key.id} must give the same mask again: current value is another one (${
        (error as Error).message
      }). Without its file in ${out}/open the volume is annotated anew`,
      { cause: error },
    );
  }
}

function isMarked({ data }: NdArray<Uint8Array>): boolean {
  return data.some((value) => value > 0);
}

async function readReference(
  item: AnnotationVolume,
  { rater, volume, label }: VolumeOptions,
): Promise<NdArray<Uint8Array> | undefined> {
  if (rater === undefined) return undefined;
  if (!item.readMask) {
    throw new InputError(
      `Cannot annotate as volume ${item.id} must have masks of raters: current value is none, and the rater is ${rater}`,
    );
  }
  const mask = contiguous(await item.readMask(rater, label?.name));
  const shape = volume.values.shape.slice(0, 3);
  if (`${mask.shape}` === `${shape}`) return mask;
  throw new InputError(
    `Cannot annotate as the reference of volume ${item.id} must be of its size, [${shape}]: current value is [${mask.shape}]`,
  );
}

/** One slice of a reference, of its own. */
function sliceOf(
  reference: NdArray<Uint8Array>,
  axis: 0 | 1 | 2,
  slice: number,
): NdArray<Uint8Array> {
  return contiguous(volumeSlice(reference, { axis, slice }));
}

/** The given first clicks, else what the user says. */
async function beginning(
  host: PickHost,
  id: string,
  reference: NdArray<Uint8Array> | undefined,
  random: Random,
  options: VolumeOptions,
): Promise<Begun> {
  const { volume, points, label, masks, about } = options;
  const axis = acquisitionAxis(volume);
  const middle = Math.floor(volume.values.shape[axis] / 2);
  const given: readonly FirstClick[] = typeof points === "function"
    ? await points(sliceImage(volume, { axis, slice: middle }), id, label?.name)
    : points && Object.hasOwn(points, id)
    ? points[id]
    : [];
  if (given.length > 0) {
    const slice = given[0].slice ?? middle;
    const clicks = given.map(({ slice: _, ...point }) => point);
    const start = { points: clicks, slice, axis } as unknown;
    return { start: start as PickedVolumeStart, by: "auto", undo: false };
  }
  const { by, patience, signal } = options;
  if (reference && !isMarked(reference)) {
    return { start: "absent", by: "auto", undo: false };
  }
  const answer = await pickVolumeStartAt(host, volume, {
    ...{ by, patience, signal, random, about, masks },
    offers: label ? ["absent"] : [],
    auto: reference && ((_, random) => {
      const present = Array.from({ length: reference.shape[axis] }, (_, i) => i)
        .filter((slice) => isMarked(sliceOf(reference, axis, slice)));
      const slice = present[Math.floor(present.length / 2)];
      const point = clickInside(sliceOf(reference, axis, slice), random);
      return { points: [point], slice, axis };
    }),
  });
  return { ...answer, undo: answer.by !== "auto" };
}

/**
 * The rule that answers in the user's place: picks in a slice until `iterations`,
 * accepts, and is done after `looks` slices.
 */
function ruleOf(
  reference: NdArray<Uint8Array> | undefined,
  { auto, iterations = 6, looks = 3, offer }: VolumeOptions,
): VolumeRule | undefined {
  if (!auto && !reference) return undefined;
  const asked = new Map<number, number>();
  const said = new Set<number>();
  return async (session, random) => {
    const { slice, axis, proposal } = session;
    if (said.size >= looks || said.has(slice)) return { kind: "finish" };
    const times = (asked.get(slice) ?? 0) + 1;
    asked.set(slice, times);
    const truth = reference && sliceOf(reference, axis, slice);
    if (truth ? !isMarked(truth) : !proposal) {
      said.add(slice);
      return { kind: "absent" };
    }
    if (!proposal) {
      return { kind: "click", point: clickInside(truth!, random) };
    }
    if (times < iterations) {
      const rule = auto ?? userOf(truth!, offer);
      const picked = await rule(proposal, random, truth);
      if (typeof picked === "number" || picked.kind !== "accept") return picked;
    }
    said.add(slice);
    return { kind: "accept" };
  };
}
