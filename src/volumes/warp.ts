/**
 * How a slice's content moves to the next: a smooth displacement, found by
 * symmetric demons (Thirion 1998; Vercauteren et al. 2009), coarse to fine.
 */

import { sampleAt } from "../arrays/sample_at.ts";

/** Where every cell of a square map comes from, in cells. */
export interface Displacement {
  /** Cells to the right, row-major, [side * side]. */
  readonly x: Float32Array;
  /** Cells down. */
  readonly y: Float32Array;
}

/** How displacements are found. */
const DEMONS = {
  /** Cells along a side of the finest map, at most: the field is smooth. */
  finest: 64,
  /** Sides of a cell in the finest ones, coarse to fine. */
  scales: [4, 2, 1],
  /** Steps at every scale. */
  steps: 20,
  /** Smoothing of the whole displacement after every step, in cells. */
  smooth: 1.6,
  /** Longest step, in cells. */
  longest: 1,
};

/**
 * The displacement that makes one slice look like another.
 *
 * @param from Values of one, row-major, [side * side].
 * @param to Values of the other, of the same region.
 * @returns So that from(x + displacement) is about to(x).
 */
export function displacementOf(
  from: Float32Array,
  to: Float32Array,
  side: number,
): Displacement {
  const scale = deviationOf(to);
  let field: Displacement = {
    x: new Float32Array(side * side),
    y: new Float32Array(side * side),
  };
  if (!(scale > 0)) return field;
  let before = side;
  const finest = Math.min(side, DEMONS.finest);
  for (const cell of DEMONS.scales) {
    const n = Math.floor(finest / cell);
    if (n < 8) continue;
    field = resizeField(field, before, n);
    before = n;
    const one = shrink(from, side, n, scale),
      other = shrink(to, side, n, scale);
    for (let i = 0; i < DEMONS.steps; i++) {
      field = improve(field, one, other, n);
    }
  }
  return resizeField(field, before, side);
}

/** A map moved by a displacement, bilinear, edges repeated. */
export function warp(
  map: Float32Array,
  { x, y }: Displacement,
  side: number,
): Float32Array {
  const moved = new Float32Array(side * side);
  const last = side - 1;
  for (let row = 0, i = 0; row < side; row++) {
    for (let column = 0; column < side; column++, i++) {
      // as `sampleAt`, written out: this is most of the work of a displacement
      const u = Math.min(last, Math.max(0, column + x[i]));
      const v = Math.min(last, Math.max(0, row + y[i]));
      const left = Math.floor(u), above = Math.floor(v);
      const at = above * side + left;
      const right = left < last ? 1 : 0, below = above < last ? side : 0;
      const across = u - left, down = v - above;
      moved[i] = (map[at] * (1 - across) + map[at + right] * across) *
          (1 - down) +
        (map[at + below] * (1 - across) + map[at + below + right] * across) *
          down;
    }
  }
  return moved;
}

function improve(
  field: Displacement,
  from: Float32Array,
  to: Float32Array,
  n: number,
): Displacement {
  const moved = warp(from, field, n);
  const x = Float32Array.from(field.x), y = Float32Array.from(field.y);
  for (let row = 0, i = 0; row < n; row++) {
    const up = row > 0 ? n : 0, down = row < n - 1 ? n : 0;
    for (let column = 0; column < n; column++, i++) {
      const left = column > 0 ? 1 : 0, right = column < n - 1 ? 1 : 0;
      const gx = (moved[i + right] - moved[i - left] + to[i + right] -
        to[i - left]) / 4;
      const gy = (moved[i + down] - moved[i - up] + to[i + down] - to[i - up]) /
        4;
      const difference = to[i] - moved[i];
      const size = gx * gx + gy * gy + difference ** 2 / DEMONS.longest ** 2;
      if (size < 1e-6) continue;
      x[i] += difference * gx / size;
      y[i] += difference * gy / size;
    }
  }
  return {
    x: smooth(x, n, DEMONS.smooth),
    y: smooth(y, n, DEMONS.smooth),
  };
}

function deviationOf(values: Float32Array): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length,
  );
}

/** Values at a lower resolution, [n * n], in deviations. */
function shrink(
  values: Float32Array,
  side: number,
  n: number,
  scale: number,
): Float32Array {
  const cell = side / n;
  const blurred = smooth(values, side, Math.max(0.7, cell / 2));
  return resizeMap(blurred, side, n).map((value) => value / scale);
}

function resizeMap(map: Float32Array, side: number, n: number): Float32Array {
  if (side === n) return map;
  const cell = side / n;
  return Float32Array.from({ length: n * n }, (_, i) => {
    const x = (i % n + 0.5) * cell - 0.5;
    const y = (Math.floor(i / n) + 0.5) * cell - 0.5;
    return sampleAt(map, side, side, 1, 0, x, y);
  });
}

function resizeField({ x, y }: Displacement, side: number, n: number) {
  const longer = (value: number) => value * n / side;
  return {
    x: resizeMap(x, side, n).map(longer),
    y: resizeMap(y, side, n).map(longer),
  };
}

/** A Gaussian blur; edges repeat. */
function smooth(map: Float32Array, side: number, sigma: number): Float32Array {
  const radius = Math.ceil(2.5 * sigma);
  const kernel = Float64Array.from(
    { length: 2 * radius + 1 },
    (_, k) => Math.exp(-0.5 * ((k - radius) / sigma) ** 2),
  );
  const total = kernel.reduce((a, b) => a + b, 0);
  const padded = new Float32Array(side + 2 * radius);
  const pass = (source: Float32Array) => {
    const target = new Float32Array(side * side);
    for (let row = 0; row < side; row++) {
      const first = row * side, last = first + side - 1;
      padded.fill(source[first], 0, radius);
      padded.set(source.subarray(first, last + 1), radius);
      padded.fill(source[last], side + radius);
      for (let column = 0; column < side; column++) {
        let sum = 0;
        for (let k = 0; k < kernel.length; k++) {
          sum += kernel[k] * padded[column + k];
        }
        target[column * side + row] = sum / total; // transposed
      }
    }
    return target;
  };
  return pass(pass(map));
}
