import { join } from "node:path";
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { ifThere, removeTemporaries, writeFileAtomic } from "../files.ts";
import { findDifference } from "../same_settings.ts";
import { writeMask } from "../formats/write_mask.ts";
import type { Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import {
  type Profile,
  profileFromJSON,
  profileToJSON,
} from "../spa/profile.ts";
import type { Volume } from "../formats/volume.ts";
import type { VolumeSessionJSON } from "../volumes/volume_actions.ts";
import type { Asked } from "./ask.ts";
import type { PickedVolumeStart } from "./pick_start.ts";
import type { Picked } from "./picked.ts";
import { InputError } from "../input_error.ts";

/** One object among several. */
export interface AnnotationLabel {
  /** What it is called, as "kidney". */
  readonly name: string;
  /** How it is drawn, as "#e69f00". */
  readonly color: string;
}

/** How an image or a volume, or one object in it, was annotated. */
export interface AnnotationRecord {
  /** The image's id. */
  readonly id: string;
  /** Which object, where there are several. */
  readonly label?: AnnotationLabel;
  /** What the run was told; a folder holds images of one run. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The first clicks; none where it began with a box. */
  readonly points: readonly Point[];
  /** The box around the object, where it began with one. */
  readonly box?: Box;
  /** The slice of a volume that it began in. */
  readonly slice?: number;
  /** The dimension that slices of a volume cut. */
  readonly axis?: 0 | 1 | 2;
  /**
   * What was picked, in order, undone steps too, the acceptance last (of a volume
   * "finish", of an object that is not there "absent"): `by` whom and in how many
   * `seconds` from being asked.
   */
  readonly picks: readonly (Picked & {
    readonly by: Asked;
    readonly seconds: number;
  })[];
  /** Proposals that the user was shown, the accepted one included. */
  readonly iterations: number;
  /** Seconds from the first question to the acceptance, computing included. */
  readonly seconds: number;
  /**
   * Dice of each proposal's recommendation with the reference, 0..1, where there
   * is one; of a volume that of the whole mask at the end.
   */
  readonly dice?: readonly number[];
  /** The user's profile after this image; none before any choice. */
  readonly profile?: Profile;
  /** The session with a volume, with which it can be replayed. */
  readonly session?: VolumeSessionJSON;
  /** The mask's file in the folder, where it is another than `masks/ID.png`. */
  readonly file?: string;
}

/** A mask and its record. */
export interface Annotated {
  readonly record: AnnotationRecord;
  /** [H, W] or [D, H, W], 0 or 1. */
  readonly mask: NdArray<Uint8Array>;
}

/** What a record is of. */
export interface AnnotationKey {
  readonly id: string;
  /** The object's name, where there are several. */
  readonly label?: string;
}

/** The settings' defaults: an older version's records lack some of them. */
export const DEFAULT_SETTINGS = {
  samples: 48,
  candidates: 4,
  iterations: 6,
  seed: 0,
  carry: true,
} as const;

/** What a record says it is. */
export const RECORD_FORMAT = "spa-annotation";

/** A name of a file: no more is escaped than must be, or it would be too long. */
function escaped(name: string, letters: RegExp): string {
  return name.replaceAll(
    letters,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** The name that files of an image, or of one object in it, begin with. */
function stemOf({ id, label }: AnnotationKey): string {
  if (label === undefined) return escaped(id, /[%/\\:*?"<>|\p{Cc}]/gu);
  const one = (name: string) => escaped(name, /[%/\\:*?"<>|=\p{Cc}]/gu);
  return `${one(id)}=${one(label)}`;
}

/**
 * Where the files of an image lie. Of several objects each has its mask in `parts`
 * (an NPY file); `masks` has them as one.
 */
export function pathsOf(
  out: string,
  key: AnnotationKey,
  suffix = "png",
): { mask: string; record: string; open: string } {
  const stem = stemOf(key);
  return {
    mask: key.label === undefined
      ? join(out, "masks", `${stem}.${suffix}`)
      : join(out, "parts", `${stem}.npy`),
    record: join(out, "records", `${stem}.json`),
    open: join(out, "open", `${stem}.json`),
  };
}

/** The kind of file that a volume's mask is written as. */
export function suffixFor(volume: Volume | undefined): string {
  if (!volume) return "png";
  if (volume.dicom) return "dcm";
  return volume.nifti || volume.affine ? "nii.gz" : "npy";
}

/**
 * Saves what was annotated: the mask, then the record, which says that it is
 * finished, each whole or not at all; then the profile as a file.
 *
 * @returns The record as it was saved.
 */
export async function saveAnnotation(
  out: string,
  made: Annotated,
  volume?: Volume,
): Promise<AnnotationRecord> {
  const { mask } = made;
  const { label, id, profile } = made.record;
  const key = { id, label: label?.name };
  const paths = pathsOf(out, key, suffixFor(volume));
  const written = label
    ? paths.mask
    : await writeWhole(out, key, mask, { volume });
  if (label) await writeMask(mask, paths.mask);
  const file = written?.slice(out.length).replace(/^[\\/]/, "") ?? "";
  const record = volume || label ? { ...made.record, file } : made.record;
  const json = {
    format: RECORD_FORMAT,
    version: 2,
    ...record,
    ...(profile && { profile: JSON.parse(profileToJSON(profile)) }),
  };
  await writeFileAtomic(paths.record, JSON.stringify(json));
  await removeOpen(out, key);
  if (profile) await writeProfile(out, profile, label?.name);
  return record;
}

/**
 * Writes the mask of an image or a volume, of several objects as their values;
 * a NIfTI volume's as NIfTI, a DICOM series' as a segmentation.
 *
 * @returns Its path; undefined where nothing is marked, which DICOM cannot say.
 */
export async function writeWhole(
  out: string,
  { id }: AnnotationKey,
  mask: NdArray<Uint8Array>,
  { volume, labels }: {
    readonly volume?: Volume;
    readonly labels?: readonly string[];
  },
): Promise<string | undefined> {
  const suffix = suffixFor(volume);
  if (suffix === "dcm" && !mask.data.some((value) => value > 0)) {
    return undefined;
  }
  const path = pathsOf(out, { id }, suffix).mask;
  const names = labels && (suffix === "dcm" ? { labels } : { labels: true });
  await writeMask(mask, path, { volume, ...names });
  return path;
}

/** Bytes before the values of an NPY file that `writeMask` wrote. */
const NPY_HEADER = 128;

/** Reads the mask of one object of several. */
export async function readPart(
  out: string,
  key: AnnotationKey,
  shape: readonly number[],
): Promise<NdArray<Uint8Array>> {
  const path = pathsOf(out, key).mask;
  const data = (await Deno.readFile(path)).subarray(NPY_HEADER);
  const size = shape.reduce((product, side) => product * side, 1);
  if (data.length === size) return ndarray(data, shape.slice());
  throw new InputError(
    `Cannot resume as the mask ${path} must be of [${shape}] pixels: current value is ${data.length}`,
  );
}

/** A volume that is not finished: all that is needed to go on. */
export interface OpenAnnotation {
  readonly settings: AnnotationRecord["settings"];
  readonly start: PickedVolumeStart;
  readonly picks: AnnotationRecord["picks"];
  readonly seconds: number;
  /** The profile that it began with. */
  readonly profile?: Profile;
  readonly session: VolumeSessionJSON;
}

const OPEN_FORMAT = "spa-open-annotation";

/** Saves a volume that is not finished, whole or not at all. */
export async function saveOpen(
  out: string,
  key: AnnotationKey,
  open: OpenAnnotation,
): Promise<void> {
  const profile = open.profile && JSON.parse(profileToJSON(open.profile));
  const json = { format: OPEN_FORMAT, version: 1, ...open, profile };
  await writeFileAtomic(pathsOf(out, key).open, JSON.stringify(json));
}

/** Removes what was saved of a volume that was not finished. */
export async function removeOpen(
  out: string,
  key: AnnotationKey,
): Promise<void> {
  await ifThere(Deno.remove(pathsOf(out, key).open));
}

/**
 * Reads a volume that is not finished; undefined where there is none.
 *
 * @throws {RangeError} When the file is damaged or of another run.
 */
export async function readOpen(
  out: string,
  key: AnnotationKey,
  settings: AnnotationRecord["settings"],
): Promise<OpenAnnotation | undefined> {
  const path = pathsOf(out, key).open;
  const text = await ifThere(Deno.readTextFile(path));
  if (text === undefined) return undefined;
  const refuse = (rule: string, found: unknown) =>
    new InputError(
      `Cannot resume as ${path} must ${rule}: current value is ${found}. ` +
        "Without the file the volume is annotated anew",
    );
  const json = parseFormat(text, OPEN_FORMAT, 1, refuse);
  const [given, saved] = [settings, json.settings].map((one) =>
    JSON.stringify(one)
  );
  if (saved !== given) throw refuse(`be of a run with ${given}`, saved);
  const profile = json.profile === undefined
    ? undefined
    : profileFromJSON(JSON.stringify(json.profile));
  const { format: _, version: __, ...open } = json;
  return { ...open as unknown as OpenAnnotation, profile };
}

/** Writes the user's profile as a file. */
export function writeProfile(
  out: string,
  profile: Profile,
  label?: string,
): Promise<void> {
  const path = label === undefined
    ? join(out, "profile.json")
    : join(out, "profiles", `${stemOf({ id: label })}.json`);
  return writeFileAtomic(path, profileToJSON(profile));
}

/** Removes what a run that was killed left half-written of these images. */
export async function removeHalfWritten(
  out: string,
  keys: readonly AnnotationKey[],
): Promise<void> {
  const paths = keys.map((key) => pathsOf(out, key));
  const wholes = keys.flatMap(({ id }) =>
    ["png", "nii.gz", "dcm", "npy"].map((kind) => pathsOf(out, { id }, kind))
  );
  const files = {
    [out]: [join(out, "profile.json"), join(out, "summary.csv")],
    [join(out, "masks")]: wholes.map(({ mask }) => mask),
    [join(out, "parts")]: paths.map(({ mask }) => mask),
    [join(out, "records")]: paths.map(({ record }) => record),
    [join(out, "open")]: paths.map(({ open }) => open),
  };
  for (const [folder, own] of Object.entries(files)) {
    const names = new Set(own);
    await removeTemporaries(folder, (name) => names.has(join(folder, name)));
  }
}

/**
 * The JSON of a file that says its format and version.
 *
 * @param refuse Makes the error of what the file must, and what it is.
 */
export function parseFormat(
  text: string,
  format: string,
  version: number,
  refuse: (rule: string, found: unknown) => Error,
): Record<string, unknown> {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text);
  } catch {
    throw refuse("be JSON", JSON.stringify(text.slice(0, 40)));
  }
  if (json?.format === format && json.version === version) return json;
  throw refuse(
    `be of the format ${format}, version ${version}`,
    `${json?.format}, version ${json?.version}`,
  );
}

/**
 * Reads the record of an image that was finished before.
 *
 * @param settings Those of the run that goes on; undefined: of whichever.
 * @param doing What it is read for, as an error says it.
 * @returns undefined where there is none.
 * @throws {RangeError} When the record is damaged or of another run, or its
 * mask is missing.
 */
export async function readAnnotation(
  out: string,
  key: AnnotationKey,
  settings: AnnotationRecord["settings"] | undefined,
  doing = "resume",
): Promise<AnnotationRecord | undefined> {
  const { id } = key;
  const paths = pathsOf(out, key);
  const text = await ifThere(Deno.readTextFile(paths.record));
  if (text === undefined) return undefined;
  const refuse = (rule: string, found: unknown) =>
    new InputError(
      `Cannot ${doing} as the record ${paths.record} must ${rule}: current value is ${found}. ` +
        "Without the file the image is annotated anew",
    );
  const json = parseFormat(text, RECORD_FORMAT, 2, refuse);
  if (json.id !== id) throw refuse(`be of the image ${id}`, json.id);
  const saved = Object(json.settings);
  if (settings && findDifference(saved, settings, DEFAULT_SETTINGS)) {
    throw refuse(
      `be of a run with ${JSON.stringify(settings)}`,
      JSON.stringify(json.settings),
    );
  }
  const { picks, dice, file, session } = json;
  const ends = session ? ["finish"] : ["accept", "absent"];
  if (!Array.isArray(picks) || !ends.includes(picks.at(-1)?.kind)) {
    throw refuse("end with an acceptance", JSON.stringify(picks)?.slice(-60));
  }
  if (json.iterations !== picks.length || !isDuration(json.seconds)) {
    throw refuse(
      `have ${picks.length} iterations and the seconds they took`,
      `${json.iterations} and ${json.seconds}`,
    );
  }
  const scores = session ? 1 : picks.length;
  if (dice !== undefined && !isScores(dice, scores)) {
    throw refuse(
      `have Dice of ${scores} proposals`,
      JSON.stringify(dice),
    );
  }
  const mask = typeof file === "string" ? join(out, file) : paths.mask;
  await (file === "" ? undefined : Deno.stat(mask).catch(() => {
    throw refuse("have its mask beside it", `no file ${mask}`);
  }));
  const optional = session || picks.at(-1).kind === "absent";
  let profile: Profile | undefined;
  if (!optional || json.profile !== undefined) {
    try {
      profile = profileFromJSON(JSON.stringify(json.profile) ?? "");
    } catch (error) {
      throw refuse("have a profile", (error as Error).message);
    }
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
