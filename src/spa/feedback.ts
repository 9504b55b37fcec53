/** The user's feedback so far, and its form as the network's inputs. */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { MaskCleaning } from "../arrays/clean_mask.ts";
import { contiguous } from "../arrays/contiguous.ts";
import { packMask, unpackMask } from "../arrays/packed_mask.ts";
import type { HostTensor } from "../engine/tensors.ts";
import {
  MASK_CHANNELS,
  maskSide,
  type ModelConfig,
  POINT_SLOTS,
  promptSide,
} from "../model/config.ts";
import { CHOICE_SCALE, PointLabel } from "../model/prompt_encoder.ts";
import {
  type Box,
  type Frame,
  isInRegion,
  placeInMap,
  placeInSquare,
} from "./frame.ts";

/** A click. */
export interface Point {
  /** Column in pixels of the image, 0 .. W - 1; 0 is the center of the first one. */
  readonly x: number;
  /** Row in pixels of the image, 0 .. H - 1; 0 is the center of the first one. */
  readonly y: number;
  /** 1: inside the object (default), 0: outside. */
  readonly label?: 0 | 1;
}

/** The clicks on the object: those that are not negative. */
export function positivePoints(points: readonly Point[]): Point[] {
  return points.filter(({ label }) => label !== 0);
}

/** A stroke of the brush or the eraser, for the last pixels of a mask. */
export interface Stroke {
  /** 1: the brush, whose pixels are inside; 0: the eraser, whose are outside. */
  readonly label: 0 | 1;
  /** In pixels of the image: a pixel is painted whose center is as near. */
  readonly radius: number;
  /** Where it went, in pixels of the image; one place is a dot. */
  readonly path: readonly { readonly x: number; readonly y: number }[];
}

/**
 * What a user does after the start, told apart by `kind`:
 *
 * - `choose` picks the candidate of that index, from 0;
 * - `click` adds a click;
 * - `again` asks for other candidates, as none is near;
 * - `zoom` looks closer (factor > 1) or from farther away (< 1);
 * - `look` looks at another region;
 * - `paint` sets pixels by hand, in every mask from then on;
 * - `undo` takes one step back, `redo` does it again;
 * - `jump` goes to the state after so many steps of the history, 0 the start;
 * - `accept` accepts a candidate, or the recommendation, perhaps repaired;
 * - `stop` leaves without a mask.
 */
export type Action =
  | { readonly kind: "choose"; readonly candidate: number }
  | { readonly kind: "click"; readonly point: Point }
  | { readonly kind: "again" }
  | { readonly kind: "zoom"; readonly factor: number }
  | { readonly kind: "look"; readonly region: Box }
  | { readonly kind: "paint" } & Stroke
  | { readonly kind: "undo" }
  | { readonly kind: "redo" }
  | { readonly kind: "jump"; readonly step: number }
  | { readonly kind: "accept"; readonly candidate?: number } & MaskCleaning
  | { readonly kind: "stop" };

/** One choice: what was shown, at the decoder's resolution, and what was picked. */
export interface Choice {
  /** The recommended probability map shown with the candidates, [m, m], 0..1. */
  readonly recommended: NdArray<Float32Array>;
  /** The candidates' probability maps, [m, m] each, 0..1. */
  readonly candidates: readonly NdArray<Float32Array>[];
  /** Index of the candidate the user picked. */
  readonly chosen: number;
  /**
   * Share of its likelihood that counts, 0..1. Default: 1. Less for a
   * choice that was made in another slice of a volume.
   */
  readonly weight?: number;
}

/**
 * A mask to go on from, as a choice without alternatives: the network sees it as
 * its mask prompt, and no sample is the likelier for it.
 */
export function maskPrompt(map: NdArray<Float32Array>): Choice {
  return { recommended: map, candidates: [map], chosen: 0 };
}

/** Choices that `shrink` made. */
const shrunk = new WeakSet<Choice>();

/**
 * Keeps only the masks of a choice, as bits. Its maps are 0 and 1, and are made
 * when they are read.
 */
function shrink(choice: Choice): Choice {
  if (shrunk.has(choice)) return choice;
  const pack = (map: NdArray<Float32Array>) => {
    const { data, shape } = contiguous(map);
    return packMask(
      ndarray(Uint8Array.from(data, (p) => p >= 0.5 ? 1 : 0), shape),
    );
  };
  const unpack = (mask: ReturnType<typeof pack>) => {
    const { data, shape } = unpackMask(mask);
    return ndarray(Float32Array.from(data), shape);
  };
  const recommended = pack(choice.recommended);
  const candidates = choice.candidates.map(pack);
  const { chosen, weight } = choice;
  const small: Choice = {
    get recommended() {
      return unpack(recommended);
    },
    get candidates() {
      return candidates.map(unpack);
    },
    chosen,
    ...(weight !== undefined && { weight }),
  };
  shrunk.add(small);
  return small;
}

