/**
 * Where an image lies in the network's square: scaled so that its longer side
 * is S, at the top left, padded to the right and below (SAM's
 * `ResizeLongestSide`).
 */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";

/**
 * An image's place in the network's S x S square: at the top left, scaled so
 * that its longer side is S (SAM's `ResizeLongestSide`).
 */
export interface Frame {
  /** The image's own height in pixels. */
  readonly height: number;
  /** The image's own width in pixels. */
  readonly width: number;
  /** Its height in the square, in whole pixels, at least 1. */
  readonly scaledHeight: number;
  /** Its width in the square, in whole pixels, at least 1. */
  readonly scaledWidth: number;
  /** Side S of the square. */
  readonly side: number;
}

/** The frame of an image of `height` x `width` in a square of `side`. */
export function frameOf(height: number, width: number, side: number): Frame {
  const scale = side / Math.max(height, width);
  const scaled = (length: number) => Math.max(1, Math.round(length * scale));
  return {
    height,
    width,
    scaledHeight: scaled(height),
    scaledWidth: scaled(width),
    side,
  };
}

/**
 * Pixels of the square per pixel of the image, across and down: as the scaled
 * sides are whole pixels, the two differ a little.
 */
export function scalesOf(
  { height, width, scaledHeight, scaledWidth }: Frame,
): { x: number; y: number } {
  return { x: scaledWidth / width, y: scaledHeight / height };
}

/**
 * A place in pixels of the image as one in pixels of a map of the square.
 *
 * @param side Side of the map, which covers the whole square.
 * @returns Column and row; beside the map, by less than a pixel, near its edges.
 */
export function placeInMap(
  frame: Frame,
  side: number,
  { x, y }: { readonly x: number; readonly y: number },
): [column: number, row: number] {
  const scales = scalesOf(frame);
  const across = scales.x * side / frame.side;
  const down = scales.y * side / frame.side;
  return [(x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5];
}

/** Samples a map at the pixels of the image, bilinearly, and hands each row on. */
function sampleAtImage(
  { data, shape: [n] }: NdArray<Float32Array>,
  frame: Frame,
  take: (row: Float32Array, y: number) => void,
): void {
  const { height, width, side } = frame;
  const scales = scalesOf(frame);
  const columns = interpolation(width, (scales.x * n) / side, n);
  const rows = interpolation(height, (scales.y * n) / side, n);
  const row = new Float32Array(width);
  for (let y = 0; y < height; y++) {
    const top = rows.low[y] * n, bottom = rows.high[y] * n, v = rows.share[y];
    for (let x = 0; x < width; x++) {
      const left = columns.low[x], right = columns.high[x];
      const u = columns.share[x];
      const above = data[top + left] * (1 - u) + data[top + right] * u;
      const below = data[bottom + left] * (1 - u) + data[bottom + right] * u;
      row[x] = above * (1 - v) + below * v;
    }
    take(row, y);
  }
}

/**
 * Samples a map of the square at the pixels of the image, bilinearly.
 *
 * @param map [n, n], covering the whole square.
 * @param frame The image's place in it.
 * @returns [H, W], the image's own size.
 */
export function mapToImage(
  map: NdArray<Float32Array>,
  frame: Frame,
): NdArray<Float32Array> {
  const { height, width } = frame;
  const out = new Float32Array(height * width);
  sampleAtImage(map, frame, (row, y) => out.set(row, y * width));
  return ndarray(out, [height, width]);
}

/**
 * The pixels of the image at which a map is at least one half, without a copy
 * of the map at the image's size.
 *
 * @param map [n, n], covering the whole square.
 * @param frame The image's place in it.
 * @returns [H, W], 0 or 1.
 */
export function maskToImage(
  map: NdArray<Float32Array>,
  frame: Frame,
): NdArray<Uint8Array> {
  const { height, width } = frame;
  const out = new Uint8Array(height * width);
  sampleAtImage(map, frame, (row, y) => {
    for (let x = 0; x < width; x++) out[y * width + x] = row[x] >= 0.5 ? 1 : 0;
  });
  return ndarray(out, [height, width]);
}

/** The two neighbours, and the second one's share, of every target pixel. */
function interpolation(count: number, step: number, n: number) {
  const low = new Int32Array(count);
  const high = new Int32Array(count);
  const share = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const at = Math.min(n - 1, Math.max(0, (i + 0.5) * step - 0.5));
    low[i] = Math.floor(at);
    high[i] = Math.min(n - 1, low[i] + 1);
    share[i] = at - low[i];
  }
  return { low, high, share };
}
