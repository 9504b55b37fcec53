// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { join } from "node:path";
import type { Dataset } from "../datasets/dataset.ts";
import type { Volume } from "../formats/volume.ts";
import { fingerprint } from "../model/fingerprint.ts";
import type { Model } from "../model/model.ts";
import { checkOptions } from "../options.ts";
import type { Profile } from "../spa/profile.ts";
import { Labels, type Masked } from "../volumes/labels.ts";
import {
  ANNOTATE_OPTIONS,
  type AnnotateOptions,
  checkOffer,
} from "./annotate_options.ts";
import { annotateImage } from "./annotate_image.ts";
import { annotateVolume } from "./annotate_volume.ts";
import {
  type AnnotationImage,
  type AnnotationItem,
  type AnnotationVolume,
  listImages,
  readFirstClicks,
} from "./annotation_images.ts";
import {
  blockFolder,
  blocksOf,
  itemsOf,
  readStudyPlan,
} from "./annotation_plan.ts";
import {
  type AnnotationLabel,
  type AnnotationRecord,
  readAnnotation,
  readPart,
  removeHalfWritten,
  saveAnnotation,
  writeProfile,
  writeWhole,
} from "./annotation_record.ts";
import { AnnotationReport } from "./annotation_report.ts";
import { ownHost, type PickHost } from "./ask.ts";
import { interruptible } from "./kernel.ts";
import type { NamedMask } from "./slice_views.ts";
import { InputError } from "../input_error.ts";

/**
 * Annotates images and volumes one after another: the first click, then proposals
 * until the user accepts, while the user's profile is carried from image to image.
 * Undo goes back as far as the first click, if the user made it here.
 *
 * A volume (a NIfTI file, a folder with a DICOM series, an NPY or NPZ file with
 * several slices) begins with a click in its middle slice, or in another one. A
 * slice that is accepted is carried to the others, and the slices in which a look
 * helps most are offered one after another until the volume is done. Its mask is
 * written with the geometry of its source: NIfTI for NIfTI, a DICOM segmentation
 * for a DICOM series. With `volumes: false` the middle slice of each is an image.
 *
 * With `labels` every image has several objects, each with its own session and
 * profile, asked for one after another; the mask's file has them as values 1, 2 and
 * so on, where they overlap the later one. An object that is not there is skipped.
 *
 * After every image its mask (`masks/ID.png`, of a volume `.nii.gz`, `.dcm` or
 * `.npy`), its record (`records/ID.json`: picks, times, iterations) and the profile
 * (`profile.json`) are saved, each whole or not at all; of several objects
 * `parts/ID=NAME.npy`, `records/ID=NAME.json` and `profiles/NAME.json`. An
 * interrupt, as of the notebook's cell, ends it after the step that is computed;
 * run again with the same folder, it goes on with the image at which it was cut
 * off, in a volume with the step. With all images finished it writes
 * `summary.csv`. With `plan` it does what a plan of a user study says of a person.
 * A file that cannot be read is told, passed over, and named in
 * the report. In a notebook one panel serves all images; a rule that is asked
 * first shows nothing.
 *
 * @param model The network.
 * @param images A folder of files of images and volumes, a DICOM series, a folder
 * of such series, a dataset's folder, a dataset, or a list of images and volumes.
 * @param options Where to save, and who is asked.
 * @returns A report: the records of all images, finished earlier or now, and
 * whose reference was empty.
 * @throws {RangeError} When there is no image, two have the same id, a first
 * click lies outside its image, there is no such rater, labels have no names of
 * their own, or a record is damaged, was made with other settings, or is of an
 * image of the same id in another folder.
 * @throws {TypeError} When an option is unknown or of another type.
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
 *
 * @example Two objects in every scan of a folder
 * ```ts ignore
 * await annotate(model, "scans", {
 *   out: "out/scans",
 *   labels: ["ventricle", { name: "tumor", color: "#d55e00" }],
 * });
 * ```
 */
export function annotate(
  model: Model,
  images: string | Dataset | readonly AnnotationItem[],
  options: AnnotateOptions,
): Promise<AnnotationReport> {
  return annotateAt(ownHost(), model, images, options);
}

