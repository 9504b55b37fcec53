import type { Random } from "../random.ts";

/**
 * The brushes of the phantoms. A field is a square map, row-major; a shape is a
 * field of signed distances to its border in pixels, positive inside.
 */
export type Field = Float32Array;

/**
 * The result of a scene painter: an image and the shapes on which raters
 * disagree.
 */
export interface Scene {
  /** [size, size, channels], values 0..1. */
  image: Float32Array;
  channels: 1 | 3;
  /** The object. All raters agree on its inside. */
  object: Field;
  /** An attached part that some raters include. */
  part?: Field;
  /** How far the raters' borders lie apart, in pixels. */
  softness: number;
}

/** A number uniform in [low, high). */
export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random.uniform();
}

/** How much of a pixel a shape covers, 0..1: 0.9 at `softness` pixels inside, all at 1.64 times that. */
export function coverage(distance: number, softness: number): number {
  const t = 0.5 + distance / (3.28 * softness);
  return t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t);
}

/** How {@linkcode fill} paints. */
interface Fill {
  /** Width of the border's slope, in pixels: see {@linkcode coverage}. */
  softness: number;
  /** Share of what lies below that is hidden. Default: 1. */
  opacity?: number;
  /** Variation inside, added to the value. */
  noise?: Field;
  /** Size of that variation. Default: 1. */
  amplitude?: number;
}

/** Blends a value into every pixel that the shape covers; one value per canvas. */
export function fill(
  canvas: Field | readonly Field[],
  shape: Field,
  value: number | readonly number[],
  { softness, opacity = 1, noise, amplitude = 1 }: Fill,
): void {
  const fields = canvas instanceof Float32Array ? [canvas] : canvas;
  const values = typeof value === "number" ? [value] : value;
  const reach = -1.64 * softness;
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] < reach) continue;
    const share = opacity * coverage(shape[i], softness);
    const more = noise ? amplitude * noise[i] : 0;
    for (let c = 0; c < fields.length; c++) {
      fields[c][i] += share * (values[c] + more - fields[c][i]);
    }
  }
}

/** The union of two shapes. */
export function union(one: Field, other: Field): Field {
  const all = one.slice();
  for (let i = 0; i < all.length; i++) {
    if (other[i] > all[i]) all[i] = other[i];
  }
  return all;
}

/** `shape` without `other`. */
export function subtract(shape: Field, other: Field): Field {
  const rest = shape.slice();
  for (let i = 0; i < rest.length; i++) {
    if (-other[i] < rest[i]) rest[i] = -other[i];
  }
  return rest;
}

/** `shape` with its border moved outwards by `pixels`. */
export function grow(shape: Field, pixels: number): Field {
  const grown = shape.slice();
  for (let i = 0; i < grown.length; i++) grown[i] += pixels;
  return grown;
}

/** The band inside `shape` between two depths below its border, in pixels. */
export function band(shape: Field, from: number, to: number): Field {
  const layer = shape.slice();
  for (let i = 0; i < layer.length; i++) {
    layer[i] = Math.min(shape[i] - from, to - shape[i]);
  }
  return layer;
}

/** The complement of `shape`. */
export function invert(shape: Field): Field {
  const outside = shape.slice();
  for (let i = 0; i < outside.length; i++) outside[i] = -shape[i];
  return outside;
}

/** A closed shape around a center. */
export interface Blob {
  x: number;
  y: number;
  radius: number;
  /** Length over width, at an equal area. */
  aspect?: number;
  /** Direction of the length, radians clockwise from the x axis. */
  angle?: number;
  /** Size of irregularities relative to the radius. */
  roughness?: number;
  /** How many waves the irregularities have at most around the border. */
  waves?: number;
  /** A dent at `angle` + 90 degrees, relative to the radius. */
  dent?: number;
  /** How far outside distances are known, in pixels. Default: 8 % of the side; beyond they are -99. */
  reach?: number;
}

