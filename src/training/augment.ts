/** Training examples: an image and a user's mask, moved and restyled at random. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { sampleAt } from "../arrays/sample_at.ts";
import { maskSide, type ModelConfig } from "../model/config.ts";
import { valueRange } from "../model/normalize.ts";
import { createRandom, type Random } from "../random.ts";
import type { Box } from "../spa/frame.ts";

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

/** A random change of intensities. */
function drawIntensity(random: Random) {
  return {
    gamma: Math.exp(0.22 * random.normal()),
    contrast: Math.exp(0.2 * random.normal()),
    brightness: 0.08 * random.normal(),
    noise: {
      deviation: 0.03 * random.uniform() ** 2,
      seed: random.integer(2 ** 31),
    },
  };
}

/** A random turn and mirroring of a square of `side` pixels, and smooth waves. */
function drawTurn(random: Random, side: number) {
  const angle = (Math.PI / 2) * random.integer(4) + 0.3 * random.normal();
  const flip = random.integer(2) === 0 ? 1 : -1;
  const amplitude = () => 0.016 * side * random.normal();
  const cos = Math.cos(angle) * side, sin = Math.sin(angle) * side;
  return {
    across: [cos * flip, -sin] as const,
    down: [sin * flip, cos] as const,
    waves: Array.from({ length: 3 }, (): Wave => ({
      frequency: [1.5 * random.normal(), 1.5 * random.normal()],
      phase: 2 * Math.PI * random.uniform(),
      amplitude: [amplitude(), amplitude()],
    })),
  };
}

/**
 * Draws a placement of a whole image: flips, turns, zooms, shifts and a smooth
 * warp; a change of intensity, and noise.
 */
export function drawPlacement(
  random: Random,
  height: number,
  width: number,
): Placement {
  const longer = Math.max(height, width);
  const zoom = longer * Math.exp(0.22 * random.normal());
  const { across, down, waves } = drawTurn(random, zoom);
  const shift = () => longer * 0.12 * (random.uniform() - 0.5);
  return {
    x: [...across, (width - 1) / 2 + shift()],
    y: [...down, (height - 1) / 2 + shift()],
    waves,
    ...drawIntensity(random),
  };
}

/** Side of an object's box as a share of the region's: most often about a third. */
const MEAN_SHARE = 1 / 3, LEAST_SHARE = 0.12, LARGEST_SHARE = 0.75;

/** How a region lies around its object. */
interface Aim {
  /** Deviation of the natural logarithm of the object's share of the side. */
  readonly deviation: number;
  /**
   * The object's center is at most so many sides of the region off the middle, in
   * either direction.
   */
  readonly furthest: number;
}

/** A region as a click finds it: its side says much of the object's. */
const FOUND: Aim = { deviation: 0.3, furthest: 0.12 };

/** A region as a hand draws it. A quarter off the middle is no edge. */
const DRAWN: Aim = { deviation: 0.5, furthest: 0.3 };

/** Share of regions that are as they are found. */
const FOUND_SHARE = 0.65;

/** Side of the smallest region, in pixels of the image. */
const LEAST_SIDE = 16;

/** A region is at most so many times as large as the image's longer side. */
const MOST_BEYOND = 1.6;

/**
 * Draws a region around an object, turned and restyled as a whole image is: the
 * object's longer side is 0.12 to 0.75 of the region's, most often about a
 * third, and its center lies anywhere up to 0.3 sides off the region's middle, as
 * long as nearly all of it lies in the region. Two thirds of the regions are as
 * they are found from a click, closer to both. A region has at least 16 pixels to
 * a side, and may reach beyond the image.
 *
 * @param object The object's box, in pixels of the image.
 * @param most How many sides off the middle the center is at most; absent, as
 * the region is found or drawn.
 */
export function drawRegion(
  random: Random,
  object: Box,
  height: number,
  width: number,
  most?: number,
): Placement {
  const longer = Math.max(
    object.right - object.left,
    object.bottom - object.top,
    1,
  );
  const aim = random.uniform() < FOUND_SHARE ? FOUND : DRAWN;
  let share = 0;
  do {
    share = MEAN_SHARE * Math.exp(aim.deviation * random.normal());
  } while (share < LEAST_SHARE || share > LARGEST_SHARE);
  const side = Math.min(
    Math.max(LEAST_SIDE, longer / share),
    Math.max(longer / LARGEST_SHARE, MOST_BEYOND * Math.max(height, width)),
  );
  const { across, down, waves } = drawTurn(random, side);
  const furthest = Math.min(
    most ?? aim.furthest,
    Math.max(0.06, 0.55 - longer / side / 2),
  );
  const u = furthest * (2 * random.uniform() - 1);
  const v = furthest * (2 * random.uniform() - 1);
  const x = (object.left + object.right) / 2;
  const y = (object.top + object.bottom) / 2;
  return {
    x: [...across, x - across[0] * u - across[1] * v],
    y: [...down, y - down[0] * u - down[1] * v],
    waves,
    ...drawIntensity(random),
  };
}

/** Share of regions without an object whose intensities are turned round. */
const INVERTED_SHARE = 0.12;

/**
 * Draws a region anywhere in an image, of any scale: from a quarter of the
 * image's longer side, or 24 pixels where that is more, to all of it. Of some,
 * dark and bright are swapped, as no object's kind is at stake.
 */
