/** Fits the part of a network that finds regions, on a frozen encoder's features. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { padByReflection } from "../arrays/reflect.ts";
import type { ModelConfig } from "../model/config.ts";
import {
  applyFinder,
  featuresAbout,
  finderWidth,
} from "../model/region_finder.ts";
import type { HostWeights } from "../model/weights.ts";
import { createRandom, type Random } from "../random.ts";
import { preprocess } from "../spa/embedding.ts";
import { type Box, frameOf } from "../spa/frame.ts";
import { boundingBox, clickInside } from "../spa/simulated_user.ts";
import { FrozenEncoder } from "./frozen_encoder.ts";
import { drawFrom, isMarked, type TrainingCase } from "./training_case.ts";

/** How examples are drawn. */
const DRAW = {
  /** Looks at a case, as far as there are few cases. */
  perCase: 12,
  /** Looks at most: a look takes a run of the encoder. */
  most: 3000,
  /** Clicks into the object of a look. */
  clicks: 4,
  /** The object's longer side in sides of the region, drawn by its logarithm. */
  leastShare: 0.05,
  mostShare: 0.9,
  /** How far the region's center lies from the click, in sides. */
  shift: 0.05,
  /** Side of the smallest region, in pixels. */
  leastSide: 8,
};

/** The penalty on the weights' squares, in examples of features of variance 1. */
const PENALTY = 100;

/** An object in an image, somewhere in a canvas. */
interface Scene {
  readonly image: NdArray<Float32Array>;
  readonly box: Box;
  readonly clicks: readonly { readonly x: number; readonly y: number }[];
}

/**
 * Draws an object and clicks into it. Every other small image stands in a larger
 * canvas that goes on with its reflections: a crop tells by its own size how large
 * its object is, which no whole image does.
 */
function drawScene(
  { image, masks }: TrainingCase,
  config: ModelConfig,
  random: Random,
): Scene {
  const marked = masks.filter(({ data }) => data.some((value) => value > 0));
  const mask = marked[random.integer(marked.length)];
  const box = boundingBox(mask);
  const clicks = Array.from(
    { length: DRAW.clicks },
    () => clickInside(mask, random),
  );
  const [height, width] = image.shape;
  const longest = Math.max(height, width);
  if (longest > config.imageSize || random.uniform() < 0.5) {
    return { image, box, clicks };
  }
  const margin = Math.round(longest * (0.4 + 0.9 * random.uniform()));
  return {
    image: padByReflection(image, {
      height: height + 2 * margin,
      width: width + 2 * margin,
      top: margin,
      left: margin,
    }),
    box: {
      left: box.left + margin,
      right: box.right + margin,
      top: box.top + margin,
      bottom: box.bottom + margin,
    },
    clicks: clicks.map(({ x, y }) => ({ x: x + margin, y: y + margin })),
  };
}

/**
 * Solves A x = b for a symmetric positive definite A, in place.
 *
 * @param A [n, n], row-major; its lower half is overwritten by its Cholesky factor.
 * @param columns Right-hand sides, each [n], overwritten by the solutions.
 */
export function solvePositive(
  A: Float64Array,
  n: number,
  columns: readonly Float64Array[],
): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = A[i * n + j];
      const [a, b] = [i * n, j * n];
      for (let k = 0; k < j; k++) sum -= A[a + k] * A[b + k];
      A[i * n + j] = i === j ? Math.sqrt(sum) : sum / A[j * n + j];
    }
  }
  for (const x of columns) {
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < i; k++) x[i] -= A[i * n + k] * x[k];
      x[i] /= A[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) x[i] -= A[k * n + i] * x[k];
      x[i] /= A[i * n + i];
    }
  }
}

/**
 * Ridge regression of what the weights do not explain yet.
 *
 * @returns The change of the weights, [3][F], and of the bias, [3].
 */