/** Paints a blob; its outline is an ellipse with random waves and a dent. */
export function blob(
  random: Random,
  size: number,
  {
    x,
    y,
    radius,
    aspect = 1,
    angle = 0,
    roughness = 0.1,
    waves = 5,
    dent = 0,
    reach = 0.08 * size,
  }: Blob,
): Field {
  const waving = Array.from({ length: Math.max(waves - 1, 0) }, (_, k) => {
    const height = roughness * random.normal() / (k + 2) ** 0.7;
    const phase = 2 * Math.PI * random.uniform();
    return [height * Math.cos(phase), height * Math.sin(phase)];
  });
  const long = radius * Math.sqrt(aspect);
  const short = radius / Math.sqrt(aspect);
  const cosAngle = Math.cos(angle);
  const sinAngle = Math.sin(angle);
  const outline = new Float64Array(DIRECTIONS + 1);
  let extent = reach;
  for (let k = 0; k <= DIRECTIONS; k++) {
    const along = COS[k] * cosAngle + SIN[k] * sinAngle; // of the turned axes
    const across = SIN[k] * cosAngle - COS[k] * sinAngle;
    let wave = 1;
    let cos = along; // cosine and sine of n t, n = 1, 2, ...
    let sin = across;
    for (const [even, odd] of waving) {
      [cos, sin] = [cos * along - sin * across, sin * along + cos * across];
      wave += even * cos - odd * sin;
    }
    if (dent > 0) {
      const turn = Math.atan2(-along, across); // from angle + 90 degrees
      wave -= dent * Math.exp(-((turn / 0.45) ** 2));
    }
    outline[k] = Math.max(wave, 0.3) /
      Math.sqrt((along / long) ** 2 + (across / short) ** 2);
    extent = Math.max(extent, outline[k] + reach);
  }
  const shape = nothing(size);
  const top = Math.max(Math.ceil(y - extent), 0);
  const bottom = Math.min(Math.floor(y + extent), size - 1);
  const left = Math.max(Math.ceil(x - extent), 0);
  const right = Math.min(Math.floor(x + extent), size - 1);
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const dx = column - x;
      const dy = row - y;
      shape[row * size + column] = outline[direction(dx, dy)] -
        Math.sqrt(dx * dx + dy * dy);
    }
  }
  return shape;
}

/** Into how many directions an outline is divided, evenly along a diamond: an arctangent per pixel would take most of a phantom's time. */
const DIRECTIONS = 512;

/** The direction of (dx, dy), 0 .. DIRECTIONS. */
function direction(dx: number, dy: number): number {
  const along = dx / (Math.abs(dx) + Math.abs(dy) || 1);
  const quarters = dy < 0 ? 3 + along : 1 - along; // 0..4 around
  return Math.floor(quarters * (DIRECTIONS / 4) + 0.5);
}

/** The unit vector of every direction. */
const COS = new Float64Array(DIRECTIONS + 1);
const SIN = new Float64Array(DIRECTIONS + 1);
for (let k = 0; k <= DIRECTIONS; k++) {
  const quarters = k / (DIRECTIONS / 4);
  const x = quarters > 2 ? quarters - 3 : 1 - quarters;
  const y = (quarters > 2 ? -1 : 1) * (1 - Math.abs(x));
  COS[k] = x / Math.sqrt(x * x + y * y);
  SIN[k] = y / Math.sqrt(x * x + y * y);
}

/** A point of a stroke, with half its width there. */
export interface StrokePoint {
  x: number;
  y: number;
  halfWidth: number;
}

/** An empty shape, for `stroke`. */
export function nothing(size: number): Field {
  return new Float32Array(size * size).fill(-99);
}

/** Adds a stroke to a shape: the union of tapered segments. */
export function stroke(
  shape: Field,
  size: number,
  points: readonly StrokePoint[],
): void {
  for (let p = 1; p < points.length; p++) {
    const from = points[p - 1];
    const to = points[p];
    const reach = Math.max(from.halfWidth, to.halfWidth) + 3;
    const dx = to.x - from.x;
    const dy = to.y - from.y;
    const squared = dx * dx + dy * dy || 1;
    const top = Math.max(Math.ceil(Math.min(from.y, to.y) - reach), 0);
    const bottom = Math.min(Math.max(from.y, to.y) + reach, size - 1);
    const left = Math.max(Math.ceil(Math.min(from.x, to.x) - reach), 0);
    const right = Math.min(Math.max(from.x, to.x) + reach, size - 1);
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const along = ((column - from.x) * dx + (row - from.y) * dy) / squared;
        const t = Math.min(Math.max(along, 0), 1);
        const ex = column - from.x - t * dx;
        const ey = row - from.y - t * dy;
        const halfWidth = from.halfWidth + t * (to.halfWidth - from.halfWidth);
        const distance = halfWidth - Math.sqrt(ex * ex + ey * ey);
        const i = row * size + column;
        if (distance > shape[i]) shape[i] = distance;
      }
    }
  }
}

/** The point of a circle at an angle in radians. */
export function onCircle(
  x: number,
  y: number,
  radius: number,
  angle: number,
): { x: number; y: number } {
  return {
    x: x + radius * Math.cos(angle),
    y: y + radius * Math.sin(angle),
  };
}