/**
 * Adds a choice. The network is shown the maps of the last two choices. Older
 * choices keep only their masks, a few kilobytes each: their likelihood needs no
 * more.
 */
export function addChoice(
  choices: readonly Choice[],
  choice: Choice,
): readonly Choice[] {
  return [...choices.slice(0, -1).map(shrink), ...choices.slice(-1), {
    ...choice,
    recommended: contiguous(choice.recommended),
    candidates: choice.candidates.map(contiguous),
  }];
}

/** Takes the maps of choices to another region. */
export function moveChoices(
  choices: readonly Choice[],
  move: (map: NdArray<Float32Array>) => NdArray<Float32Array>,
): readonly Choice[] {
  return choices.map((choice) => {
    const moved = {
      ...choice,
      recommended: move(choice.recommended),
      candidates: choice.candidates.map(move),
    };
    return shrunk.has(choice) ? shrink(moved) : moved;
  });
}

/** Everything the user said about one image. */
export interface Feedback {
  /** The clicks, oldest first. */
  readonly points: readonly Point[];
  /** The box, if one was drawn. */
  readonly box?: Box;
  /** The choices, oldest first. */
  readonly choices: readonly Choice[];
  /** Places of the image, the region and the network's square. */
  readonly frame: Frame;
}

/** Probabilities of a chosen mask are clipped to [CLIP, 1 - CLIP]. */
const CLIP = 0.02;

/** log(p / (1 - p)) of a probability clipped to [clip, 1 - clip]. */
export function clippedLogit(probability: number, clip = CLIP): number {
  const p = Math.min(1 - clip, Math.max(clip, probability));
  return Math.log(p / (1 - p));
}

/** A batch of feedback as the network's inputs; see `PromptInputs`. */
export interface FeedbackInputs {
  readonly points: HostTensor;
  readonly labels: HostTensor;
  readonly mask: HostTensor;
  readonly clicks: HostTensor;
  readonly choice: HostTensor;
  readonly hasMask: HostTensor;
}

/** Clicks and a box on one image. */
export type PointPrompts = Pick<Feedback, "points" | "box" | "frame">;

/**
 * Packs clicks and boxes into the fewest prompt slots, 2, 4, 8, ..., that hold
 * them all: a compiled program serves several numbers of clicks.
 *
 * @param least Slots at least.
 */
export function packPoints(
  batch: readonly PointPrompts[],
  least: number = POINT_SLOTS,
): Pick<FeedbackInputs, "points" | "labels"> {
  const B = batch.length;
  const needed = batch.map(({ points, box }) => points.length + (box ? 2 : 1));
  let T = POINT_SLOTS;
  while (T < Math.max(least, ...needed)) T *= 2;
  const points = new Float32Array(B * T * 2);
  const labels = new Float32Array(B * T).fill(PointLabel.empty);
  batch.forEach((prompts, b) => {
    let slot = b * T;
    const add = (x: number, y: number, label: number) => {
      points.set(placeInSquare(prompts.frame, { x, y }), 2 * slot);
      labels[slot++] = label;
    };
    for (const { x, y, label } of prompts.points) {
      add(x, y, label === 0 ? PointLabel.negative : PointLabel.positive);
    }
    if (prompts.box) {
      const { left, top, right, bottom } = prompts.box;
      add(left, top, PointLabel.boxTopLeft);
      add(right, bottom, PointLabel.boxBottomRight);
    } else if (prompts.points.length > 0) {
      labels[slot] = PointLabel.padding; // SAM's at (0, 0), where there is no box
    }
  });
  return {
    points: { data: points, shape: [B, T, 2] },
    labels: { data: labels, shape: [B, T] },
  };
}

/**
 * Clicks in the region, without those that repeat an earlier one: to the network
 * it would be a stronger one, which it was not trained with.
 */
function distinctPoints({ points, frame }: Feedback): Point[] {
  const seen = points.filter((point) => isInRegion(frame, point));
  const placed = seen.map((point) =>
    [`${point.x} ${point.y} ${point.label ?? 1}`, point] as const
  );
  return [...new Map(placed).values()];
}

/**
 * Packs a batch of feedback into tensors of fixed shapes.
 *
 * @param slots Prompt slots at least; see `packPoints`.
 */
