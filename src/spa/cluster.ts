// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
// @ts-types="@types/ndarray-ops"
import ops from "ndarray-ops";
import { contiguous } from "../arrays/contiguous.ts";
import { displayable } from "../displayable.ts";
import { createRandom, type Random } from "../random.ts";
import {
  type Clustering,
  distinctGroups,
  gramMatrix,
  kMeans,
  knownGrams,
} from "./kmeans.ts";
import {
  type Box,
  type Frame,
  mapToImage,
  maskInRegion,
  maskToImage,
} from "./frame.ts";
import type { Predictions } from "./predictions.ts";
import { InputError } from "../input_error.ts";

/** One of the distinct segmentations the user chooses from. */
export interface Candidate {
  /**
   * Centroid r_k: mean probability of the cluster, [m, m], in 0..1; m is 64 for
   * `tiny` and 128 for `small`.
   */
  readonly probability: NdArray<Float32Array>;
  /** The mask at the image's own size, [H, W], 0 or 1. */
  readonly mask: NdArray<Uint8Array>;
  /** Share of the samples, in 0..1; all candidates' sum to 1. */
  readonly share: number;
  /** Indices of its samples in `predictions.probabilities`. */
  readonly members: readonly number[];
  /** Pixels in the mask that the recommendation leaves out, [H, W], 0 or 1. */
  readonly added: NdArray<Uint8Array>;
  /** Pixels of the recommendation that the mask leaves out, [H, W], 0 or 1. */
  readonly removed: NdArray<Uint8Array>;
  /** The image, [H, W, C], 0..1, where it is known: for figures. */
  readonly image?: NdArray<Float32Array>;
}

/** What the user should know about a recommendation before accepting it. */
export interface Notice {
  /**
   * "empty": it has no pixels; "small": hardly any; "cut": it reaches an edge of
   * the region, beyond which the image goes on.
   */
  readonly kind: "empty" | "small" | "cut";
  /** A sentence for the user. */
  readonly text: string;
}

/**
 * What the user is shown. Maps and masks at the image's size are made when they
 * are read, 0 outside the region: keep one in a variable to use it again.
 */
export interface Proposal {
  /** Recommended segmentation y_app. */
  readonly recommended: {
    /**
     * Mean of the predictions by their shares, [m, m], in 0..1; m is 64 for
     * `tiny` and 128 for `small`.
     */
    readonly probability: NdArray<Float32Array>;
    /** Where that mean is at least 0.5 at the image's own size, [H, W], 0 or 1. */
    readonly mask: NdArray<Uint8Array>;
  };
  /** Distinct segmentations, 1 to K of them, the largest share first. */
  readonly candidates: readonly Candidate[];
  /**
   * Predictive entropy: that of the recommended probability, at the image's own
   * size, [H, W], in nats, 0..ln 2.
   */
  readonly entropy: NdArray<Float32Array>;
  /**
   * Sample spread: mean over pixels of the predictions' standard deviation by
   * their shares, 0..0.5.
   */
  readonly spread: number;
  /** The square part of the image that the network looks at. */
  readonly region?: Box;
  /** What is visibly wrong with the recommendation; absent where nothing is. */
  readonly notice?: Notice;
  /** The predictions it was made from. */
  readonly predictions: Predictions;
}

/** The default K, as in the paper: candidates of a proposal, in training as well. */
export const CANDIDATES = 4;

/**
 * Clusters probability maps with K-means.
 *
 * @param maps Row-major, [n, pixels].
 * @param shares Weight of each map, [n].
 * @param count Clusters K; fewer distinct maps give fewer.
 * @param known The maps' Gram matrix, [n, n], if it is known.
 */
export function clusterMaps(
  maps: Float32Array,
  shares: Float64Array,
  count: number,
  random: Random,
  known?: Float64Array,
): Clustering {
  const n = shares.length;
  const gram = known ?? gramMatrix(maps, n, maps.length / n);
  return kMeans(gram, shares, count, random);
}

