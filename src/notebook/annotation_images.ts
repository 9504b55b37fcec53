// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { basename, dirname, join, resolve } from "node:path";
import type { Dataset } from "../datasets/dataset.ts";
import { openDataset } from "../datasets/open_dataset.ts";
import { RECORD_FORMAT } from "./annotation_record.ts";
import { readImage } from "../formats/read_image.ts";
import {
  readVolume,
  readVolumeHeader,
  type Volume,
} from "../formats/volume.ts";
import type { Point } from "../spa/feedback.ts";

/** An image to annotate; every `Case` of a dataset is one. */
export interface AnnotationImage {
  /** Unique among the images; files are named by it. */
  readonly id: string;
  /** Reads the image: [H, W, C], values 0..1, C = 1 or 3. */
  readImage(): Promise<NdArray<Float32Array>>;
  /** Reads a rater's mask of an object, [H, W], where there are raters. */
  readMask?(rater: string, label?: string): Promise<NdArray<Uint8Array>>;
}

/** A volume to annotate. */
export interface AnnotationVolume {
  /** Unique among the images and volumes; files are named by it. */
  readonly id: string;
  /** Reads the volume. */
  readVolume(): Promise<Volume>;
  /** Reads a rater's mask of an object, [D, H, W], where there are raters. */
  readMask?(rater: string, label?: string): Promise<NdArray<Uint8Array>>;
}

/** What is annotated, one after another. */
export type AnnotationItem = AnnotationImage | AnnotationVolume;

/** What `readImage` reads. */
const IMAGE = /\.(png|jpe?g|tiff?|dcm|dicom|nii|nii\.gz|npy|npz)$/i;

/** Of these some hold volumes. */
const VOLUME = /\.(dcm|dicom|nii|nii\.gz|npy|npz)$/i;
const DICOM = /\.(dcm|dicom)$/i;

/** Images, and what they are called together: a dataset's name, or a folder's. */
export interface AnnotationImages {
  /** None for a list. */
  readonly name?: string;
  /** In order. */
  readonly list: readonly AnnotationItem[];
}

/**
 * The images and volumes of a folder of files of any mixture of formats, of a
 * folder with the DICOM files of one series, or of folders with one each, of a
 * dataset's folder in any layout that `openDataset` knows, of a dataset, or of a
 * list. A file or folder is a volume where its header tells several slices. What
 * `annotate` itself wrote is no input.
 *
 * @param volumes Whether volumes are taken as such; else their middle slices.
 * @throws {RangeError} When there is none, two have the same id, or the folder
 * is an output of `annotate`.
 */
export async function listImages(
  images: string | Dataset | readonly AnnotationItem[],
  volumes = true,
): Promise<AnnotationImages> {
  const { name, list } = typeof images === "string"
    ? await openFolder(images, volumes)
    : "cases" in images
    ? { name: images.name, list: images.cases }
    : { list: images };
  if (list.length === 0) {
    throw new RangeError(
      "Cannot annotate as there must be images: current value is none",
    );
  }
  const seen = new Set<string>();
  for (const { id } of list) {
    if (id === "" || seen.has(id)) {
      throw new RangeError(
        `Cannot annotate as every image must have an id of its own: current value is ${
          JSON.stringify(id)
        }${id && ", twice"}`,
      );
    }
    seen.add(id);
  }
  return { name, list };
}

/** Refuses a folder whose only images are masks that `annotate` wrote. */
async function refuseOwnOutput(
  folder: string,
  files: readonly string[],
): Promise<void> {
  const path = resolve(folder);
  const out = files.length === 0
    ? path
    : basename(path) === "masks"
    ? dirname(path)
    : undefined;
  if (out === undefined) return;
  try {
    for await (const { name } of Deno.readDir(join(out, "records"))) {
      if (!name.endsWith(".json")) continue;
      const text = await Deno.readTextFile(join(out, "records", name));
      if (JSON.parse(text).format === RECORD_FORMAT) {
        throw new RangeError(
          `Cannot annotate as the folder must hold images: current value is ${folder}, masks that annotate wrote`,
        );
      }
    }
  } catch (error) {
    if (error instanceof RangeError) throw error;
    // no such folder, or no records of annotate
  }
}

