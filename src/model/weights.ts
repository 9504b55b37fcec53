/** The weights of a network: flat maps from segment-anything's parameter names. */

import type * as tf from "../engine/tf.ts";

/** The weights as the network's functions take them. */
export type Weights = Readonly<Record<string, tf.Tensor>>;

/** One weight a network needs. */
export interface WeightDeclaration {
  /** Shape, in PyTorch's order: a linear layer is [out, in]. */
  readonly shape: readonly number[];
  /** Mean of the initial values. */
  readonly mean: number;
  /** Standard deviation of the initial values. */
  readonly deviation: number;
  /** False for values that are drawn once and never trained. */
  readonly trainable: boolean;
  /**
   * "sam": named and shaped as in segment-anything's checkpoints where the
   * config has `sam`. "spa": what SPA adds, fresh on top of such a checkpoint.
   */
  readonly origin: "sam" | "spa";
}

/**
 * Weights on the host, by segment-anything's names: values row-major, shapes in
 * PyTorch's order, a linear layer's [out, in].
 */
export type HostWeights = ReadonlyMap<
  string,
  { readonly data: Float32Array; readonly shape: readonly number[] }
>;

/** What a network needs, by name, in the order of the flat training vector. */
export type WeightDeclarations = ReadonlyMap<string, WeightDeclaration>;
