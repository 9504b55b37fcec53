import { join } from "node:path";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { ifThere, removeTemporaries, writeFileAtomic } from "../files.ts";
import { writeMask } from "../formats/write_mask.ts";
import type { Action, Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import {
  type Profile,
  profileFromJSON,
  profileToJSON,
} from "../spa/profile.ts";
import type { Asked } from "./ask.ts";

/** How an image was annotated. */
export interface AnnotationRecord {
  /** The image's id. */
  readonly id: string;
  /** What the run was told; a folder holds images of one run. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The first clicks; none where it began with a box. */
  readonly points: readonly Point[];
  /** The box around the object, where it began with one. */
  readonly box?: Box;
  /**
   * What was picked, in order, undone steps too, the acceptance last: `by` whom
   * and in how many `seconds` from being asked.
   */
  readonly picks: readonly (Action & {
    readonly by: Asked;
    readonly seconds: number;
  })[];
  /** Proposals that the user was shown, the accepted one included. */
  readonly iterations: number;
  /** Seconds from the first question to the acceptance, computing included. */
  readonly seconds: number;
  /**
   * Dice of each proposal's recommendation with the reference, 0..1, where there
   * is one.
   */
  readonly dice?: readonly number[];
  /** The user's profile after this image. */
  readonly profile: Profile;
}

/** What a record says it is. */
export const RECORD_FORMAT = "spa-annotation";

/** Where an image's mask and record lie. */
export function pathsOf(
  out: string,
  id: string,
): { mask: string; record: string } {
  // no more than must be: escaped letters would be too long for a file's name
  const name = id.replaceAll(
    /[%/\\:*?"<>|\p{Cc}]/gu,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
  return {
    mask: join(out, "masks", `${name}.png`),
    record: join(out, "records", `${name}.json`),
  };
}

/**
 * Saves an annotated image: the mask, then the record, which says that the
 * image is finished, each whole or not at all; then the profile as a file.
 */
export async function saveAnnotation(
  out: string,
  record: AnnotationRecord,
  mask: NdArray<Uint8Array>,
): Promise<void> {
  const paths = pathsOf(out, record.id);
  const json = {
    format: RECORD_FORMAT,
    version: 2,
    ...record,
    profile: JSON.parse(profileToJSON(record.profile)),
  };
  await writeMask(mask, paths.mask);
  await writeFileAtomic(paths.record, JSON.stringify(json));
  await writeProfile(out, record.profile);
}

/** Writes the user's profile as a file. */
export function writeProfile(out: string, profile: Profile): Promise<void> {
  return writeFileAtomic(join(out, "profile.json"), profileToJSON(profile));
}

/** Removes what a run that was killed left half-written of these images. */
export async function removeHalfWritten(
  out: string,
  ids: readonly string[],
): Promise<void> {
  const paths = ids.map((id) => pathsOf(out, id));
  const files = {
    [out]: [join(out, "profile.json"), join(out, "summary.csv")],
    [join(out, "masks")]: paths.map(({ mask }) => mask),
    [join(out, "records")]: paths.map(({ record }) => record),
  };
  for (const [folder, own] of Object.entries(files)) {
    const names = new Set(own);
    await removeTemporaries(folder, (name) => names.has(join(folder, name)));
  }
}

/**
 * Reads the record of an image that was finished before.
 *
 * @returns undefined where there is none.
 * @throws {RangeError} When the record is damaged or of another run, or its
 * mask is missing.
 */
export async function readAnnotation(
  out: string,
  id: string,
  settings: AnnotationRecord["settings"],
): Promise<AnnotationRecord | undefined> {
  const paths = pathsOf(out, id);
  const text = await ifThere(Deno.readTextFile(paths.record));
  if (text === undefined) return undefined;
  const refuse = (rule: string, found: unknown) =>
    new RangeError(
      `Cannot resume as the record ${paths.record} must ${rule}: current value is ${found}. ` +
        "Without the file the image is annotated anew",
    );
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text);
  } catch {
    throw refuse("be JSON", JSON.stringify(text.slice(0, 40)));
  }
  if (json?.format !== RECORD_FORMAT || json.version !== 2) {
    throw refuse(
      `be of the format ${RECORD_FORMAT}, version 2`,
      `${json?.format}, version ${json?.version}`,
    );
  }
  if (json.id !== id) throw refuse(`be of the image ${id}`, json.id);
  const given = JSON.stringify(settings);
  const saved = JSON.stringify(json.settings);
  if (saved !== given) throw refuse(`be of a run with ${given}`, saved);
  const { picks, dice } = json;
  if (!Array.isArray(picks) || picks.at(-1)?.kind !== "accept") {
    throw refuse("end with an acceptance", JSON.stringify(picks)?.slice(-60));
  }
  if (json.iterations !== picks.length || !isDuration(json.seconds)) {
    throw refuse(
      `have ${picks.length} iterations and the seconds they took`,
      `${json.iterations} and ${json.seconds}`,
    );
  }
  if (dice !== undefined && !isScores(dice, picks.length)) {
    throw refuse(
      `have Dice of ${picks.length} proposals`,
      JSON.stringify(dice),
    );
  }
  await Deno.stat(paths.mask).catch(() => {
    throw refuse("have its mask beside it", `no file ${paths.mask}`);
  });
  let profile: Profile;
  try {
    profile = profileFromJSON(JSON.stringify(json.profile) ?? "");
  } catch (error) {
    throw refuse("have a profile", (error as Error).message);
  }
  const { format: _, version: __, ...record } = json;
  return { ...record as unknown as AnnotationRecord, profile };
}

function isDuration(value: unknown): boolean {
  return typeof value === "number" && value >= 0;
}

function isScores(value: unknown, count: number): boolean {
  return Array.isArray(value) && value.length === count &&
    value.every((dice) => dice >= 0 && dice <= 1);
}