/** Weighted mean of some of the maps, [pixels]. */
export function meanMap(
  maps: Float32Array,
  shares: Float64Array,
  members: readonly number[],
): Float32Array {
  const size = maps.length / shares.length;
  const mean = new Float64Array(size); // sums in float32 would leave 0..1
  let total = 0;
  for (const i of members) total += shares[i];
  for (const i of members) {
    const weight = shares[i] / total;
    for (let p = 0, at = i * size; p < size; p++, at++) {
      mean[p] += weight * maps[at];
    }
  }
  return Float32Array.from(mean);
}

/**
 * Weighted mean of maps, [pixels], and the mean over pixels of their weighted
 * standard deviation, in one pass.
 */
export function momentsOf(
  maps: Float32Array,
  shares: Float64Array,
): { mean: Float32Array; spread: number } {
  const size = maps.length / shares.length;
  const means = new Float64Array(size), squares = new Float64Array(size);
  const total = shares.reduce((a, b) => a + b, 0);
  for (let i = 0; i < shares.length; i++) {
    const weight = shares[i] / total;
    for (let p = 0, at = i * size; p < size; p++, at++) {
      const value = weight * maps[at];
      means[p] += value;
      squares[p] += value * maps[at];
    }
  }
  let sum = 0;
  for (let p = 0; p < size; p++) {
    sum += Math.sqrt(Math.max(0, squares[p] - means[p] ** 2));
  }
  return { mean: Float32Array.from(means), spread: sum / size };
}

/** Entropy of a Bernoulli probability in nats. */
function binaryEntropy(p: number): number {
  if (p <= 0 || p >= 1) return 0;
  return -p * Math.log(p) - (1 - p) * Math.log(1 - p);
}

/**
 * An object with values that are made when they are read. A value is kept only
 * while other code holds it: masks of a large image take much memory.
 */
export function lazily<
  T extends object,
  L extends Record<string, () => object>,
>(
  object: T,
  makers: L,
): T & { readonly [K in keyof L]: ReturnType<L[K]> } {
  for (const [name, make] of Object.entries(makers)) {
    let made: WeakRef<object> | undefined;
    Object.defineProperty(object, name, {
      enumerable: true,
      get() {
        let value = made?.deref();
        if (!value) made = new WeakRef(value = make());
        return value;
      },
    });
  }
  return object as T & { readonly [K in keyof L]: ReturnType<L[K]> };
}

/** Share of the region's pixels below which a mask is nearly empty. */
const SMALL = 0.002;

/** The notice for a recommendation, [n, n]. */
function noticeOf(
  { data, shape: [n] }: NdArray<Float32Array>,
  { region, height, width }: Frame,
): Notice | undefined {
  const edges = { left: false, top: false, right: false, bottom: false };
  let count = 0;
  for (let i = 0; i < data.length; i++) {
    if (data[i] < 0.5) continue;
    count++;
    const x = i % n, y = (i - x) / n;
    edges.left ||= x === 0, edges.right ||= x === n - 1;
    edges.top ||= y === 0, edges.bottom ||= y === n - 1;
  }
  if (count === 0) {
    const text =
      "The recommendation is empty: pick a candidate, click again, or zoom.";
    return { kind: "empty", text };
  }
  if (count < SMALL * data.length) {
    const text =
      "The recommendation is nearly empty: pick a candidate, click again, or zoom in.";
    return { kind: "small", text };
  }
  const cut = (edges.left && region.left > -0.5) ||
    (edges.top && region.top > -0.5) ||
    (edges.right && region.right < width - 0.5) ||
    (edges.bottom && region.bottom < height - 0.5);
  if (!cut) return undefined;
  const text =
    "The recommendation reaches the edge of what the network looks at: zoom out.";
  return { kind: "cut", text };
}

/** A mask of zeros in the shape of a map. */
function emptyMask({ shape, size }: NdArray): NdArray<Uint8Array> {
  return ndarray(new Uint8Array(size), shape);
}