/** As {@linkcode annotate}, with what surrounds it as an argument. */
export async function annotateAt(
  host: PickHost,
  model: Model,
  images: string | Dataset | readonly AnnotationItem[],
  options: AnnotateOptions,
): Promise<AnnotationReport> {
  checkOptions("annotate", options, ANNOTATE_OPTIONS);
  const run = options.plan === undefined ? annotateAll : annotatePlanned;
  return await interruptible(
    (signal) => run(host, model, images, { ...options, signal }),
    {
      doing: "annotate",
      left: "finished images are saved, and run again it goes on",
      signal: options.signal,
    },
  );
}

/** Annotates what a plan says of a person: every block is a run of its own. */
async function annotatePlanned(
  host: PickHost,
  model: Model,
  images: string | Dataset | readonly AnnotationItem[],
  options: AnnotateOptions & { readonly signal: AbortSignal },
): Promise<AnnotationReport> {
  const { plan, person, block, ...own } = options;
  for (const name of ["offer", "labels", "volumes"] as const) {
    if (own[name] === undefined) continue;
    throw new InputError(
      `Cannot annotate as a plan must come without ${name}: current value is ${
        own[name]
      }`,
    );
  }
  const blocks = blocksOf(await readStudyPlan(plan!), person);
  if (block !== undefined && !blocks[block - 1]) {
    throw new InputError(
      `Cannot annotate as block must be one of the person's, 1..${blocks.length}: current value is ${block}`,
    );
  }
  const { list } = await listImages(images, false);
  const items = blocks.map((block) => itemsOf(block, list));
  const reports: AnnotationReport[] = [];
  for (const [i, { arm }] of blocks.entries()) {
    if (block !== undefined && block !== i + 1) continue;
    reports.push(
      await annotateAll(host, model, items[i], {
        ...{ carry: false, ...own, offer: arm, volumes: false },
        out: blockFolder(own.out, person!, i + 1, arm),
        // a person's answers only, or the study would measure the rule's
        ...(own.by !== "auto" && { alone: true }),
      }),
    );
  }
  return new AnnotationReport(
    join(own.out, person!),
    reports.flatMap(({ records }) => records),
    reports.flatMap(({ skipped }) => skipped),
    reports.flatMap(({ broken }) => broken),
  );
}

/** A run: what holds for all images. */
interface Run {
  readonly host: PickHost;
  readonly model: Model;
  readonly settings: AnnotationRecord["settings"];
  readonly options: AnnotateOptions & {
    readonly signal: AbortSignal;
    readonly points?: Exclude<AnnotateOptions["points"], string>;
    readonly alone?: boolean;
  };
  /** One, undefined, where objects have no names. */
  readonly labels: readonly (AnnotationLabel | undefined)[];
  /** By the object's name. */
  readonly profiles: Map<string | undefined, Profile | undefined>;
  /** How many records there are by now, and in the end. */
  count: { done: number; all: number };
}

async function annotateAll(
  host: PickHost,
  model: Model,
  images: string | Dataset | readonly AnnotationItem[],
  options: AnnotateOptions & {
    readonly signal: AbortSignal;
    readonly alone?: boolean;
  },
): Promise<AnnotationReport> {
  const { out, carry = true, seed = 0, rater, volumes = true } = options;
  const { samples = 48, candidates = 4, iterations = 6, looks } = options;
  const { update, points, offer = "all" } = options;
  checkOffer(offer);
  const labels = readLabels(options.labels);
  const { name, list } = await listImages(images, volumes);
  const settings = {
    ...(name === undefined ? {} : { images: name }),
    model: model.config.name,
    weights: fingerprint(model),
    ...{ samples, candidates, iterations, seed, carry },
    ...(rater === undefined ? {} : { rater }),
    ...(update && { update }),
    ...(offer !== "all" && { offer }),
    ...(looks !== undefined && { looks }),
    ...(options.labels && { labels: labels.map((label) => label!.name) }),
  };
  const clicks = typeof points === "string"
    ? await readFirstClicks(points)
    : points;
  // one output for all images, or a folder would fill the notebook
  const output = host.openOutput();
  const shown = options.by === "auto"
    ? { ...host, notebook: false }
    : { ...host, openOutput: () => output };
  await removeHalfWritten(
    out,
    list.flatMap(({ id }) =>
      labels.map((label) => ({ id, label: label?.name }))
    ),
  );
  const records: AnnotationRecord[] = [];
  const skipped: string[] = [];
  const broken: AnnotationReport["broken"][number][] = [];
  const run: Run = {
    ...{ host: shown, model, settings, labels },
    options: { ...options, points: clicks, iterations },
    profiles: new Map(labels.map((label) => [label?.name, options.profile])),
    count: { done: 0, all: list.length * labels.length },
  };
  for (const [i, item] of list.entries()) {
    options.signal.throwIfAborted();
    const about = `${item.id} (${i + 1} of ${list.length})`;
    const made = await annotateItem(run, item, about, seed + i);
    if (made === "skipped") skipped.push(item.id);
    else if ("why" in made) broken.push({ id: item.id, why: made.why });
    else records.push(...made);
  }
  const report = new AnnotationReport(out, records, skipped, broken);
  await report.writeSummary();
  // also where the last image was finished by a run that was cut off, or earlier
  for (const label of labels) {
    const own = records.filter((record) => record.label?.name === label?.name);
    const last = own.findLast(({ profile }) => profile)?.profile;
    if (last) await writeProfile(out, last, label?.name);
  }
  return report;
}

