/** Training examples: an image and a user's mask, moved and restyled at random. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { sampleAt } from "../arrays/sample_at.ts";
import { maskSide, type ModelConfig } from "../model/config.ts";
import { valueRange } from "../model/normalize.ts";
import { createRandom, type Random } from "../random.ts";

/** A smooth warp: the point (u, v) moves by amplitude * sin(phase + ...). */
export interface Wave {
  /** Cycles per square along u and v. */
  readonly frequency: readonly [number, number];
  readonly phase: number;
  /** Largest shift of column and row, in pixels of the image. */
  readonly amplitude: readonly [number, number];
}

/**
 * Where the pixels of the network's square are taken from in the image, and
 * what happens to their intensities.
 */
export interface Placement {
  /** Column: xx * u + xy * v + x, for a point (u, v) in -0.5 .. 0.5. */
  readonly x: readonly [number, number, number];
  /** Row, likewise. */
  readonly y: readonly [number, number, number];
  /** Added to both; none by default. */
  readonly waves?: readonly Wave[];
  /** Exponent of the intensity's size, by default 1; its sign stays. */
  readonly gamma?: number;
  /** Intensity is multiplied by this, about its middle ... */
  readonly contrast: number;
  /** ... and this is added, ... */
  readonly brightness: number;
  /** ... and Gaussian noise of this deviation (default 0) and seed. */
  readonly noise?: { readonly deviation: number; readonly seed: number };
}

/**
 * Draws a placement: flips, turns, zooms, shifts and a smooth warp; a change
 * of intensity, and noise.
 */
export function drawPlacement(
  random: Random,
  height: number,
  width: number,
): Placement {
  const longer = Math.max(height, width);
  const zoom = longer * Math.exp(0.22 * random.normal());
  const angle = (Math.PI / 2) * random.integer(4) + 0.3 * random.normal();
  const flip = random.integer(2) === 0 ? 1 : -1;
  const amplitude = () => 0.016 * longer * random.normal();
  const shift = () => longer * 0.12 * (random.uniform() - 0.5);
  const cos = Math.cos(angle) * zoom, sin = Math.sin(angle) * zoom;
  return {
    x: [cos * flip, -sin, (width - 1) / 2 + shift()],
    y: [sin * flip, cos, (height - 1) / 2 + shift()],
    waves: Array.from({ length: 3 }, () => ({
      frequency: [1.5 * random.normal(), 1.5 * random.normal()],
      phase: 2 * Math.PI * random.uniform(),
      amplitude: [amplitude(), amplitude()],
    })),
    gamma: Math.exp(0.22 * random.normal()),
    contrast: Math.exp(0.2 * random.normal()),
    brightness: 0.08 * random.normal(),
    noise: {
      deviation: 0.03 * random.uniform() ** 2,
      seed: random.integer(2 ** 31),
    },
  };
}

/** The point of the image, (column, row), that goes to (u, v). */
function sourceOf(
  { x, y, waves = [] }: Placement,
  u: number,
  v: number,
): [number, number] {
  let column = x[0] * u + x[1] * v + x[2], row = y[0] * u + y[1] * v + y[2];
  for (const { frequency: [fu, fv], phase, amplitude } of waves) {
    const wave = Math.sin(phase + 2 * Math.PI * (fu * u + fv * v));
    column += amplitude[0] * wave;
    row += amplitude[1] * wave;
  }
  return [column, row];
}

/** How a user's mask departs from the raters': a smooth change of its radius. */
export interface Style {
  /** Relative change of the radius at angle t: c0 + sum c_k cos(k t - p_k). */
  readonly amplitudes: readonly number[];
  readonly phases: readonly number[];
}

/** Draws a style: generous or strict, shifted, longer one way than the other. */
export function drawStyle(random: Random): Style {
  const deviations = [0.1, 0.06, 0.06, 0.04];
  return {
    amplitudes: deviations.map((deviation) => deviation * random.normal()),
    phases: deviations.map(() => 2 * Math.PI * random.uniform()),
  };
}

/** The image in the network's square, normalised: [S, S, 3], row-major. */
export function placeImage(
  image: NdArray<Float32Array>,
  placement: Placement,
  config: ModelConfig,
): Float32Array {
  const S = config.imageSize;
  const [height, width, channels] = image.shape;
  const { gamma = 1, contrast, brightness, noise } = placement;
  const { low, span } = valueRange(config, image.data);
  const random = createRandom(noise?.seed ?? 0);
  const out = new Float32Array(S * S * 3);
  for (let row = 0; row < S; row++) {
    const v = (row + 0.5) / S - 0.5;
    for (let column = 0; column < S; column++) {
      const u = (column + 0.5) / S - 0.5;
      const [px, py] = sourceOf(placement, u, v);
      const shift = brightness +
        (noise ? noise.deviation * random.normal() : 0);
      for (let c = 0; c < 3; c++) {
        const raw = sampleAt(
          image.data as Float32Array,
          height,
          width,
          channels,
          c % channels, // grey: the one channel three times
          px,
          py,
        );
        const value = (raw - low) / span;
        // a power of a value below 0 is NaN; of its size it keeps the order
        const bent = Math.sign(value) * Math.abs(value) ** gamma;
        const changed = contrast * (bent - 0.5) + 0.5 + shift;
        out[(row * S + column) * 3 + c] = (changed - config.pixelMean[c]) /
          config.pixelDeviation[c];
      }
    }
  }
  return out;
}

/** Centre of gravity of a mask, (x, y). */
function centreOf(mask: Uint8Array, width: number): [number, number] {
  let x = 0, y = 0, n = 0;
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    x += i % width;
    y += Math.floor(i / width);
    n++;
  }
  return [x / n, y / n];
}

/**
 * The mask in the network's square at the decoder's resolution, as the covered
 * share of each pixel: [4h, 4h], 0..1.
 */
export function placeMask(
  mask: Uint8Array,
  height: number,
  width: number,
  placement: Placement,
  config: ModelConfig,
  style?: Style,
): Float32Array {
  const side = maskSide(config);
  const fine = 2; // samples per side of a pixel
  const [cx, cy] = centreOf(mask, width);
  const out = new Float32Array(side * side);
  for (let row = 0; row < side * fine; row++) {
    const v = (row + 0.5) / (side * fine) - 0.5;
    for (let column = 0; column < side * fine; column++) {
      const u = (column + 0.5) / (side * fine) - 0.5;
      let [px, py] = sourceOf(placement, u, v);
      if (style) {
        const angle = Math.atan2(py - cy, px - cx);
        let change = 0;
        for (let k = 0; k < style.amplitudes.length; k++) {
          change += style.amplitudes[k] * Math.cos(k * angle - style.phases[k]);
        }
        const factor = 1 / Math.max(0.5, 1 + change);
        px = cx + (px - cx) * factor;
        py = cy + (py - cy) * factor;
      }
      if (px < -0.5 || py < -0.5 || px > width - 0.5 || py > height - 0.5) {
        continue;
      }
      const value = sampleAt(mask, height, width, 1, 0, px, py);
      const pixel = Math.floor(row / fine) * side + Math.floor(column / fine);
      out[pixel] += value / fine ** 2;
    }
  }
  return out;
}
