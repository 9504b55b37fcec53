import { basename, extname, join, resolve } from "node:path";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Dataset } from "../datasets/dataset.ts";
import { openDataset } from "../datasets/open_dataset.ts";
import { readImage } from "../formats/read_image.ts";

/** An image to annotate; every `Case` of a dataset is one. */
export interface AnnotationImage {
  /** Unique among the images; files are named by it. */
  readonly id: string;
  /** Reads the image: [H, W, C], values 0..1, C = 1 or 3. */
  readImage(): Promise<NdArray<Float32Array>>;
  /** Reads a rater's mask, [H, W], where there are raters. */
  readMask?(rater: string): Promise<NdArray<Uint8Array>>;
}

const IMAGE = /\.(png|jpe?g|tiff?)$/i;

/** Images, and what they are called together: a dataset's name, or a folder's. */
export interface AnnotationImages {
  /** None for a list. */
  readonly name?: string;
  /** In order. */
  readonly list: readonly AnnotationImage[];
}

/**
 * The images of a folder of image files, of a dataset's folder in any layout
 * that `openDataset` knows, of a dataset, or of a list.
 *
 * @throws {RangeError} When there is none, or two have the same id.
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

async function openFolder(folder: string): Promise<AnnotationImages> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const hidden = entry.name.startsWith("."); // as "._a.png", of macOS
    if (entry.isDirectory || hidden || !IMAGE.test(entry.name)) continue;
    files.push(entry.name);
  }
  if (files.length === 0) {
    const { name, cases } = await openDataset(folder);
    return { name, list: cases };
  }
  const names = files.map((file) => basename(file, extname(file)));
  // a.png beside a.jpg: then the whole names
  const unique = new Set(names).size === names.length;
  const list = files.map((file, i) => ({
    id: unique ? names[i] : file,
    readImage: () => readImage(join(folder, file)),
  })).sort((a, b) => a.id < b.id ? -1 : 1);
  return { name: basename(resolve(folder)), list };
}
