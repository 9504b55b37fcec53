// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { checkFinite } from "../engine/engine.ts";
import { maskSide } from "../model/config.ts";
import { type Model, programsOf } from "../model/model.ts";
import { PointLabel } from "../model/prompt_encoder.ts";
import type { ImageEmbedding } from "./embedding.ts";
import { packPoints, type Point, type PointPrompts } from "./feedback.ts";
import { type Box, maskToImage } from "./frame.ts";
import { checkBox, checkPoint } from "./start_preference.ts";
import { InputError, InputTypeError } from "../input_error.ts";

/** Prompt slots of the first program: 7 clicks, or a box and 6. */
const SLOTS = 8;

/** The least logit inside: SAM's are above 0. */
const ABOVE_ZERO = Number.MIN_VALUE;

/** What to segment. */
export interface MaskPrompts {
  /** Clicks; none by default. */
  readonly points?: readonly Point[];
  /** A box around the object. */
  readonly box?: Box;
  /** `logits` of an earlier prediction, to be refined, [m, m]. */
  readonly logits?: NdArray<Float32Array>;
}

/** Options of {@linkcode predictMasks}. */
export interface PredictMasksOptions {
  /**
   * True (default): three masks, the whole, a part and a subpart, for prompts
   * that may mean any of them. False: one, for prompts that leave no doubt.
   */
  readonly multimask?: boolean;
}

/** A mask that SAM predicts. */
export interface PredictedMask {
  /** The mask, 0 or 1, at the image's own size, [H, W]. */
  readonly mask: NdArray<Uint8Array>;
  /** The IoU with the true mask that the network predicts, about 0..1. */
  readonly iou: number;
  /** The mask's logits at the decoder's resolution, [m, m]; above 0 is inside. */
  readonly logits: NdArray<Float32Array>;
}

/**
 * Segments as plain SAM does (Kirillov et al., "Segment Anything", 2023):
 * prompts to masks, without preferences.
 *
 * @param model A network with SAM's config, as `presets["sam-vit-b"]`.
 * @param embedding The encoded image.
 * @param prompts Clicks, box, an earlier mask's logits, or several of them.
 * @param options How many masks.
 * @returns Three masks or one, in SAM's order.
 * @throws {TypeError} When the model is no SAM, it or the embedding is disposed,
 * or the logits are not in a Float32Array.
 * @throws {RangeError} When there is no prompt, one lies outside the image, a
 * label is not 0 or 1, the box is empty, or the logits are not finite or not of
 * the decoder's size.
 *
 * @example The mask of a click that SAM believes in most
 * ```ts
 * import { encode, loadModel, readImage } from "@spa-seg/spa";
 * import { predictMasks } from "@spa-seg/spa/checkpoints";
 *
 * async function segment(path: string, x: number, y: number) {
 *   using model = await loadModel("sam_vit_b_01ec64.pth");
 *   using embedding = await encode(model, await readImage(path));
 *   const masks = await predictMasks(model, embedding, { points: [{ x, y }] });
 *   return masks.sort((a, b) => b.iou - a.iou)[0].mask;
 * }
 * ```
 */
export async function predictMasks(
  model: Model,
  embedding: ImageEmbedding,
  { points = [], box, logits }: MaskPrompts,
  { multimask = true }: PredictMasksOptions = {},
): Promise<PredictedMask[]> {
  const { config } = model;
  if (!config.sam) {
    throw new InputTypeError(
      `Cannot predict masks as the model must be a SAM: current value is "${config.name}"`,
    );
  }
  const { frame } = embedding;
  const side = maskSide(config);
  if (points.length === 0 && !box && !logits) {
    throw new InputError(
      "Cannot predict masks as there must be a point, a box or logits: current value is none",
    );
  }
  for (const point of points) checkPoint(point, frame);
  if (box) checkBox(box, frame);
  const predicted = await programsOf(model).predict({
    ...packSlots({ points, box, frame }),
    mask: {
      data: logits ? valuesOf(logits, side) : new Float32Array(side * side),
      shape: [1, side, side, 1],
    },
    hasMask: { data: Float32Array.of(logits ? 1 : 0), shape: [1] },
    weights: await model.deviceWeights(),
    embedding: embedding.values,
  });
  checkFinite("predict masks", predicted.logits.data);
  // the first token is the single mask's, the others are the three masks'
  return (multimask ? [1, 2, 3] : [0]).map((token) => {
    const area = side * side;
    const values = (predicted.logits.data as Float32Array)
      .slice(token * area, (token + 1) * area);
    const map = ndarray(values, [side, side]);
    return {
      mask: maskToImage(map, frame, ABOVE_ZERO),
      iou: predicted.iou.data[token],
      logits: map,
    };
  });
}

/** The values of an earlier mask's logits, [side, side], checked. */
function valuesOf(logits: NdArray<Float32Array>, side: number): Float32Array {
  if (`${logits.shape}` !== `${[side, side]}`) {
    throw new InputError(
      `Cannot predict masks as the logits' shape must be [${side},${side}]: current value is [${logits.shape}]`,
    );
  }
  if (!(logits.data instanceof Float32Array)) {
    throw new InputTypeError(
      `Cannot predict masks as the logits' values must be a Float32Array: current value is a ${
        (logits.data as object).constructor.name
      }`,
    );
  }
  const { data } = contiguous(logits);
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return data;
  throw new InputError(
    `Cannot predict masks as every logit must be finite: current value at ${at} is ${
      data[at]
    }`,
  );
}

/**
 * Packs prompts into 8 slots or more. With the fewest that hold them, as
 * elsewhere, a user's 1st, 2nd, 4th and 8th click would each wait for a program
 * to be compiled; empty slots cost next to nothing and count for nothing.
 */
function packSlots(prompts: PointPrompts): ReturnType<typeof packPoints> {
  const packed = packPoints([prompts]);
  const [, used] = packed.labels.shape;
  if (used >= SLOTS) return packed;
  const points = new Float32Array(2 * SLOTS);
  const labels = new Float32Array(SLOTS).fill(PointLabel.empty);
  points.set(packed.points.data);
  labels.set(packed.labels.data);
  return {
    points: { data: points, shape: [1, SLOTS, 2] },
    labels: { data: labels, shape: [1, SLOTS] },
  };
}
