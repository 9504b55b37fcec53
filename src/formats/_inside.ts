/** What counts as inside in a mask's stored values. */

import { badFile } from "./_bytes.ts";
import { InputError } from "../input_error.ts";

/** What counts as inside in a mask's file. */
export interface MaskOptions {
  /** The stored values that are inside, one or several, where not all of them are. */
  label?: number | readonly number[];
  /** The stored values that are outside though they are above 0, such as 255 for "not labeled". */
  ignore?: number | readonly number[];
  /**
   * The least stored value that is inside. The default is 0.5 for fractions,
   * 128 for JPEG and for white masks with gray edges, else any value above 0.
   */
  threshold?: number;
  /** Which channel is the mask, from 0: the structure's own of a one-hot array. */
  channel?: number;
  /** Whether the mask is the picture's alpha (true), or its colors whatever the alpha is (false). */
  alpha?: boolean;
}

/** The options' types, for the check of their names. */
export const MASK_TYPES = {
  label: "number | array",
  ignore: "number | array",
  threshold: "number",
  channel: "number",
  alpha: "boolean",
} as const;

/** The part of `options` that says what counts as inside. */
export function maskOptionsOf(
  { label, ignore, threshold, channel, alpha }: MaskOptions,
): MaskOptions {
  return { label, ignore, threshold, channel, alpha };
}

/** Stored values, as far as they tell how they are coded. */
export interface StoredValues {
  /** Channels side by side. */
  readonly values: Float32Array | Uint8Array;
  readonly channels: number;
  /** Whether values are those stored but for small errors: of a JPEG. */
  readonly lossy?: boolean;
  /** Whether the channels are red, green and blue. */
  readonly color?: boolean;
}

/** Values of a label may lie so far beside it: what resampling leaves. */
const NEAR = 1e-3;

/** So many values between 0 and white are gray edges, no labels. */
const MANY_GRAYS = 16;

/** Nobody labels more structures than this: such values are an image's. */
const MANY_LABELS = 512;

/** The share of a mask beyond which its background is perhaps coded as something else than 0. */
const MOST_INSIDE = 0.95;

/** From here on a value of a JPEG is inside. */
const MIDDLE = 128;

/** Gray of a third level in a JPEG, with its losses. */
const THIRD = [116, 140];

/**
 * What is inside: a byte, 0 or 1, for every pixel or voxel.
 *
 * @throws {TypeError} When there are no values but such that are not finite.
 * @throws {RangeError} When the values can be read in several ways, or an option is not valid.
 */
export function insideOf(
  stored: StoredValues,
  options: MaskOptions,
  name: string,
): Uint8Array {
  checkNumbers(options);
  const { values, channels } = chosenChannels(stored, options, name);
  const { lossy = false, color = false } = stored;
  const isInside = rule(values, {
    ...options,
    ...{ lossy, color: color && channels === 3, name },
  });
  const inside = new Uint8Array(values.length / channels);
  for (let i = 0, pixel = 0; pixel < inside.length; pixel++) {
    let any = false;
    for (let channel = 0; channel < channels; channel++, i++) {
      any = isInside(values[i]) || any;
    }
    inside[pixel] = any ? 1 : 0;
  }
  return inside;
}

/** The error of a mask that can be read in several ways. */
export function unclear(
  must: string,
  value: unknown,
  name: string,
): RangeError {
  return new InputError(
    `Cannot read mask as ${must}: current value is ${value} (${name})`,
  );
}

function numbersOf(option: number | readonly number[] | undefined): number[] {
  return option === undefined ? [] : [option].flat() as number[];
}

function checkNumbers({ label, ignore, threshold }: MaskOptions): void {
  for (const [option, value] of Object.entries({ label, ignore, threshold })) {
    if (value === undefined) continue;
    const numbers = numbersOf(value);
    if (numbers.length > 0 && numbers.every(Number.isFinite)) continue;
    throw new InputError(
      `Cannot read mask as ${option} must be ${
        option === "threshold" ? "a finite number" : "finite numbers"
      }: current value is ${JSON.stringify(value)}`,
    );
  }
  if (label !== undefined && threshold !== undefined) {
    throw new InputError(
      `Cannot read mask as there must be either label or threshold: current value is ${label} and ${threshold}`,
    );
  }
}

