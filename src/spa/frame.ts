/**
 * Three squares that must not be confused: the image (what the user sees), the
 * region (the square part of it that the network looks at) and the network's own
 * square of S x S. A frame maps between them; nothing else does.
 */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { type AxisPlaces, resampleBilinear } from "../arrays/resize.ts";
import { InputError } from "../input_error.ts";

/**
 * A box in pixels of the image, whose centers are at whole numbers: the pixel of
 * column 3 and row 2 is 2.5..3.5 by 1.5..2.5.
 */
export interface Box {
  /** Column of the left edge. */
  readonly left: number;
  /** Row of the top edge. */
  readonly top: number;
  /** Column of the right edge, greater than `left`. */
  readonly right: number;
  /** Row of the bottom edge, greater than `top`. */
  readonly bottom: number;
}

/**
 * An image, the region of it that the network looks at, and the network's
 * square. Of a whole image the region is the square around it from its top left
 * corner on, scaled so that the longer side is S and both sides are whole pixels
 * (SAM's `ResizeLongestSide`).
 */
export interface Frame {
  /** The image's own height in pixels. */
  readonly height: number;
  /** The image's own width in pixels. */
  readonly width: number;
  /** A square in pixels of the image; it may reach beyond the image's edge. */
  readonly region: Box;
  /**
   * Height of the whole image in pixels of the network's square: a whole number
   * where the region is the whole image.
   */
  readonly scaledHeight: number;
  /** Likewise its width. */
  readonly scaledWidth: number;
  /** Side S of the network's square. */
  readonly side: number;
}

/** A box as an error shows it. */
function showBox({ left, top, right, bottom }: Box): string {
  return `left ${left}, top ${top}, right ${right}, bottom ${bottom}`;
}

/** The smallest square around a box with the same center. */
export function squareAround({ left, top, right, bottom }: Box): Box {
  const half = Math.max(right - left, bottom - top) / 2;
  const x = (left + right) / 2, y = (top + bottom) / 2;
  return { left: x - half, top: y - half, right: x + half, bottom: y + half };
}

/** The square that holds a region and a place beside it, with some room. */
export function regionWith(
  { left, top, right, bottom }: Box,
  { x, y }: { readonly x: number; readonly y: number },
): Box {
  const room = (right - left) / 8;
  return squareAround({
    left: Math.min(left, x - room),
    top: Math.min(top, y - room),
    right: Math.max(right, x + room),
    bottom: Math.max(bottom, y + room),
  });
}

/** Throws unless a region is a box that shares pixels with the image. */
function checkRegion(region: Box, height: number, width: number): void {
  const { left, top, right, bottom } = region;
  if (![left, top, right, bottom].every(Number.isFinite)) {
    throw new InputError(
      `Cannot look at the region as its edges must be finite numbers: current value is ${
        showBox(region)
      }`,
    );
  }
  if (!(left < right && top < bottom)) {
    throw new InputError(
      `Cannot look at the region as left must be < right and top < bottom: current value is ${
        showBox(region)
      }`,
    );
  }
  const inside = left < width - 0.5 && right > -0.5 && top < height - 0.5 &&
    bottom > -0.5;
  if (inside) return;
  throw new InputError(
    `Cannot look at the region as it must share pixels with the image, ${height} x ${width}: current value is ${
      showBox(region)
    }`,
  );
}

/**
 * The frame of a region of an image.
 *
 * @param height The image's height in pixels.
 * @param width The image's width in pixels.
 * @param side Side S of the network's square.
 * @param region A box, which is widened to a square about its center, or "whole"
 * (default).
 * @throws {RangeError} When the box is empty, beside the image or not finite.
 */
export function frameOf(
  height: number,
  width: number,
  side: number,
  region: Box | "whole" = "whole",
): Frame {
  if (region === "whole") {
    const longest = Math.max(height, width);
    const scale = side / longest;
    const scaled = (length: number) => Math.max(1, Math.round(length * scale));
    return {
      height,
      width,
      region: {
        left: -0.5,
        top: -0.5,
        right: longest - 0.5,
        bottom: longest - 0.5,
      },
      scaledHeight: scaled(height),
      scaledWidth: scaled(width),
      side,
    };
  }
  checkRegion(region, height, width);
  const square = squareAround(region);
  const scale = side / (square.right - square.left);
  return {
    height,
    width,
    region: square,
    scaledHeight: height * scale,
    scaledWidth: width * scale,
    side,
  };
}

/**
 * Pixels of the square per pixel of the image, across and down. The two differ a
 * little for a whole image, whose scaled sides are whole pixels.
 */
