import type { Random } from "../random.ts";
import { between, coverage } from "./_phantom_paint.ts";

/** A place: column, row and slice, all in pixels of the slice. */
export type Place = readonly [x: number, y: number, z: number];

/** Voxels, and how far apart slices are. */
export interface Grid {
  /** [D, H, W]. */
  readonly shape: readonly [number, number, number];
  /** Pixels between slices. */
  readonly step: number;
}

/** Distances to a solid's surface in pixels, positive inside, slice by slice. */
export type Solid = Float32Array;

/** Calls for every voxel of a grid. */
export function fieldOf(
  { shape: [D, H, W], step }: Grid,
  value: (x: number, y: number, z: number) => number,
): Solid {
  const field = new Float32Array(D * H * W);
  for (let k = 0, i = 0; k < D; k++) {
    for (let y = 0; y < H; y++) {
      for (let x = 0; x < W; x++, i++) field[i] = value(x, y, k * step);
    }
  }
  return field;
}

/** An ellipsoid with waves on it. */
export interface Ellipsoid {
  readonly center: Place;
  /** Half its lengths along columns, rows and slices, before it is turned. */
  readonly radii: Place;
  /** Turn about the axis of the slices, radians. */
  readonly angle?: number;
  /** Size of the waves relative to the radius. Default: 0.05. */
  readonly roughness?: number;
}

/** Distances to an ellipsoid's surface, near it. */
export function ellipsoid(
  random: Random,
  grid: Grid,
  { center, radii, angle = 0, roughness = 0.05 }: Ellipsoid,
): Solid {
  const waves = Array.from({ length: 6 }, (_, n) => ({
    height: roughness * random.normal() / Math.sqrt(n + 1),
    phase: 2 * Math.PI * random.uniform(),
    along: [0, 0, 0].map(() => (1 + n / 2) * random.normal()),
  }));
  const cos = Math.cos(angle), sin = Math.sin(angle);
  const size = Math.cbrt(radii[0] * radii[1] * radii[2]);
  return fieldOf(grid, (x, y, z) => {
    const dx = x - center[0], dy = y - center[1], dz = z - center[2];
    const u = (dx * cos + dy * sin) / radii[0];
    const v = (dy * cos - dx * sin) / radii[1];
    const w = dz / radii[2];
    const far = Math.hypot(u, v, w);
    if (far === 0) return size;
    if (far > 3) return -far * size;
    let wave = 1;
    for (const { height, phase, along: [a, b, c] } of waves) {
      wave += height * Math.sin((a * u + b * v + c * w) / far + phase);
    }
    // the radius in this direction, so that distances are those of pixels
    return Math.hypot(dx, dy, dz) * (wave / far - 1);
  });
}

/** A winding tube that tapers. */
export function tube(
  random: Random,
  grid: Grid,
  { from, toward, length, widths: [first, last], bend = 0.12 }: {
    readonly from: Place;
    /** Direction in which it leaves, of any length. */
    readonly toward: Place;
    readonly length: number;
    /** Half its width at both ends. */
    readonly widths: readonly [number, number];
    /** Random change of direction per step of 3 pixels. */
    readonly bend?: number;
  },
): Solid {
  const steps = Math.max(2, Math.ceil(length / 3));
  const norm = Math.hypot(...toward);
  let heading = toward.map((value) => value / norm);
  const path = [[...from, first]];
  for (let n = 1; n <= steps; n++) {
    heading = heading.map((value) => value + bend * random.normal());
    const long = Math.hypot(...heading);
    const place = path[n - 1].slice(0, 3)
      .map((value, i) => value + heading[i] / long * length / steps);
    path.push([...place, first + (last - first) * n / steps]);
  }
  const reach = Math.max(first, last) + 4;
  const low = [0, 1, 2].map((i) => Math.min(...path.map((p) => p[i])) - reach);
  const high = [0, 1, 2].map((i) => Math.max(...path.map((p) => p[i])) + reach);
  return fieldOf(grid, (x, y, z) => {
    if (x < low[0] || y < low[1] || z < low[2]) return -99;
    if (x > high[0] || y > high[1] || z > high[2]) return -99;
    let best = -99;
    for (let n = 1; n < path.length; n++) {
      const [ax, ay, az, wide] = path[n - 1], [bx, by, bz, narrow] = path[n];
      const dx = bx - ax, dy = by - ay, dz = bz - az;
      const along = ((x - ax) * dx + (y - ay) * dy + (z - az) * dz) /
        (dx * dx + dy * dy + dz * dz || 1);
      const t = Math.min(1, Math.max(0, along));
      const far = Math.hypot(x - ax - t * dx, y - ay - t * dy, z - az - t * dz);
      const inside = wide + t * (narrow - wide) - far;
      if (inside > best) best = inside;
    }
    return best;
  });
}

/** Smooth noise in space, about -1..1, every `cell` pixels. */
export function cloud(random: Random, grid: Grid, cell: number): Solid {
  const { shape: [D, H, W], step } = grid;
  const sides = [W, H, D * step].map((side) => Math.ceil(side / cell) + 2);
  const lattice = Float32Array.from(
    { length: sides[0] * sides[1] * sides[2] },
    () => 2 * random.uniform() - 1,
  );
  const at = (i: number, j: number, k: number) =>
    lattice[(k * sides[1] + j) * sides[0] + i];
  const ease = (t: number) => t * t * (3 - 2 * t);
  return fieldOf(grid, (x, y, z) => {
    const i = Math.floor(x / cell), j = Math.floor(y / cell);
    const k = Math.floor(z / cell);
    const u = ease(x / cell - i),
      v = ease(y / cell - j),
      w = ease(z / cell - k);
    const row = (j: number, k: number) =>
      at(i, j, k) + u * (at(i + 1, j, k) - at(i, j, k));
    const plane = (k: number) => row(j, k) + v * (row(j + 1, k) - row(j, k));
    return plane(k) + w * (plane(k + 1) - plane(k));
  });
}

/** Blends a value into every voxel that a solid covers. */
export function paint(
  canvas: Float32Array,
  solid: Solid,
  value: number,
  { softness, noise, amplitude = 1 }: {
    /** Width of the border's slope, in pixels. */
    readonly softness: number;
    /** Variation inside, added to the value. */
    readonly noise?: Solid;
    /** Its size. */
    readonly amplitude?: number;
  },
): void {
  for (let i = 0; i < canvas.length; i++) {
    if (solid[i] < -1.64 * softness) continue;
    const share = coverage(solid[i], softness);
    const more = noise ? amplitude * noise[i] : 0;
    canvas[i] += share * (value + more - canvas[i]);
  }
}

/** A direction at random, more often within the slice than across. */
export function direction(random: Random, across = 0.5): Place {
  const angle = 2 * Math.PI * random.uniform();
  return [
    Math.cos(angle),
    Math.sin(angle),
    across * between(random, -1, 1),
  ];
}