/** Whether a file, or a folder of one DICOM series, holds several slices. */
async function holdsVolume(path: string): Promise<boolean> {
  try {
    const header = await readVolumeHeader(path);
    if (!header || header.ambiguous) return false;
    const [depth, height, width] = header.shape;
    return Math.min(depth, height, width) > 1;
  } catch {
    return false; // no series, or not readable: told when it is read
  }
}

/** A volume in a file or a folder. */
function volumeAt(id: string, path: string): AnnotationVolume {
  return { id, readVolume: () => readVolume(path) };
}

async function openFolder(
  folder: string,
  volumes: boolean,
): Promise<AnnotationImages> {
  const files: string[] = [];
  const folders: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const hidden = entry.name.startsWith("."); // as "._a.png", of macOS
    if (entry.isDirectory && !hidden) folders.push(entry.name);
    if (entry.isDirectory || hidden || !IMAGE.test(entry.name)) continue;
    files.push(entry.name);
  }
  await refuseOwnOutput(folder, files);
  const own = basename(resolve(folder));
  if (volumes && files.length > 1 && files.every((name) => DICOM.test(name))) {
    if (await holdsVolume(folder)) {
      return { name: own, list: [volumeAt(own, folder)] };
    }
  }
  if (files.length === 0) {
    try { // a data set has raters, so it comes first
      const { name, cases } = await openDataset(folder);
      return { name, list: cases };
    } catch (error) {
      const series: AnnotationVolume[] = [];
      for (const name of volumes ? folders.sort() : []) {
        const path = join(folder, name);
        if (await holdsVolume(path)) series.push(volumeAt(name, path));
      }
      if (series.length === 0) throw error;
      return { name: own, list: series };
    }
  }
  const names = files.map((file) => file.replace(IMAGE, ""));
  // a.png beside a.jpg: then the whole names
  const unique = new Set(names).size === names.length;
  const list: AnnotationItem[] = [];
  for (const [i, file] of files.entries()) {
    const id = unique ? names[i] : file;
    const path = join(folder, file);
    const volume = volumes && VOLUME.test(file) && await holdsVolume(path);
    list.push(
      volume ? volumeAt(id, path) : { id, readImage: () => readImage(path) },
    );
  }
  list.sort((a, b) => a.id < b.id ? -1 : 1);
  return { name: own, list };
}

/** A first click; in a volume it says in which slice, by default the middle one. */
export type FirstClick = Point & { readonly slice?: number };

/** First clicks by the image's id. */
export type FirstClicks = Readonly<Record<string, readonly FirstClick[]>>;

/**
 * Reads a file of first clicks: JSON, by the image's id,
 * `{ "case1": [{ "x": 61, "y": 40 }, { "x": 9, "y": 3, "label": 0 }] }`.
 *
 * @throws {RangeError} When the file is not so.
 */
export async function readFirstClicks(path: string): Promise<FirstClicks> {
  const text = await Deno.readTextFile(path);
  const refuse = (rule: string, found: unknown) =>
    new RangeError(
      `Cannot read first clicks as ${path} must ${rule}: current value is ${
        JSON.stringify(found)?.slice(0, 80)
      }`,
    );
  let clicks: unknown;
  try {
    clicks = JSON.parse(text);
  } catch {
    throw refuse("be JSON", text.slice(0, 60));
  }
  if (typeof clicks !== "object" || !clicks || Array.isArray(clicks)) {
    throw refuse("have lists of clicks by the images' ids", clicks);
  }
  for (const [id, points] of Object.entries(clicks)) {
    if (Array.isArray(points) && points.length > 0 && points.every(isPoint)) {
      continue;
    }
    throw refuse(
      `give image ${id} a list of clicks { "x", "y" } with a label 0 or 1 or none`,
      points,
    );
  }
  return clicks as FirstClicks;
}

function isPoint(value: unknown): value is FirstClick {
  const { x, y, label = 1, slice = 0 } = (value ?? {}) as Record<
    string,
    unknown
  >;
  return Number.isInteger(slice) && Number.isFinite(x) && Number.isFinite(y) &&
    (label === 0 || label === 1);
}
