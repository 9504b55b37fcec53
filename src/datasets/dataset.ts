// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";

/** One image with the masks of its raters, read from disk when asked for. */
export interface Case {
  /** Unique within its dataset. */
  id: string;
  /** Whose image it is: data are split, and intervals drawn, by patient. */
  patient: string;
  /** Which data set it is of, where several are evaluated together. */
  set?: string;
  /** Millimeters per pixel, where known: of pixels that are not square [between rows, between columns]. */
  spacing?: number | readonly [number, number];
  /** The raters who drew a mask, perhaps an empty one, in order. */
  raters: string[];
  /** Reads the image: [H, W, C], values 0..1, C = 1 or 3. */
  readImage(): Promise<NdArray<Float32Array>>;
  /**
   * Reads one rater's mask: [H, W], 0 or 1.
   *
   * @throws {RangeError} When there is no such rater, or the mask is of another size than the image.
   */
  readMask(rater: string): Promise<NdArray<Uint8Array>>;
}

/** A named list of cases. */
export interface Dataset {
  /** What figures and tables call it. */
  name: string;
  /** In a fixed order. */
  cases: Case[];
  /**
   * Whether nobody knows who drew what: a rater's name is then not the same
   * person from one case to the next. Default false.
   */
  anonymous?: boolean;
  /**
   * Whether each image is a crop that somebody made around its object, so that
   * the whole of it is what to look at. Default false.
   */
  crops?: boolean;
  /**
   * Which split the cases are. Undefined where they have none: then training
   * and evaluation that open the same folder use the same cases.
   */
  split?: "train" | "val" | "test";
}