function regress(
  rows: readonly Float32Array[],
  residuals: readonly (readonly number[])[],
): { weight: Float64Array[]; bias: number[] } {
  const n = rows.length, F = rows[0].length;
  const center = new Float64Array(F);
  for (const row of rows) for (let i = 0; i < F; i++) center[i] += row[i] / n;
  const means = [0, 1, 2].map((k) =>
    residuals.reduce((sum, values) => sum + values[k], 0) / n
  );
  const A = new Float64Array(F * F);
  const weight = [0, 1, 2].map(() => new Float64Array(F));
  const x = new Float64Array(F);
  rows.forEach((row, r) => {
    for (let i = 0; i < F; i++) x[i] = row[i] - center[i];
    for (let i = 0; i < F; i++) {
      const value = x[i], at = i * F;
      for (let j = 0; j <= i; j++) A[at + j] += value * x[j];
    }
    for (let k = 0; k < 3; k++) {
      const y = residuals[r][k] - means[k];
      for (let i = 0; i < F; i++) weight[k][i] += y * x[i];
    }
  });
  for (let i = 0; i < F; i++) A[i * F + i] += PENALTY;
  solvePositive(A, F, weight);
  const bias = weight.map((values, k) =>
    values.reduce((rest, value, i) => rest - value * center[i], means[k])
  );
  return { weight, bias };
}

/**
 * Fits how large a clicked object is, by ridge regression on the frozen encoder's
 * features around clicks into the raters' masks, in regions of many scales. It
 * goes on from what the weights hold: with few cases it stays close to that.
 *
 * @param config A network with a frozen TinyViT encoder.
 * @param weights All its weights.
 * @param cases Training cases; those without masks are passed over.
 * @param seed Seed of the examples.
 * @returns The weights with those of the region finder; the same where no case
 * has a mask.
 */
export async function fitFinder(
  config: ModelConfig,
  weights: HostWeights,
  cases: readonly TrainingCase[],
  seed: number,
): Promise<HostWeights> {
  const marked = cases.filter(isMarked);
  if (marked.length === 0) return weights;
  const random = createRandom(seed, 0x52);
  const encoder = new FrozenEncoder(config, weights);
  const rows: Float32Array[] = [], residuals: number[][] = [];
  const looks = Math.min(DRAW.most, DRAW.perCase * marked.length);
  try {
    for (let look = 0; look < looks; look++) {
      const item = drawFrom(marked, random);
      const { image, box, clicks } = drawScene(item, config, random);
      const [height, width] = image.shape;
      const object = Math.max(box.right - box.left, box.bottom - box.top);
      const share = DRAW.leastShare *
        (DRAW.mostShare / DRAW.leastShare) ** random.uniform();
      const side = Math.round(
        Math.max(
          DRAW.leastSide,
          Math.min(object / share, Math.max(height, width)),
        ),
      );
      const shift = () => 2 * DRAW.shift * side * (random.uniform() - 0.5);
      const left = Math.round(clicks[0].x + shift() - side / 2) - 0.5;
      const top = Math.round(clicks[0].y + shift() - side / 2) - 0.5;
      const frame = frameOf(height, width, config.imageSize, {
        left,
        top,
        right: left + side,
        bottom: top + side,
      });
      const { data } = preprocess(image, frame, config);
      const features = await encoder.run(data as Float32Array);
      for (const { x, y } of clicks) {
        const u = (x - left) / side, v = (y - top) / side;
        if (Math.min(u, v) < 0 || Math.max(u, v) > 1) continue;
        const values = featuresAbout(features, u, v);
        const known = applyFinder(weights, values);
        const wanted = [
          Math.log2(object / side),
          ((box.left + box.right) / 2 - x) / object,
          ((box.top + box.bottom) / 2 - y) / object,
        ];
        rows.push(values);
        residuals.push(wanted.map((value, k) => value - known[k]));
      }
    }
  } finally {
    await encoder.dispose();
  }
  const { weight, bias } = regress(rows, residuals);
  const F = finderWidth(config);
  const [oldWeight, oldBias] = ["weight", "bias"].map((part) =>
    weights.get(`region_finder.${part}`)!.data
  );
  return new Map(weights)
    .set("region_finder.weight", {
      data: Float32Array.from(
        oldWeight,
        (value, i) => value + weight[Math.floor(i / F)][i % F],
      ),
      shape: [3, F],
    })
    .set("region_finder.bias", {
      data: Float32Array.from(oldBias, (value, k) => value + bias[k]),
      shape: [3],
    });
}
