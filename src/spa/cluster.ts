// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
// @ts-types="@types/ndarray-ops"
import ops from "ndarray-ops";
import { displayable } from "../displayable.ts";
import { createRandom, type Random } from "../random.ts";
import { distinctGroups } from "./distinct_groups.ts";
import { mapToImage, maskToImage } from "./frame.ts";
import { gramMatrix, knownGrams } from "./gram.ts";
import { type Clustering, kMeans } from "./kmeans.ts";
import type { Predictions } from "./predictions.ts";

/** One of the distinct segmentations the user chooses from. */
export interface Candidate {
  /** Centroid r_k: mean probability of the cluster, [4h, 4h], in 0..1. */
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

/** What the user is shown. */
export interface Proposal {
  /** Recommended segmentation y_app. */
  readonly recommended: {
    /** Mean of the predictions by their shares, [4h, 4h], in 0..1. */
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
  /** The predictions it was made from. */
  readonly predictions: Predictions;
}

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

/** Mean over pixels of the weighted standard deviation over maps. */
export function spreadOf(maps: Float32Array, shares: Float64Array): number {
  const size = maps.length / shares.length;
  const means = new Float64Array(size), squares = new Float64Array(size);
  shares.forEach((share, i) => {
    for (let p = 0, at = i * size; p < size; p++, at++) {
      const value = share * maps[at];
      means[p] += value;
      squares[p] += value * maps[at];
    }
  });
  const deviations = squares.map((square, p) =>
    Math.sqrt(Math.max(0, square - means[p] ** 2))
  );
  return deviations.reduce((a, b) => a + b) / size;
}

/** Entropy of a Bernoulli probability in nats. */
function binaryEntropy(p: number): number {
  if (p <= 0 || p >= 1) return 0;
  return -p * Math.log(p) - (1 - p) * Math.log(1 - p);
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
function difference(
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
 * @param options `count`: candidates K, default 4, the paper's; fewer distinct
 * masks give fewer. `seed`: of the K-means seeding, any finite number,
 * default 0.
 * @returns What the user is shown.
 * @throws {RangeError} When `count` is not a positive integer, or `seed` not
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
 * const predictions = await spa.decode(model, embedding, latents, preference);
 * const { recommended, candidates } = spa.cluster(predictions, { count: 4 });
 * recommended.mask.shape; // [128, 128], as the image
 * candidates.map(({ share }) => share); // the largest first, 1 in all
 * ```
 */
export function cluster(
  predictions: Predictions,
  { count = 4, seed = 0 }: { count?: number; seed?: number } = {},
): Proposal {
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(
      `Cannot cluster predictions as count must be a positive integer: current value is ${count}`,
    );
  }
  const { probabilities, shares, frame, image } = predictions;
  const maps = probabilities.data as Float32Array;
  const side = probabilities.shape[1];
  const all = Array.from(shares.keys());
  const asMap = (data: Float32Array) => ndarray(data, [side, side]);

  const mean = asMap(meanMap(maps, shares, all));
  const meanAtImage = mapToImage(mean, frame);
  const recommended = { probability: mean, mask: threshold(meanAtImage) };
  const gram = knownGrams.get(probabilities) ??
    gramMatrix(maps, shares.length, side * side);
  const groups = distinctGroups(
    count,
    (count) => kMeans(gram, shares, count, createRandom(seed)),
    (members) => {
      const probability = asMap(meanMap(maps, shares, members));
      const mask = maskToImage(probability, frame);
      return { members, probability, mask };
    },
  );
  const candidates = groups.map(({ members, probability, mask }) =>
    displayable("candidate", {
      probability,
      mask,
      share: members.reduce((sum, i) => sum + shares[i], 0),
      members,
      added: difference(mask, recommended.mask),
      removed: difference(recommended.mask, mask),
      image,
    })
  ).sort((a, b) => b.share - a.share);
  return displayable("proposal", {
    recommended,
    candidates,
    entropy: ndarray(
      (meanAtImage.data as Float32Array).map(binaryEntropy),
      meanAtImage.shape,
    ),
    spread: spreadOf(maps, shares),
    predictions,
  });
}