/** Names and colors of several objects; one without a name where there are none. */
function readLabels(
  given: AnnotateOptions["labels"],
): readonly (AnnotationLabel | undefined)[] {
  if (!given) return [undefined];
  const labels = new Labels<Masked>();
  const mask = ndarray(new Uint8Array(1), [1, 1]);
  for (const label of given) {
    const { name, color } = typeof label === "string"
      ? { name: label, color: undefined }
      : label;
    labels.add({ name, session: { mask }, ...(color && { color }) });
  }
  if (labels.all.length > 0) return labels.all;
  throw new InputError(
    "Cannot annotate as labels must have a name at least: current value is none",
  );
}

/** Annotates all objects of one image or volume that are not finished yet. */
async function annotateItem(
  run: Run,
  item: AnnotationItem,
  about: string,
  seed: number,
): Promise<AnnotationRecord[] | "skipped" | { readonly why: string }> {
  const { host, model, settings, options, labels, profiles, count } = run;
  const { out, carry = true } = options;
  let read: Read | undefined;
  const readIt = async () => read ??= await readItem(item);
  const records: AnnotationRecord[] = [];
  const masks: NamedMask[] = [];
  let made = false;
  for (const label of labels) {
    const key = { id: item.id, label: label?.name };
    let record = await readAnnotation(out, key, settings);
    if (!record) {
      try {
        await readIt();
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) throw error;
        const why = error instanceof Error ? error.message : String(error);
        console.warn(`${about}: passed over, as it cannot be read. ${why}`);
        return { why };
      }
      const { pixels, volume } = read!;
      const shape = volume
        ? volume.values.shape.slice(0, 3)
        : pixels.shape.slice(0, 2);
      for (const before of labels.slice(masks.length, records.length)) {
        const { name, color } = before!;
        const mask = await readPart(out, { id: item.id, label: name }, shape);
        masks.push({ mask, name, color });
      }
      const own = {
        ...{ ...options, seed, settings, masks },
        ...{ profile: profiles.get(label?.name), label },
        about: label ? `${about}, ${label.name}` : about,
      };
      const annotated = volume
        ? await annotateVolume(host, model, item as AnnotationVolume, {
          ...{ ...own, volume },
        })
        : await annotateImage(host, model, item as AnnotationImage, {
          ...{ ...own, pixels },
        });
      if (!annotated) return "skipped";
      record = await saveAnnotation(out, annotated, volume);
      if (label) masks.push({ ...label, mask: annotated.mask });
      made = true;
      options.onImage?.(record, count.done + 1, count.all);
    }
    count.done++;
    records.push(record);
    if (carry) profiles.set(label?.name, record.profile);
  }
  if (made && labels[0]) {
    const joint = new Labels<Masked>();
    for (const { name, color, mask } of masks) {
      joint.add({ name, color, session: { mask } });
    }
    await writeWhole(out, item, joint.mask, {
      ...{ volume: read!.volume, labels: joint.names },
    });
  }
  return records;
}

/** An image, or a volume and nothing else. */
type Read =
  | { readonly pixels: NdArray<Float32Array>; readonly volume?: undefined }
  | { readonly volume: Volume; readonly pixels?: undefined };

async function readItem(item: AnnotationItem): Promise<Read> {
  return "readVolume" in item
    ? { volume: await item.readVolume() }
    : { pixels: await item.readImage() };
}
