import type { Random } from "../random.ts";
import { CT } from "./_phantom_abdomen.ts";
import { LUNG, SOFT_TISSUE } from "./_phantom_chest.ts";
import {
  between,
  coverage,
  invert,
  subtract,
  union,
} from "./_phantom_paint.ts";

/** The shapes on which raters disagree in a volume, and their looks. */
export interface SolidScene {
  /** Before noise, slice by slice. */
  readonly values: Float32Array;
  /** The object. All raters agree on its inside. */
  readonly object: Solid;
  /** The attached part that some raters include. */
  readonly part: Solid;
  /** How far the raters' surfaces lie from the middle of the border, in pixels. */
  readonly softness: number;
  /** Standard deviation of the noise. */
  readonly noise: number;
}

/** The middle of a grid, and somewhat beside it. */
function middleOf(random: Random, { shape: [D, H, W], step }: Grid): Place {
  return [
    (W - 1) / 2 + 0.03 * W * random.normal(),
    (H - 1) / 2 + 0.03 * H * random.normal(),
    (D - 1) / 2 * step + 0.5 * step * random.normal(),
  ];
}

/** A nodule in the lung with a vessel that runs into it. */
export function noduleSolid(random: Random, grid: Grid): SolidScene {
  const { shape: [D, H, W], step } = grid;
  const values = cloud(random, grid, W / 4).map((value) => LUNG + 0.03 * value);
  const center = middleOf(random, grid);
  const tall = (D - 1) / 2 * step;
  const radius = between(random, 0.11, 0.17) * W;
  const radii: Place = [
    radius * between(random, 0.9, 1.25),
    radius,
    Math.min(0.65 * tall, radius * between(random, 0.9, 1.3)),
  ];
  for (let n = 0; n < 7; n++) { // the lung's other vessels
    const from: Place = [
      W * random.uniform(),
      H * random.uniform(),
      D * step * random.uniform(),
    ];
    if (Math.hypot(...from.map((v, i) => v - center[i])) < 2.2 * radius) {
      continue;
    }
    const wide = W * between(random, 0.012, 0.028);
    const vessel = tube(random, grid, {
      from,
      toward: direction(random, 1.5),
      length: W * between(random, 0.3, 0.8),
      widths: [wide, 0.5 * wide],
    });
    paint(values, vessel, 0.8 * SOFT_TISSUE, { softness: 0.7 });
  }
  const angle = Math.PI * random.uniform();
  let object = ellipsoid(random, grid, {
    ...{ center, radii, angle },
    roughness: 0.06,
  });
  const way = direction(random, 0.4);
  const wide = radius * between(random, 0.32, 0.42);
  let part = tube(random, grid, {
    from: center,
    toward: way,
    length: radius * between(random, 2.4, 3.2),
    widths: [wide, 0.55 * wide],
  });
  if (random.uniform() < 0.5) { // on the chest wall, across from the vessel
    const turn = Math.atan2(-way[1], -way[0]) + between(random, -0.7, 0.7);
    const far = radius * between(random, 0.8, 1.3);
    const bulge = 2.5 * W;
    const wall = invert(ellipsoid(random, grid, {
      center: [
        center[0] - (bulge - far) * Math.cos(turn),
        center[1] - (bulge - far) * Math.sin(turn),
        center[2],
      ],
      radii: [bulge, bulge, 4 * bulge],
      roughness: 0.004,
    }));
    paint(values, wall, 0.85 * SOFT_TISSUE, {
      softness: 0.8,
      noise: cloud(random, grid, W / 8),
      amplitude: 0.06,
    });
    object = subtract(object, wall);
    part = subtract(part, wall);
  }
  part = subtract(part, object);
  const solid = LUNG + (SOFT_TISSUE - LUNG) * between(random, 0.75, 1);
  paint(values, part, LUNG + 0.85 * (solid - LUNG), { softness: 0.7 });
  const softness = between(random, 0.7, 1.1);
  paint(values, object, solid, {
    softness: 1.3 * softness,
    noise: cloud(random, grid, radius / 2),
    amplitude: 0.05,
  });
  return { values, object, part, softness, noise: between(random, 0.01, 0.03) };
}

