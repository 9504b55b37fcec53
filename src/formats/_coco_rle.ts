/** COCO's run-length code of masks (pycocotools, maskApi.c): runs outside and inside by turns, column by column. */

import { badFile } from "./_bytes.ts";
import { InputError } from "../input_error.ts";

/** A mask as COCO's JSON has it. */
export interface CocoRle {
  /** Height and width. */
  readonly size: readonly [number, number];
  /** The runs' lengths, or these packed in a text. */
  readonly counts: string | readonly number[];
}

/** The code of a mask [height, width], row-major: anything but 0 is inside. */
export function encodeRle(
  values: Uint8Array,
  [height, width]: readonly number[],
): CocoRle {
  const runs: number[] = [];
  let [inside, run] = [false, 0];
  for (let column = 0; column < width; column++) {
    for (let row = 0; row < height; row++) {
      if ((values[row * width + column] !== 0) === inside) {
        run++;
        continue;
      }
      runs.push(run);
      inside = !inside;
      run = 1;
    }
  }
  runs.push(run);
  return { size: [height, width], counts: packRuns(runs) };
}

/** Runs as letters of 6 bits: 5 of a number, and whether more follow; from the third on the difference to the last but one. */
function packRuns(runs: readonly number[]): string {
  let text = "";
  for (const [i, run] of runs.entries()) {
    let rest = i > 2 ? run - runs[i - 2] : run;
    for (let more = true; more;) {
      let letter = rest & 31;
      rest >>= 5;
      more = letter & 16 ? rest !== -1 : rest !== 0;
      if (more) letter |= 32;
      text += String.fromCharCode(letter + 48);
    }
  }
  return text;
}

function unpackRuns(text: string): number[] {
  const runs: number[] = [];
  for (let at = 0; at < text.length;) {
    let [run, bits] = [0, 0];
    for (let more = true; more;) {
      const letter = text.charCodeAt(at++) - 48;
      if (!(letter >= 0 && letter < 64) || bits > 30) return [-1];
      run |= (letter & 31) << bits;
      bits += 5;
      more = (letter & 32) !== 0;
      if (!more && letter & 16 && bits < 32) run |= -1 << bits;
    }
    if (runs.length > 2) run += runs[runs.length - 2];
    runs.push(run);
  }
  return runs;
}

/** The code in a file's bytes, or undefined where they are no JSON of that kind. */
export function parseRle(bytes: Uint8Array): CocoRle | undefined {
  if (!/^\s*\{/.test(String.fromCharCode(...bytes.subarray(0, 16)))) {
    return undefined;
  }
  try {
    const code = JSON.parse(new TextDecoder().decode(bytes));
    const { size, counts } = code.segmentation ?? code;
    return Array.isArray(size) && counts !== undefined
      ? { size: size as [number, number], counts }
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The mask of a code: [height, width], row-major, 0 or 1.
 *
 * @throws {TypeError} When the runs do not fill the mask.
 * @throws {RangeError} When it has more than `maxPixels` pixels.
 */
export function decodeRle(
  { size: [height, width], counts }: CocoRle,
  maxPixels: number,
  name: string,
): Uint8Array {
  const pixels = height * width;
  if (!(Number.isInteger(height) && Number.isInteger(width) && pixels > 0)) {
    throw badFile(
      "the size of a run-length code must be height and width",
      JSON.stringify([height, width]),
      name,
    );
  }
  if (pixels > maxPixels) {
    throw new InputError(
      `Cannot read image as it must have at most ${maxPixels} pixels: current value is ${width} x ${height} (${name})`,
    );
  }
  const runs = typeof counts === "string" ? unpackRuns(counts) : counts;
  const whole = Array.isArray(runs) &&
    runs.every((run) => Number.isInteger(run) && run >= 0);
  const filled = whole ? runs.reduce((sum, run) => sum + run, 0) : NaN;
  if (filled !== pixels) {
    throw badFile(
      `the runs must be of ${pixels} pixels together`,
      whole ? filled : "something else than lengths",
      name,
    );
  }
  const mask = new Uint8Array(pixels);
  let place = 0;
  for (const [i, run] of runs.entries()) {
    for (const end = place + run; place < end; place++) {
      if (i % 2 === 1) {
        mask[place % height * width + Math.floor(place / height)] = 1;
      }
    }
  }
  return mask;
}