export function packFeedback(
  config: ModelConfig,
  given: readonly Feedback[],
  slots?: number,
): FeedbackInputs {
  const batch = given.map((feedback) => ({
    ...feedback,
    points: distinctPoints(feedback),
  }));
  const side = maskSide(config), area = side * side;
  const cells = promptSide(config), count = cells * cells;
  const B = batch.length;
  const mask = new Float32Array(B * count * MASK_CHANNELS);
  const clicks = new Float32Array(B * count);
  const choice = new Float32Array(B * area);
  const hasMask = new Float32Array(B);

  batch.forEach((feedback, b) => {
    drawClicks(clicks.subarray(b * count, (b + 1) * count), cells, feedback);
    if (feedback.choices.length > 0) {
      hasMask[b] = 1;
      const prompt = mask.subarray(b * count * MASK_CHANNELS);
      packChoices(feedback.choices, prompt, cells);
      const { candidates, chosen } = feedback.choices.at(-1)!;
      const picked = contiguous(candidates[chosen]).data;
      choice.set(picked.map((p) => clippedLogit(p)), b * area);
    }
  });
  return {
    ...packPoints(batch, slots),
    mask: { data: mask, shape: [B, cells, cells, MASK_CHANNELS] },
    clicks: { data: clicks, shape: [B, cells, cells, 1] },
    choice: { data: choice, shape: [B, side, side] },
    hasMask: { data: hasMask, shape: [B] },
  };
}

/** Radius of a click's bump, in pixels of the prompt's maps. */
const CLICK_RADIUS = 2;

/** Draws clicks (and a box's center) as Gaussian bumps, negative ones downwards. */
function drawClicks(map: Float32Array, side: number, feedback: Feedback) {
  const { points, box, frame } = feedback;
  const clicks = [...points];
  if (box) {
    clicks.push({
      x: (box.left + box.right) / 2,
      y: (box.top + box.bottom) / 2,
    });
  }
  const reach = Math.ceil(3 * CLICK_RADIUS);
  for (const click of clicks) {
    const [cx, cy] = placeInMap(frame, side, click);
    const left = Math.max(0, Math.floor(cx) - reach);
    const right = Math.min(side - 1, Math.ceil(cx) + reach);
    const top = Math.max(0, Math.floor(cy) - reach);
    const bottom = Math.min(side - 1, Math.ceil(cy) + reach);
    for (let v = top; v <= bottom; v++) {
      for (let u = left; u <= right; u++) {
        const squared = (u - cx) ** 2 + (v - cy) ** 2;
        map[v * side + u] += (click.label === 0 ? -1 : 1) *
          Math.exp(-squared / (2 * CLICK_RADIUS ** 2));
      }
    }
  }
}

/** A square map's means over blocks, so that its side is `to`. */
function average(
  map: NdArray<Float32Array>,
  to: number,
): Float32Array {
  const { data, shape: [side] } = contiguous(map);
  const factor = side / to;
  if (factor === 1) return data;
  const means = new Float32Array(to * to);
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(Math.floor(i / side) / factor);
    const column = Math.floor((i % side) / factor);
    means[row * to + column] += data[i] / factor ** 2;
  }
  return means;
}

/** Writes the mask prompt's channels (`MASK_CHANNELS`), `side` pixels to a side. */
function packChoices(
  choices: readonly Choice[],
  mask: Float32Array,
  side: number,
) {
  const { chosen, ...last } = choices[choices.length - 1];
  const recommended = average(last.recommended, side);
  const candidates = last.candidates.map((map) => average(map, side));
  const picked = candidates[chosen];
  const before = choices[choices.length - 2];
  const previous = before && average(before.candidates[before.chosen], side);
  const rejected = candidates.filter((_, k) => k !== chosen);
  for (let i = 0; i < picked.length; i++) {
    let others = 0;
    for (const map of rejected) others += map[i] / rejected.length;
    mask[MASK_CHANNELS * i] = clippedLogit(picked[i]) / CHOICE_SCALE;
    mask[MASK_CHANNELS * i + 1] = 2 * (picked[i] - recommended[i]);
    mask[MASK_CHANNELS * i + 2] = previous ? previous[i] : 0;
    mask[MASK_CHANNELS * i + 3] = rejected.length > 0
      ? 2 * (picked[i] - others)
      : 0;
  }
}

/** Creates a map from its values. */
export function mapOf(
  data: Float32Array,
  side: number,
): NdArray<Float32Array> {
  return ndarray(data, [side, side]);
}
