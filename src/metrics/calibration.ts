// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { checkSameShape } from "./_masks.ts";
import { InputError } from "../input_error.ts";

/**
 * Expected calibration error of foreground probabilities: pixels fall into
 * equally wide bins by their probability (the upper one on an edge), and the
 * result is the mean over pixels of their bin's |mean probability - share of
 * pixels inside the mask| (Guo et al., "On Calibration of Modern Neural
 * Networks", 2017, there of the predicted class's confidence).
 *
 * @param probability Predicted probabilities, 0..1, of any shape: one map or, as [N, H, W], many.
 * @param mask Of the same shape; anything but 0 is inside.
 * @param options.bins How many bins. Default: 10.
 * @returns 0 (calibrated) to 1.
 * @throws {RangeError} When the shapes differ or are empty, a probability is not in 0..1, or bins is not a whole number of at least 1.
 */
export function expectedCalibrationError(
  probability: NdArray<Float32Array>,
  mask: NdArray<Uint8Array>,
  { bins = 10 }: { bins?: number } = {},
): number {
  const name = "the expected calibration error";
  checkSameShape(name, probability, mask);
  if (!Number.isInteger(bins) || bins < 1) {
    throw new InputError(
      `Cannot compute ${name} as bins must be a whole number >= 1: current value is ${bins}`,
    );
  }
  if (probability.size === 0) {
    throw new InputError(
      `Cannot compute ${name} as the arrays must not be empty: current value is [${probability.shape}]`,
    );
  }
  const p = contiguous(probability).data;
  const y = contiguous(mask).data;
  const surplus = new Float64Array(bins); // sum of probability - label
  for (let i = 0; i < p.length; i++) {
    if (!(p[i] >= 0 && p[i] <= 1)) {
      throw new InputError(
        `Cannot compute ${name} as probabilities must be in 0..1: current value is ${
          p[i]
        }`,
      );
    }
    const bin = Math.min(Math.floor(p[i] * bins), bins - 1);
    surplus[bin] += p[i] - (y[i] !== 0 ? 1 : 0);
  }
  // A bin's share times its gap is its surplus over all pixels.
  return surplus.reduce((sum, value) => sum + Math.abs(value), 0) / p.length;
}
