// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { basename, dirname, join, resolve } from "node:path";
import type { Dataset } from "../datasets/dataset.ts";
import { openDataset } from "../datasets/open_dataset.ts";
import { RECORD_FORMAT } from "./annotation_record.ts";
import { readImage } from "../formats/read_image.ts";
import type { Point } from "../spa/feedback.ts";

/** An image to annotate; every `Case` of a dataset is one. */
export interface AnnotationImage {
  /** Unique among the images; files are named by it. */
  readonly id: string;
  /** Reads the image: [H, W, C], values 0..1, C = 1 or 3. */
  readImage(): Promise<NdArray<Float32Array>>;
  /** Reads a rater's mask, [H, W], where there are raters. */
  readMask?(rater: string): Promise<NdArray<Uint8Array>>;
}

/** What `readImage` reads. */
const IMAGE = /\.(png|jpe?g|tiff?|dcm|dicom|nii|nii\.gz|npy|npz)$/i;

/** Images, and what they are called together: a dataset's name, or a folder's. */
export interface AnnotationImages {
  /** None for a list. */
  readonly name?: string;
  /** In order. */
  readonly list: readonly AnnotationImage[];
}

/**
 * The images of a folder of image files of any mixture of formats (of a volume
 * its middle slice), of a dataset's folder in any layout that `openDataset`
 * knows, of a dataset, or of a list. What `annotate` itself wrote is no input.
 *
 * @throws {RangeError} When there is none, two have the same id, or the folder
 * is an output of `annotate`.
 */
export async function listImages(
  images: string | Dataset | readonly AnnotationImage[],
): Promise<AnnotationImages> {
  const { name, list } = typeof images === "string"
    ? await openFolder(images)
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

async function openFolder(folder: string): Promise<AnnotationImages> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const hidden = entry.name.startsWith("."); // as "._a.png", of macOS
    if (entry.isDirectory || hidden || !IMAGE.test(entry.name)) continue;
    files.push(entry.name);
  }
  await refuseOwnOutput(folder, files);
  if (files.length === 0) {
    const { name, cases } = await openDataset(folder);
    return { name, list: cases };
  }
  const names = files.map((file) => file.replace(IMAGE, ""));
  // a.png beside a.jpg: then the whole names
  const unique = new Set(names).size === names.length;
  const list = files.map((file, i) => ({
    id: unique ? names[i] : file,
    readImage: () => readImage(join(folder, file)),
  })).sort((a, b) => a.id < b.id ? -1 : 1);
  return { name: basename(resolve(folder)), list };
}

/** First clicks by the image's id. */
export type FirstClicks = Readonly<Record<string, readonly Point[]>>;

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

function isPoint(value: unknown): value is Point {
  const { x, y, label = 1 } = (value ?? {}) as Record<string, unknown>;
  return Number.isFinite(x) && Number.isFinite(y) &&
    (label === 0 || label === 1);
}
