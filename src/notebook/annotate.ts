import type { Dataset } from "../datasets/dataset.ts";
import { fingerprint } from "../model/fingerprint.ts";
import type { Model } from "../model/model.ts";
import { annotateImage } from "./annotate_image.ts";
import { type AnnotationImage, listImages } from "./annotation_images.ts";
import type { AnnotateOptions } from "./annotation_options.ts";
import {
  type AnnotationRecord,
  readAnnotation,
  removeHalfWritten,
  saveAnnotation,
  writeProfile,
} from "./annotation_record.ts";
import { AnnotationReport } from "./annotation_report.ts";
import { readFirstClicks } from "./first_clicks.ts";
import { interruptible } from "./interrupt.ts";
import { ownHost, type PickHost } from "./pick_host.ts";

export type { AnnotateOptions } from "./annotation_options.ts";

/**
 * Annotates images one after another: the first click, then proposals until
 * the user accepts, while the user's profile is carried from image to image.
 * Undo goes back as far as the first click, if the user made it here.
 * After every image its mask (`masks/ID.png`), its record (`records/ID.json`:
 * picks, times, iterations) and the profile (`profile.json`) are saved, each
 * whole or not at all. An interrupt, as of the notebook's cell, ends it after
 * the step that is computed; run again with the same folder, it goes on with
 * the image at which it was cut off. With all images finished it writes
 * `summary.csv`. In a notebook one panel serves all images; a rule that is asked
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
  let profile = options.profile;
  for (const [i, image] of list.entries()) {
    options.signal.throwIfAborted();
    let record = await readAnnotation(out, image.id, settings);
    if (!record) {
      const about = `${image.id} (${i + 1} of ${list.length})`;
      const made = await annotateImage(shown, model, image, about, {
        ...options,
        ...{ points: clicks, seed: seed + i, profile, settings, iterations },
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
  const report = new AnnotationReport(out, records, skipped);
  await report.writeSummary();
  // also where the last image was finished by a run that was cut off, or earlier
  if (report.profile) await writeProfile(out, report.profile);
  return report;
}