/** A winding path that tapers, such as a vessel's. */
export function walk(
  random: Random,
  { x, y, angle, length, from, to, bend = 0.15, turn = 0 }: {
    x: number;
    y: number;
    /** Direction in which it leaves, radians. */
    angle: number;
    length: number;
    /** Half its width at the beginning. */
    from: number;
    /** Half its width at the end. */
    to: number;
    /** Random change of direction, radians per step of 3 pixels. */
    bend?: number;
    /** Steady change of direction, radians over the whole length. */
    turn?: number;
  },
): StrokePoint[] {
  const steps = Math.max(Math.ceil(length / 3), 2);
  const points = [{ x, y, halfWidth: from }];
  for (let k = 1; k <= steps; k++) {
    angle += bend * random.normal() + turn / steps;
    x += Math.cos(angle) * length / steps;
    y += Math.sin(angle) * length / steps;
    points.push({ x, y, halfWidth: from + (to - from) * k / steps });
  }
  return points;
}

/** Smooth noise: random values, about -1..1, every `cell` pixels, and octaves of half the cell and the size. */
export function texture(
  random: Random,
  size: number,
  cell: number,
  octaves = 1,
): Field {
  const field = new Float32Array(size * size);
  for (let octave = 0; octave < octaves; octave++, cell /= 2) {
    const side = Math.ceil(size / cell) + 2;
    const lattice = new Float32Array(side * side);
    for (let i = 0; i < lattice.length; i++) {
      lattice[i] = 2 ** -octave * (2 * random.uniform() - 1);
    }
    const shift = random.uniform();
    const cells = new Int32Array(size);
    const shares = new Float32Array(size);
    for (let i = 0; i < size; i++) {
      const position = i / cell + shift;
      const t = position - Math.floor(position);
      cells[i] = Math.floor(position);
      shares[i] = t * t * (3 - 2 * t);
    }
    for (let row = 0, i = 0; row < size; row++) {
      const v = shares[row];
      for (let column = 0; column < size; column++, i++) {
        const k = cells[row] * side + cells[column];
        const u = shares[column];
        const upper = lattice[k] + u * (lattice[k + 1] - lattice[k]);
        const lower = lattice[k + side] +
          u * (lattice[k + side + 1] - lattice[k + side]);
        field[i] += upper + v * (lower - upper);
      }
    }
  }
  return field;
}

/** A Gaussian blur of standard deviation `sigma` pixels; edges repeat. */
export function blur(field: Field, size: number, sigma: number): Field {
  const radius = Math.ceil(2.5 * sigma);
  const weights = Float32Array.from(
    { length: 2 * radius + 1 },
    (_, k) => Math.exp(-0.5 * ((k - radius) / sigma) ** 2),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  // Each pass filters rows and transposes, so that two give the whole blur.
  const pass = (source: Field) => {
    const target = new Float32Array(source.length);
    const padded = new Float32Array(size + 2 * radius);
    for (let row = 0; row < size; row++) {
      const start = row * size;
      padded.fill(source[start], 0, radius);
      padded.set(source.subarray(start, start + size), radius);
      padded.fill(source[start + size - 1], radius + size);
      let first = 0; // Masks are mostly empty: empty ends cost nothing.
      let last = padded.length - 1;
      while (first <= last && padded[first] === 0) first++;
      while (last > first && padded[last] === 0) last--;
      const from = Math.max(first - 2 * radius, 0);
      const to = Math.min(last, size - 1);
      for (let column = from; column <= to; column++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) {
          sum += weights[k] * padded[column + k];
        }
        target[column * size + row] = sum / total;
      }
    }
    return target;
  };
  return pass(pass(field));
}

/** Noise of standard deviation 1, correlated over `sigma` pixels. */
export function grain(random: Random, size: number, sigma: number): Field {
  const field = new Float32Array(size * size);
  for (let i = 0; i < field.length; i++) {
    field[i] = random.uniform() - 0.5;
  }
  const smooth = blur(field, size, sigma);
  let squares = 0;
  for (const value of smooth) squares += value * value;
  const scale = 1 / Math.sqrt(squares / smooth.length);
  for (let i = 0; i < smooth.length; i++) smooth[i] *= scale;
  return smooth;
}

/** Clips every value to 0..1, in place. */
export function clip(field: Field): Field {
  for (let i = 0; i < field.length; i++) {
    field[i] = Math.min(Math.max(field[i], 0), 1);
  }
  return field;
}