/** Values of at least one half as a mask. */
export function threshold(map: NdArray<Float32Array>): NdArray<Uint8Array> {
  const mask = emptyMask(map);
  ops.geqs(mask, map, 0.5);
  return mask;
}

/** 1 where `a` is set and `b` is not. */
export function difference(
  a: NdArray<Uint8Array>,
  b: NdArray<Uint8Array>,
): NdArray<Uint8Array> {
  const result = emptyMask(a);
  ops.gt(result, a, b);
  return result;
}

/**
 * Makes a proposal of the predictions, steps 4 and 5 of an iteration: the
 * recommended segmentation, distinct candidates, and the map of predictive
 * entropy. Candidates are the clusters of K-means over the probability maps,
 * weighed by their shares (k-means++ seeding, the best of 8 restarts); no two
 * have the same mask.
 *
 * @param predictions Predictions of `decode`.
 * @param options `candidates`: K, default 4, the paper's; fewer distinct masks
 * give fewer. `seed`: of the K-means seeding, any finite number,
 * default 0.
 * @returns What the user is shown.
 * @throws {RangeError} When `candidates` is not a positive integer, or `seed` not
 * finite.
 *
 * @example Propose four candidates
 * ```ts
 * import * as spa from "@spa-seg/spa";
 *
 * using model = await spa.loadModel();
 * const { image } = spa.phantom({ kind: "kidney", seed: 9 });
 * using embedding = await spa.encode(model, image);
 * const preference = await spa.startPreference(model, embedding, {
 *   points: [{ x: 50, y: 35 }],
 * });
 * const latents = spa.sampleGMM(preference.distribution);
 * const predictions = await spa.decode(model, embedding, preference, { latents });
 * const { recommended, candidates } = spa.cluster(predictions, {
 *   candidates: 4,
 * });
 * recommended.mask.shape; // [128, 128], as the image
 * candidates.map(({ share }) => share); // the largest first, 1 in all
 * ```
 */
export function cluster(
  predictions: Predictions,
  { candidates: most = CANDIDATES, seed = 0 }: {
    candidates?: number;
    seed?: number;
  } = {},
): Proposal {
  if (!Number.isInteger(most) || most < 1) {
    throw new InputError(
      `Cannot cluster predictions as candidates must be a positive integer: current value is ${most}`,
    );
  }
  const { probabilities, shares, frame, image } = predictions;
  const maps = contiguous(probabilities).data as Float32Array;
  const side = probabilities.shape[1];
  const asMap = (data: Float32Array) => ndarray(data, [side, side]);

  const { mean: recommendation, spread } = momentsOf(maps, shares);
  const mean = asMap(recommendation);
  const recommended = lazily({ probability: mean }, {
    mask: () => maskToImage(mean, frame),
  });
  const gram = knownGrams.get(probabilities) ??
    gramMatrix(maps, shares.length, side * side);
  const groups = distinctGroups(
    most,
    (count) => kMeans(gram, shares, count, createRandom(seed)),
    (members) => {
      const probability = asMap(meanMap(maps, shares, members));
      return { members, probability, mask: maskInRegion(probability, frame) };
    },
  );
  const candidates = groups.map(({ members, probability }): Candidate => {
    const candidate = lazily({
      probability,
      share: members.reduce((sum, i) => sum + shares[i], 0),
      members,
      image,
    }, {
      mask: () => maskToImage(probability, frame),
      added: (): NdArray<Uint8Array> =>
        difference(candidate.mask, recommended.mask),
      removed: (): NdArray<Uint8Array> =>
        difference(recommended.mask, candidate.mask),
    });
    return displayable("candidate", candidate);
  }).sort((a, b) => b.share - a.share);
  const proposal = lazily({
    recommended,
    candidates,
    spread,
    region: frame.region,
    notice: noticeOf(mean, frame),
    predictions,
  }, {
    entropy: () => {
      const map = mapToImage(mean, frame);
      const { data } = map;
      for (let i = 0; i < data.length; i++) data[i] = binaryEntropy(data[i]);
      return map;
    },
  });
  return displayable("proposal", proposal);
}