export function scalesOf(
  { height, width, scaledHeight, scaledWidth }: Frame,
): { x: number; y: number } {
  return { x: scaledWidth / width, y: scaledHeight / height };
}

/** Whether a place in the image lies in the region. */
export function isInRegion(
  { region: { left, top, right, bottom } }: Pick<Frame, "region">,
  { x, y }: { readonly x: number; readonly y: number },
): boolean {
  return x >= left && x <= right && y >= top && y <= bottom;
}

/**
 * A place in pixels of the image as SAM counts those of the square: pixel 0 of
 * the region is at 0, its center.
 */
export function placeInSquare(
  frame: Frame,
  { x, y }: { readonly x: number; readonly y: number },
): [column: number, row: number] {
  const scales = scalesOf(frame);
  const { left, top } = frame.region;
  return [(x - (left + 0.5)) * scales.x, (y - (top + 0.5)) * scales.y];
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
  const { left, top } = frame.region;
  return [(x - left) * across - 0.5, (y - top) * down - 0.5];
}

/** The rows or columns of a map of `side` pixels that covers the square. */
function placesOf(
  frame: Frame,
  side: number,
): { rows: AxisPlaces; columns: AxisPlaces } {
  const { height, width, scaledHeight, scaledWidth, region } = frame;
  const share = frame.side / side;
  return {
    rows: {
      count: side,
      step: share * height / scaledHeight,
      origin: region.top,
    },
    columns: {
      count: side,
      step: share * width / scaledWidth,
      origin: region.left,
    },
  };
}

/** The part of an axis of the square, in whole pixels, where the image is. */
function covered(
  { count, step, origin }: AxisPlaces,
  size: number,
): { first: number; count: number } {
  const at = (edge: number) => (edge - origin) / step - 0.5;
  const first = Math.max(0, Math.ceil(at(-0.5)));
  const last = Math.min(count - 1, Math.ceil(at(size - 0.5)) - 1);
  if (first <= last) return { first, count: last - first + 1 };
  const nearest = Math.round(at((size - 1) / 2)); // thinner than a pixel
  return { first: Math.min(count - 1, Math.max(0, nearest)), count: 1 };
}

/** What the network sees of an image: where in the square, and its pixels. */
export interface Seen {
  /** First row and column of the square with pixels of the image. */
  readonly top: number;
  /** First column. */
  readonly left: number;
  /** [rows, columns, C]. */
  readonly pixels: NdArray<Float32Array>;
}

/** Scales the region of an image to the network's square; reads no other pixel. */
export function sampleRegion(image: NdArray<Float32Array>, frame: Frame): Seen {
  const { rows, columns } = placesOf(frame, frame.side);
  const down = covered(rows, frame.height);
  const across = covered(columns, frame.width);
  const pixels = resampleBilinear(
    image,
    { ...rows, ...down },
    { ...columns, ...across },
  );
  return { top: down.first, left: across.first, pixels };
}

/**
 * A mask of the image as a map of the network's square, 0 beyond the image.
 *
 * @param mask [H, W]; anything but 0 is inside.
 * @param side Side of the map.
 * @returns [side, side], 0..1: the share of each place that is inside.
 */
export function maskToMap(
  mask: NdArray<Uint8Array>,
  frame: Frame,
  side: number,
): NdArray<Float32Array> {
  const { top, left, height, width } = windowOf(frame, 1);
  const part = new Float32Array(height * width);
  const [down, across] = mask.stride;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = mask.offset + (top + y) * down + (left + x) * across;
      if (mask.data[at] !== 0) part[y * width + x] = 1;
    }
  }
  const { rows, columns } = placesOf(frame, side);
  return resampleBilinear(
    ndarray(part, [height, width]),
    { ...rows, origin: rows.origin - top },
    { ...columns, origin: columns.origin - left },
    "zero",
  );
}

/**
 * A map of one region as a map of another region of the same image, 0 where the
 * old one did not look.
 *
 * @param map [n, n], covering the square of `from`.
 * @returns [n, n], covering the square of `to`.
 */
export function moveMap(
  map: NdArray<Float32Array>,
  from: Frame,
  to: Frame,
): NdArray<Float32Array> {
  const side = map.shape[0];
  const before = placesOf(from, side), after = placesOf(to, side);
  const moved = (old: AxisPlaces, own: AxisPlaces): AxisPlaces => ({
    count: side,
    step: own.step / old.step,
    origin: (own.origin - old.origin) / old.step - 0.5,
  });
  return resampleBilinear(
    map,
    moved(before.rows, after.rows),
    moved(before.columns, after.columns),
    "zero",
  );
}

