/** What is known of one slice: a mask as bits, and a soft map of its region. */

// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import {
  type PackedMask,
  packMask,
  unpackMask,
} from "../arrays/packed_mask.ts";
import { sampleAt } from "../arrays/sample_at.ts";
import { type Box, frameOf, maskToImage, maskToMap } from "../spa/frame.ts";

/** A probability map of a square region of a slice, in bytes. */
export interface RegionMap {
  /** The region, in pixels of the slice. */
  readonly region: Box;
  /** Side n of the map. */
  readonly side: number;
  /** Row-major, [n * n], 255 for a probability of 1. */
  readonly bytes: Uint8Array;
}

/** The object in one slice. */
export interface SliceResult extends RegionMap {
  /** The mask at the slice's own size. */
  readonly mask: PackedMask;
  /**
   * How sure the map is of its mask: Dice of the mask, were the map's
   * probabilities right, 0..1; 0 where the mask is empty.
   */
  readonly confidence: number;
  /** Whether the slice shows nothing, so that a neighbor's mask stands for it. */
  readonly gap?: boolean;
  /** How much it looks like the aligned object; see `resemblanceOf`. */
  readonly resemblance?: number;
}

/** Cells of a map that is at least one half in no pixel have this and less. */
const HALF = 127.5;

/** 2 sum over the mask of p / (sum of p + pixels of the mask). */
export function confidenceOf(bytes: Uint8Array): number {
  let total = 0, inside = 0, count = 0;
  for (const byte of bytes) {
    total += byte / 255;
    if (byte < HALF) continue;
    inside += byte / 255;
    count++;
  }
  return count === 0 ? 0 : 2 * inside / (total + count);
}

/** A map's probabilities in bytes. */
export function bytesOf(map: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(map.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.round(255 * map[i]);
  return bytes;
}

/** A map's probabilities, [n, n]. */
export function probabilitiesOf(
  { bytes, side }: RegionMap,
): NdArray<Float32Array> {
  const map = new Float32Array(bytes.length);
  for (let i = 0; i < map.length; i++) map[i] = bytes[i] / 255;
  return ndarray(map, [side, side]);
}

/**
 * A result of a map: its mask is where the map is at least one half.
 *
 * @param shape [H, W] of the slice.
 * @param mask The mask, where it is known otherwise.
 */
export function resultOf(
  map: RegionMap,
  [height, width]: readonly number[],
  mask?: NdArray<Uint8Array>,
): SliceResult {
  const { region, side, bytes } = map;
  const inside = mask ??
    maskToImage(probabilitiesOf(map), frameOf(height, width, side, region));
  const packed = packMask(inside);
  const confidence = packed.area > 0 ? confidenceOf(bytes) : 0;
  return { region, side, bytes, mask: packed, confidence };
}

/**
 * A result whose map agrees with its mask, as where the user painted: cells that
 * the mask contradicts get its word.
 */
export function heldTo(result: SliceResult): SliceResult {
  const { region, side, mask } = result;
  const [height, width] = mask.shape;
  const { data } = maskToMap(
    unpackMask(mask),
    frameOf(height, width, side, region),
    side,
  );
  const bytes = result.bytes.map((byte, i) =>
    (byte > HALF) === (data[i] >= 0.5) ? byte : Math.round(255 * data[i])
  );
  return { ...result, bytes };
}

/** A map in another region: bilinear, 0 where it says nothing. */
export function moveMap(
  map: RegionMap,
  region: Box,
  side: number = map.side,
): RegionMap {
  const { left, top } = map.region;
  const cell = (map.region.right - left) / map.side;
  const step = (region.right - region.left) / side;
  const bytes = new Uint8Array(side * side);
  for (let v = 0, i = 0; v < side; v++) {
    const y = (region.top + (v + 0.5) * step - top) / cell - 0.5;
    for (let u = 0; u < side; u++, i++) {
      const x = (region.left + (u + 0.5) * step - left) / cell - 0.5;
      const beside = x < -0.5 || y < -0.5 || x > map.side - 0.5 ||
        y > map.side - 0.5;
      bytes[i] = beside
        ? 0
        : Math.round(sampleAt(map.bytes, map.side, map.side, 1, 0, x, y));
    }
  }
  return { region, side, bytes };
}

/** Share of the larger logit that a byte of 0 or 255 stands for. */
const CLIP = 0.5 / 255;

/**
 * Two maps of one slice as one: the mean of their logits, in the first one's
 * region.
 *
 * @param share Weight of the second one, 0..1.
 */
export function blendMaps(one: RegionMap, other: RegionMap, share: number) {
  const moved = moveMap(other, one.region, one.side);
  const logit = (byte: number) => {
    const p = Math.min(1 - CLIP, Math.max(CLIP, byte / 255));
    return Math.log(p / (1 - p));
  };
  const bytes = one.bytes.map((byte, i) => {
    const mean = (1 - share) * logit(byte) + share * logit(moved.bytes[i]);
    return Math.round(255 / (1 + Math.exp(-mean)));
  });
  return { region: one.region, side: one.side, bytes };
}

/** Dice of two packed masks of one size. */
export function packedDice(one: PackedMask, other: PackedMask): number {
  if (one.area + other.area === 0) return 1;
  const bit = ({ bits, width }: PackedMask, row: number, column: number) => {
    const i = row * width + column;
    return bits[i >> 3] >> (i & 7) & 1;
  };
  let both = 0;
  const top = Math.max(one.top, other.top);
  const left = Math.max(one.left, other.left);
  const bottom = Math.min(one.top + one.height, other.top + other.height);
  const right = Math.min(one.left + one.width, other.left + other.width);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      both += bit(one, y - one.top, x - one.left) &
        bit(other, y - other.top, x - other.left);
    }
  }
  return 2 * both / (one.area + other.area);
}

/** An empty slice: what stands for "the object is not here". */
export function emptyResult(
  shape: readonly number[],
  region: Box,
  side: number,
) {
  const [height, width] = shape;
  const nothing = ndarray(new Uint8Array(height * width), [height, width]);
  const map = { region, side, bytes: new Uint8Array(side * side) };
  return resultOf(map, shape, nothing);
}
