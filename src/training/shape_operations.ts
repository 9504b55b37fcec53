/** Operations on square masks, 0 or 1, row-major. All keep nested masks nested. */

import { squaredDistances } from "../arrays/squared_distances.ts";

/** The four neighbors of a pixel that lie in the square. */
function neighbors(i: number, side: number): number[] {
  const x = i % side;
  const list: number[] = [];
  if (x > 0) list.push(i - 1);
  if (x < side - 1) list.push(i + 1);
  if (i >= side) list.push(i - side);
  if (i < side * (side - 1)) list.push(i + side);
  return list;
}

/** The part of a mask that hangs together with a pixel (four neighbors). */
export function componentAt(
  mask: Uint8Array,
  pixel: number,
  side: number,
): Uint8Array {
  const found = new Uint8Array(mask.length);
  if (!mask[pixel]) return found;
  const queue = [pixel];
  found[pixel] = 1;
  for (const i of queue) { // grows while it is walked
    for (const j of neighbors(i, side)) {
      if (!mask[j] || found[j]) continue;
      found[j] = 1;
      queue.push(j);
    }
  }
  return found;
}

/** A mask with its holes filled: what the square's edge cannot reach. */
export function fillHoles(mask: Uint8Array, side: number): Uint8Array {
  const outside = new Uint8Array(mask.length);
  const queue: number[] = [];
  const visit = (i: number) => {
    if (mask[i] || outside[i]) return;
    outside[i] = 1;
    queue.push(i);
  };
  for (let k = 0; k < side; k++) {
    visit(k);
    visit((side - 1) * side + k);
    visit(k * side);
    visit(k * side + side - 1);
  }
  for (const i of queue) neighbors(i, side).forEach(visit);
  return outside.map((value) => 1 - value);
}

/**
 * A mask grown by so many pixels on all sides, or shrunk where `by` is below 0;
 * the square's edge is no edge of the mask.
 */
export function resizeMask(
  mask: Uint8Array,
  by: number,
  side: number,
): Uint8Array {
  const grow = by >= 0;
  const source: number[] = [];
  for (let i = 0; i < mask.length; i++) {
    if ((mask[i] > 0) === grow) source.push(i);
  }
  const squared = squaredDistances(source, side, side);
  const reach = by * by;
  return Uint8Array.from(
    squared,
    (distance) => (distance <= reach) === grow ? 1 : 0,
  );
}

/** One pass of a box blur along rows or columns; edges repeat. */
function blurAxis(
  values: Float32Array,
  radius: number,
  side: number,
  step: number,
): Float32Array {
  const out = new Float32Array(values.length);
  const other = step === 1 ? side : 1;
  for (let line = 0; line < side; line++) {
    const start = line * other;
    const at = (k: number) =>
      values[start + Math.min(side - 1, Math.max(0, k)) * step];
    let sum = 0;
    for (let k = -radius; k <= radius; k++) sum += at(k);
    for (let k = 0; k < side; k++) {
      out[start + k * step] = sum / (2 * radius + 1);
      sum += at(k + radius + 1) - at(k - radius);
    }
  }
  return out;
}

/**
 * A mask with a smoother outline: blurred (three box filters, nearly a Gaussian)
 * and thresholded.
 *
 * @param width The Gaussian's standard deviation in pixels, about; below half a
 * pixel the mask stays.
 */
export function smoothMask(
  mask: Uint8Array,
  width: number,
  side: number,
): Uint8Array {
  const radius = Math.round(width);
  if (radius < 1) return mask;
  let values: Float32Array = Float32Array.from(mask);
  for (let pass = 0; pass < 3; pass++) {
    values = blurAxis(blurAxis(values, radius, side, 1), radius, side, side);
  }
  return Uint8Array.from(values, (value) => value >= 0.5 ? 1 : 0);
}