export function drawAnyRegion(
  random: Random,
  height: number,
  width: number,
): Placement {
  const longer = Math.max(height, width);
  const least = Math.min(longer, Math.max(24, longer / 4));
  const side = least * (1.1 * longer / least) ** random.uniform();
  const { across, down, waves } = drawTurn(random, side);
  const middle = (length: number) => {
    const room = Math.max(0, length - 0.7 * side);
    return (length - 1) / 2 + room * (random.uniform() - 0.5);
  };
  const inverted = random.uniform() < INVERTED_SHARE;
  const { contrast, ...intensity } = drawIntensity(random);
  return {
    x: [...across, middle(width)],
    y: [...down, middle(height)],
    waves,
    ...intensity,
    contrast: inverted ? -contrast : contrast,
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

/** An image averaged over blocks of pixels. */
interface Shrunk {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
}

const shrunkImages = new WeakMap<object, Map<number, Shrunk>>();

/** An image averaged over blocks of `factor` x `factor` pixels; kept. */
function shrink(image: NdArray<Float32Array>, factor: number): Shrunk {
  const [rows, columns, channels] = image.shape;
  const source = image.data as Float32Array;
  if (factor === 1) return { data: source, height: rows, width: columns };
  const known = shrunkImages.get(source) ?? new Map<number, Shrunk>();
  shrunkImages.set(source, known);
  const before = known.get(factor);
  if (before) return before;
  const height = Math.ceil(rows / factor), width = Math.ceil(columns / factor);
  const data = new Float32Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const bottom = Math.min(rows, (y + 1) * factor);
    for (let x = 0; x < width; x++) {
      const right = Math.min(columns, (x + 1) * factor);
      for (let c = 0; c < channels; c++) {
        let sum = 0, count = 0;
        for (let row = y * factor; row < bottom; row++) {
          for (let column = x * factor; column < right; column++) {
            sum += source[(row * columns + column) * channels + c];
            count++;
          }
        }
        data[(y * width + x) * channels + c] = sum / count;
      }
    }
  }
  const result = { data, height, width };
  known.set(factor, result);
  return result;
}

/**
 * The image in the network's square, normalized: [S, S, 3], row-major. Where it
 * is made smaller, pixels are averaged first, so that nothing aliases.
 */
export function placeImage(
  image: NdArray<Float32Array>,
  placement: Placement,
  config: ModelConfig,
): Float32Array {
  const S = config.imageSize;
  const channels = image.shape[2];
  const { gamma = 1, contrast, brightness, noise, x, y } = placement;
  const pixel = Math.sqrt(Math.abs(x[0] * y[1] - x[1] * y[0])) / S;
  const factor = 2 ** Math.max(0, Math.floor(Math.log2(pixel)));
  const { data, height, width } = shrink(image, factor);
  const toShrunk = (at: number) => (at + 0.5) / factor - 0.5;
  const raw = new Float32Array(S * S * channels);
  for (let row = 0; row < S; row++) {
    const v = (row + 0.5) / S - 0.5;
    for (let column = 0; column < S; column++) {
      const u = (column + 0.5) / S - 0.5;
      const [px, py] = sourceOf(placement, u, v).map(toShrunk);
      for (let c = 0; c < channels; c++) {
        raw[(row * S + column) * channels + c] = sampleAt(
          data,
          height,
          width,
          channels,
          c,
          px,
          py,
        );
      }
    }
  }
  const { low, span } = valueRange(config, raw);
  const random = createRandom(noise?.seed ?? 0);
  const changed = new Float32Array(raw.length);
  for (let i = 0; i < S * S; i++) {
    const shift = brightness + (noise ? noise.deviation * random.normal() : 0);
    for (let c = 0; c < channels; c++) {
      const at = i * channels + c;
      const value = (raw[at] - low) / span;
      // a power of a value below 0 is NaN; of its size it keeps the order
      const bent = Math.sign(value) * Math.abs(value) ** gamma;
      changed[at] = contrast * (bent - 0.5) + 0.5 + shift;
    }
  }
  const range = valueRange(config, changed); // as encode() will stretch it
  const out = new Float32Array(S * S * 3);
  for (let i = 0; i < S * S; i++) {
    for (let c = 0; c < 3; c++) {
      const value = changed[i * channels + c % channels]; // gray: three times
      out[3 * i + c] =
        ((value - range.low) / range.span - config.pixelMean[c]) /
        config.pixelDeviation[c];
    }
  }
  return out;
}

/** Whether no more than a little of a placement's square lies in the image. */
export function isMostlyBeside(
  placement: Placement,
  height: number,
  width: number,
): boolean {
  let beside = 0;
  for (let i = 0; i < 64; i++) {
    const u = (i % 8 + 0.5) / 8 - 0.5, v = (Math.floor(i / 8) + 0.5) / 8 - 0.5;
    const [x, y] = sourceOf(placement, u, v);
    if (x < 0 || y < 0 || x > width - 1 || y > height - 1) beside++;
  }
  return beside > 56;
}

/** Center of gravity of a mask, (x, y). */
function centerOf(mask: Uint8Array, width: number): [number, number] {
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
 * share of each pixel: [m, m], 0..1.
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
  const [cx, cy] = centerOf(mask, width);
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