/** A kidney on CT with a cyst that bulges out of it. */
export function kidneySolid(random: Random, grid: Grid): SolidScene {
  const { shape: [D, , W], step } = grid;
  const scale = W / 96;
  const tall = (D - 1) / 2 * step;
  const values = cloud(random, grid, W / 3).map((v) => CT.fat + 0.03 * v);
  const place = middleOf(random, grid);
  const medial = random.uniform() < 0.5 ? -1 : 1;
  const center: Place = [place[0] - 4 * scale * medial, place[1], place[2]];
  const at = (dx: number, dy: number, dz = 0): Place => [
    center[0] + dx * scale * medial,
    center[1] + dy * scale,
    center[2] + dz,
  ];
  const column = 3 * tall;
  const around: [Place, Place, number, number][] = [
    [at(44, 12), [13 * scale, 12 * scale, column], CT.marrow, 1], // spine
    [at(26, 16), [8 * scale, 10 * scale, column], CT.muscle, 1.2], // psoas
    [at(2, 40), [34 * scale, 11 * scale, column], CT.muscle, 1.2], // back
    [
      at(-34, -24, between(random, -1, 1) * 0.5 * tall),
      [30 * scale, 24 * scale, 1.1 * tall],
      CT.liver,
      1.2,
    ],
    [
      at(22, -32, between(random, -1, 1) * 0.6 * tall),
      [12 * scale, 9 * scale, 0.7 * tall],
      CT.bowel,
      1.5,
    ],
  ];
  for (const [middle, radii, value, softness] of around) {
    const solid = ellipsoid(random, grid, { center: middle, radii });
    paint(values, solid, value, {
      softness: softness * scale,
      noise: cloud(random, grid, 6 * scale),
      amplitude: 0.03,
    });
  }
  const angle = between(random, -0.5, 0.5);
  const radii: Place = [
    scale * between(random, 13, 17),
    scale * between(random, 17, 21),
    0.75 * tall,
  ];
  const bean = ellipsoid(random, grid, {
    ...{ center, radii, angle },
    roughness: 0.03,
  });
  const sinus = ellipsoid(random, grid, {
    center: at(0.5 * radii[0] / scale, -1),
    radii: [0.5 * radii[0], 0.42 * radii[1], 0.35 * radii[2]],
    ...{ angle, roughness: 0.12 },
  });
  const edge = scale * between(random, 0.9, 1.5);
  paint(values, bean, CT.cortex, { softness: edge });
  const waves = cloud(random, grid, 7 * scale);
  const medulla = bean.map((depth, i) =>
    Math.min(depth - 5 * scale - 3 * waves[i], -sinus[i] - scale)
  );
  paint(values, medulla, CT.medulla, { softness: 1.8 * scale });
  paint(values, sinus, CT.fat, { softness: 1.2 * scale });
  const vein = tube(random, grid, {
    from: at(0.6 * radii[0] / scale, 0),
    toward: [medial, 0.1 * random.normal(), 0.2 * random.normal()],
    length: 26 * scale,
    widths: [2.4 * scale, 2 * scale],
  });
  paint(values, vein, CT.vessel, { softness: 1.2 * scale });
  // the cyst, on the side away from the spine
  const turn = between(random, -1.2, 1.2);
  const own = scale * between(random, 7, 11);
  const cyst = ellipsoid(random, grid, {
    center: [
      center[0] - medial * Math.cos(turn) * (radii[0] + 0.25 * own),
      center[1] + Math.sin(turn) * (radii[1] + 0.25 * own),
      center[2] + between(random, -0.25, 0.25) * tall,
    ],
    radii: [own, own, Math.min(own * 1.1, 0.45 * tall)],
    roughness: 0.02,
  });
  paint(values, cyst, CT.cyst, { softness: 1.1 * scale });
  return {
    values,
    object: subtract(subtract(bean, sinus), cyst),
    part: cyst,
    softness: 1.1 * edge,
    noise: between(random, 0.015, 0.035),
  };
}

/** An object with its part. */
export function wholeOf({ object, part }: SolidScene): Solid {
  return union(object, part);
}

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
type Solid = Float32Array;

/** Calls for every voxel of a grid. */
function fieldOf(
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
interface Ellipsoid {
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
function cloud(random: Random, grid: Grid, cell: number): Solid {
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
