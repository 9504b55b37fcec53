/** A user's preference about one image: immutable; an update makes a new one. */

import type { Feedback } from "./feedback.ts";
import type { GaussianMixture } from "./mixture.ts";
import type { KeptSamples } from "./predictions.ts";

/** What is known about the user: the distribution and what it came from. */
export interface Preference {
  /** The preference distribution p(z). */
  readonly distribution: GaussianMixture;
  /** Accumulated log evidence a, [M]. */
  readonly evidence: Float64Array;
  /** Points and choices so far. */
  readonly feedback: Feedback;
  /** Samples of the clusters that were chosen, to be shown again. */
  readonly kept?: KeptSamples;
  /** Number of choices so far. */
  readonly iteration: number;
}