/** The pixels of an image that lie in the region, widened by some. */
export function windowOf(
  { height, width, region }: Frame,
  margin = 0,
): { top: number; left: number; height: number; width: number } {
  const { left, top, right, bottom } = region;
  // a pixel is in the region where its center is: left <= x < right
  const x = Math.max(0, Math.ceil(left) - margin);
  const y = Math.max(0, Math.ceil(top) - margin);
  return {
    top: y,
    left: x,
    height: Math.max(0, Math.min(height, Math.ceil(bottom) + margin) - y),
    width: Math.max(0, Math.min(width, Math.ceil(right) + margin) - x),
  };
}

/**
 * Samples a map at the image's pixels in the region, bilinearly, and hands each
 * row on.
 *
 * @param every Only every n-th row and column.
 */
function sampleAtImage(
  { data, shape: [n], stride, offset }: NdArray<Float32Array>,
  frame: Frame,
  every: number,
  take: (row: Float32Array, y: number) => void,
): void {
  const { top, left, height, width } = windowOf(frame);
  const { side, region } = frame;
  const scales = scalesOf(frame);
  const count = (length: number) => Math.ceil(length / every);
  const columns = interpolation(
    count(width),
    every,
    left - region.left,
    scales.x * n / side,
    n,
  );
  const rows = interpolation(
    count(height),
    every,
    top - region.top,
    scales.y * n / side,
    n,
  );
  const [down, across] = stride;
  for (let x = 0; x < columns.low.length; x++) {
    columns.low[x] *= across, columns.high[x] *= across;
  }
  const row = new Float32Array(count(width));
  for (let y = 0; y < count(height); y++) {
    const above0 = offset + rows.low[y] * down;
    const below0 = offset + rows.high[y] * down;
    const v = rows.share[y];
    for (let x = 0; x < row.length; x++) {
      const left = columns.low[x], right = columns.high[x];
      const u = columns.share[x];
      const above = data[above0 + left] * (1 - u) + data[above0 + right] * u;
      const below = data[below0 + left] * (1 - u) + data[below0 + right] * u;
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
 * @returns [H, W], the image's own size; 0 outside the region.
 */
export function mapToImage(
  map: NdArray<Float32Array>,
  frame: Frame,
): NdArray<Float32Array> {
  const { height, width } = frame;
  const { top, left } = windowOf(frame);
  const out = new Float32Array(height * width);
  sampleAtImage(
    map,
    frame,
    1,
    (row, y) => out.set(row, (top + y) * width + left),
  );
  return ndarray(out, [height, width]);
}

/**
 * The pixels of the image at which a map is at least a threshold, without a copy
 * of the map at the image's size.
 *
 * @param map [n, n], covering the whole square.
 * @param frame The image's place in it.
 * @param threshold Least value inside; default 0.5.
 * @returns [H, W], 0 or 1; 0 outside the region.
 */
export function maskToImage(
  map: NdArray<Float32Array>,
  frame: Frame,
  threshold = 0.5,
): NdArray<Uint8Array> {
  const { height, width } = frame;
  const { top, left } = windowOf(frame);
  const out = new Uint8Array(height * width);
  sampleAtImage(map, frame, 1, (row, y) => {
    const at = (top + y) * width + left;
    for (let x = 0; x < row.length; x++) {
      if (row[x] >= threshold) out[at + x] = 1;
    }
  });
  return ndarray(out, [height, width]);
}

/** Most pixels at which masks are compared: 1024 x 1024. */
const MOST_COMPARED = 2 ** 20;

/**
 * A mask at the image's pixels in the region, to be compared with others of the
 * same frame: all pixels, or in a large region evenly spread ones, about a
 * million.
 */
export function maskInRegion(
  map: NdArray<Float32Array>,
  frame: Frame,
): Uint8Array {
  const { height, width } = windowOf(frame);
  const every = Math.ceil(Math.sqrt(height * width / MOST_COMPARED)) || 1;
  const columns = Math.ceil(width / every);
  const out = new Uint8Array(columns * Math.ceil(height / every));
  sampleAtImage(map, frame, every, (row, y) => {
    for (let x = 0; x < columns; x++) {
      if (row[x] >= 0.5) out[y * columns + x] = 1;
    }
  });
  return out;
}

/** The two neighbors in a map, and the second one's share, of every pixel. */
function interpolation(
  count: number,
  every: number,
  origin: number,
  step: number,
  n: number,
) {
  const low = new Int32Array(count);
  const high = new Int32Array(count);
  const share = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const at = (i * every + origin) * step - 0.5;
    const within = Math.min(n - 1, Math.max(0, at));
    low[i] = Math.floor(within);
    high[i] = Math.min(n - 1, low[i] + 1);
    share[i] = within - low[i];
  }
  return { low, high, share };
}
