// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { InputError } from "../input_error.ts";
import type { Model } from "../model/model.ts";
import { checkOptions } from "../options.ts";
import {
  checkImage,
  encodeRegion,
  type ImageEmbedding,
  type Looks,
} from "./embedding.ts";
import { type Point, positivePoints } from "./feedback.ts";
import { findRegion, regionAround } from "./find_region.ts";
import { type Box, frameOf, isInRegion, regionWith } from "./frame.ts";
import { boundingBox } from "./simulated_user.ts";
import { checkBox, checkMask, checkPoint } from "./start_preference.ts";

/** What to look at, and what is known of the object. */
export interface EncodeOptions {
  /**
   * The part of the image to look at: a box in pixels of the image, which is
   * widened to a square and may reach beyond the edge; "whole"; or "auto", the
   * part around the object, which is found by looking. Default: "auto" where
   * there is a click, a box or a mask, unless the network is SAM's; else "whole".
   */
  readonly region?: "auto" | "whole" | Box;
  /** Clicks on the object; "auto" begins at the positive ones. */
  readonly points?: readonly Point[];
  /** A box around the object: "auto" looks at a square three times as long. */
  readonly box?: Box;
  /** A mask of the object, [H, W]: likewise, by the box around it. */
  readonly mask?: NdArray<Uint8Array>;
  /**
   * Millimeters per row and per column, as of `readVolume`. Where the model's
   * metadata name `regionMillimeters`, "auto" begins with a square of that side.
   */
  readonly spacing?: readonly [number, number];
}

/** A region, widened where it leaves out a positive click. */
function holding(region: Box, points: readonly Point[]): Box {
  return positivePoints(points).reduce(
    (held, point) =>
      isInRegion({ region: held }, point) ? held : regionWith(held, point),
    region,
  );
}

/** Looks at another region than was found: one look more. */
async function lookAgain(
  model: Model,
  image: NdArray<Float32Array>,
  found: ImageEmbedding,
  region: Box,
): Promise<ImageEmbedding> {
  const { frame: { height, width, side }, looks } = found;
  found.dispose();
  const start = performance.now();
  const frame = frameOf(height, width, side, region);
  const embedding = await encodeRegion(model, image, frame);
  const known: Looks = {
    count: looks!.count + 1,
    milliseconds: looks!.milliseconds + performance.now() - start,
    regions: [...looks!.regions, frame.region],
  };
  return Object.assign(embedding, { looks: known }); // a copy would not be disposed
}

/**
 * Encodes an image, or a region of it, once for all iterations. The region is
 * scaled to the network's square; what lies beyond the image is filled with zeros
 * where the network is SAM's, else with the pixels of the image's edge.
 *
 * With `region: "auto"` and a click the network finds the region itself, in one to
 * six looks: a square about three times as long as the object. Weights on a frozen
 * encoder (preset `small`) tell the object's size from a look at the whole image,
 * and again from the square they named. Others decode a few samples, measure the
 * recommendation, and look again until the square stays.
 *
 * @param model The network.
 * @param image [H, W, C] with C 1 (gray) or 3 (color), values in 0..1.
 * @param options What to look at.
 * @returns The embedding; it stays in the engine.
 * @throws {RangeError} When the image is empty, of another shape, larger than
 * 2^28 pixels, or holds a value outside 0..1; when the region is empty, beside the
 * image or not finite, or "auto" without a positive click, a box or a mask; when a
 * click or the box lies outside the image, or a click outside the region that is
 * given.
 * @throws {TypeError} When the model is disposed, or an option is of another type.
 *
 * @example Encode a phantom
 * ```ts
 * import { encode, loadModel, phantom } from "@spa-seg/spa";
 *
 * using model = await loadModel();
 * const { image } = phantom({ kind: "kidney", seed: 9 }); // or readImage
 * using embedding = await encode(model, image);
 * embedding.values.shape; // [1, 16, 16, 64]
 * ```
 *
 * @example Look where the click is
 * ```ts
 * import { encode, loadModel, phantom } from "@spa-seg/spa";
 *
 * using model = await loadModel();
 * const { image } = phantom({ kind: "kidney", seed: 9 });
 * const points = [{ x: 50, y: 35 }];
 * using embedding = await encode(model, image, { points });
 * embedding.region; // the square in pixels of the image
 * embedding.looks.count; // 1 to 6
 * ```
 */
export async function encode(
  model: Model,
  image: NdArray<Float32Array>,
  options: EncodeOptions = {},
): Promise<ImageEmbedding> {
  checkOptions("encode the image", options, {
    region: "string | object",
    points: "array",
    box: "object",
    mask: "ndarray",
    spacing: "array",
  });
  checkImage(image);
  const { points = [], box, mask, spacing } = options;
  const [height, width] = image.shape;
  const S = model.config.imageSize;
  const whole = frameOf(height, width, S);
  points.forEach((point) => checkPoint(point, whole));
  if (box) checkBox(box, whole);
  if (mask) checkMask(mask, whole);
  const clicked = positivePoints(points).length > 0;
  const known = clicked || box !== undefined || mask !== undefined;
  const { region = known && !model.config.sam ? "auto" : "whole" } = options;
  if (region === "auto") {
    if (!known) {
      throw new InputError(
        `Cannot find the region as there must be a positive point, a box or a mask: current value is ${points.length} points, none of them positive`,
      );
    }
    const around = box ?? (mask && boundingBox(mask));
    if (around) {
      const held = holding(regionAround(around), points);
      return await encodeRegion(model, image, frameOf(height, width, S, held));
    }
    const found = await findRegion(model, image, points, spacing);
    const held = holding(found.region, points);
    return held === found.region
      ? found
      : await lookAgain(model, image, found, held);
  }
  if (typeof region === "string" && region !== "whole") {
    throw new InputError(
      `Cannot encode the image as region must be "auto", "whole" or a box: current value is "${region}"`,
    );
  }
  const frame = frameOf(height, width, S, region);
  const beside = points.find((point) => !isInRegion(frame, point));
  if (beside) {
    const { left, top, right, bottom } = frame.region;
    throw new InputError(
      `Cannot encode the image as the points must lie in the region, x in ${left}..${right} and y in ${top}..${bottom}: current value is (${beside.x}, ${beside.y})`,
    );
  }
  return await encodeRegion(model, image, frame);
}