/** The channels that count: the chosen one, one of several alike, or all of them. */
function chosenChannels(
  { values, channels, color }: StoredValues,
  { channel, label }: MaskOptions,
  name: string,
): Pick<StoredValues, "values" | "channels"> {
  const only = (channel: number) => ({
    values: values.filter((_, i) => i % channels === channel),
    channels: 1,
  });
  if (channel !== undefined) {
    if (!Number.isInteger(channel) || channel < 0 || channel >= channels) {
      throw unclear(`channel must be 0 .. ${channels - 1}`, channel, name);
    }
    return only(channel);
  }
  if (channels === 1) return { values, channels };
  const pixels = values.length / channels;
  const inChannel = new Float64Array(channels);
  let [alike, overlap, covered, shared] = [true, false, 0, 0];
  for (let i = 0; i < values.length; i += channels) {
    let [filled, sum] = [0, 0];
    for (let c = 0; c < channels; c++) {
      if (values[i + c] !== values[i]) alike = false;
      sum += values[i + c];
      if (values[i + c] > 0) {
        filled++;
        inChannel[c]++;
      }
    }
    if (filled > 1) overlap = true;
    if (filled > 0) covered++;
    if (Math.abs(sum - 1) <= 10 * NEAR) shared++;
  }
  if (alike) return only(0);
  const all = MOST_INSIDE * pixels;
  if ((!overlap && covered > all) || shared > all) {
    throw unclear(
      "its channels must not share nearly every pixel among them, as classes with the background do; channel names the one that is meant",
      `${channels} channels that fill ${
        [...inChannel].map((n) => `${Math.round(100 * n / pixels)} %`).join(
          ", ",
        )
      }`,
      name,
    );
  }
  if (color && label !== undefined) {
    throw unclear(
      "label must be of a mask with one channel; channel names the one that is meant",
      `${channels} channels of colors`,
      name,
    );
  }
  return { values, channels };
}

/** Which values are inside. */
function rule(
  values: Float32Array | Uint8Array,
  { label, ignore, threshold, lossy, color, name }:
    & MaskOptions
    & { lossy: boolean; color: boolean; name: string },
): (value: number) => boolean {
  const ignored = numbersOf(ignore);
  const among = (list: readonly number[]) => (value: number) =>
    list.some((each) => Math.abs(value - each) <= NEAR);
  const isIgnored = among(ignored);
  const unless = (test: (value: number) => boolean) =>
    ignored.length === 0
      ? test
      : (value: number) => test(value) && !isIgnored(value);
  if (lossy && (label !== undefined || ignored.length > 0)) {
    throw unclear(
      "labels must be in a file without losses; threshold parts a JPEG's values",
      "a JPEG",
      name,
    );
  }
  if (label !== undefined) return unless(among(numbersOf(label)));
  if (threshold !== undefined) return unless((value) => value >= threshold);
  const found = census(values, isIgnored, name);
  if (lossy) return jpegRule(found, color, name);
  if (color) return unless((value) => value > 0);
  return unless(plainRule(found, name));
}

/** What values there are. */
interface Census {
  /** How often each value is there; no more than some are counted. */
  counts: Map<number, number>;
  /** The largest finite value, or 0. */
  top: number;
  /** Values that are no whole numbers, near which they may lie. */
  fractions: number;
}

function census(
  values: Float32Array | Uint8Array,
  isIgnored: (value: number) => boolean,
  name: string,
): Census {
  const counts = new Map<number, number>();
  let [top, fractions, finite] = [-Infinity, 0, 0];
  if (values instanceof Uint8Array) {
    const histogram = new Float64Array(256);
    for (let i = 0; i < values.length; i++) histogram[values[i]]++;
    histogram.forEach((count, value) => {
      if (count > 0) finite++;
      if (count === 0 || isIgnored(value)) return;
      counts.set(value, count);
      top = value;
    });
  } else {
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (!Number.isFinite(value)) continue;
      finite++;
      if (isIgnored(value)) continue;
      if (value > top) top = value;
      const whole = Math.round(value);
      const near = Math.abs(value - whole) <= NEAR;
      if (!near) fractions++;
      const key = near && whole !== 0 ? whole : value;
      const count = counts.get(key);
      if (count !== undefined) counts.set(key, count + 1);
      else if (counts.size <= MANY_LABELS) counts.set(key, 1);
    }
  }
  if (finite === 0 && values.length > 0) {
    throw badFile(
      "a mask must have finite values",
      "none but NaN or infinity",
      name,
    );
  }
  return { counts, top: counts.size === 0 ? 0 : top, fractions };
}

function plainRule(
  { counts, top, fractions }: Census,
  name: string,
): (value: number) => boolean {
  const above = [...counts.keys()].filter((value) => value > 0);
  // Nothing, or one value beside 0 and those below.
  if (above.length <= 1) return (value) => value > 0;
  if (fractions > 0 && top > 1 + NEAR) {
    throw unclear(
      "its values must be whole numbers, or fractions of 1; threshold tells the least one that is inside",
      `values up to ${top}, ${fractions} of them no whole numbers`,
      name,
    );
  }
  if (top < 0.5) {
    throw unclear(
      "fractions must reach 0.5; threshold tells another least value that is inside",
      `${top} at most`,
      name,
    );
  }
  const fromHalf = (value: number) => value >= 0.5;
  if (fractions > 0) return fromHalf;
  if (counts.size > MANY_LABELS) {
    throw unclear(
      `it must have at most ${MANY_LABELS} labels, as an image has more; threshold tells the least value that is inside`,
      `more, up to ${top}`,
      name,
    );
  }
  if (top !== 255 && top !== 65535) return fromHalf;
  const grays = above.filter((value) => value >= 0.5 && value < top);
  const gray = grays.reduce((sum, value) => sum + counts.get(value)!, 0);
  if (grays.length === 0) return fromHalf;
  if (grays.length > MANY_GRAYS && gray < counts.get(top)!) {
    return (value) => value >= (top + 1) / 2;
  }
  throw unclear(
    `values between 0 and ${top} must be told: label names those that are inside, ignore those that are not, threshold the least one that is`,
    above.slice(0, 8).concat(grays.length > 8 ? [top] : [])
      .sort((a, b) => a - b).join(", "),
    name,
  );
}

/** Losses leave small values around every edge. */
function jpegRule(
  { counts, top }: Census,
  color: boolean,
  name: string,
): (value: number) => boolean {
  const sum = (from: number, to: number) =>
    counts.entries().reduce(
      (all, [value, count]) => value >= from && value <= to ? all + count : all,
      0,
    );
  if (top > 16 && top < MIDDLE) {
    throw unclear(
      `a JPEG's values must reach ${MIDDLE}; threshold tells the least one that is inside`,
      `${top} at most`,
      name,
    );
  }
  const third = sum(THIRD[0], THIRD[1]);
  const between = sum(48, 207);
  if (
    !color && third > 16 && 2 * third > between && 4 * third > sum(208, 255)
  ) {
    throw unclear(
      "a JPEG's values must lie around 0 and 255; threshold tells the least one that is inside",
      `${third} values around ${MIDDLE}`,
      name,
    );
  }
  return (value) => value >= MIDDLE;
}

/** Files that were warned about. */
const told = new Set<string>();

/** Warns, once for a file, where nearly all of a mask is inside. */
export function warnIfFull(inside: Uint8Array, name: string): void {
  let count = 0;
  for (let i = 0; i < inside.length; i++) count += inside[i];
  if (!(count > MOST_INSIDE * inside.length) || told.has(name)) return;
  told.add(name);
  console.warn(
    `Read mask ${name}: ${
      (100 * count / inside.length).toFixed(1)
    } % of it is inside. If its background is not coded as 0, label, ignore, threshold, channel or alpha tell what is inside.`,
  );
}
