/** A user's profile: a preference without its image, as JSON. */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { type GaussianMixture, normalizeLogWeights } from "./mixture.ts";
import type { Preference } from "./preference.ts";

/** What is carried from one image to the next. */
export interface Profile {
  /** The adapted p(z). */
  readonly distribution: GaussianMixture;
  /** Accumulated log evidence a, [M]. */
  readonly evidence: Float64Array;
}

/** The profile of a preference. */
export function profileOf({ distribution, evidence }: Preference): Profile {
  return { distribution, evidence };
}

/** A profile as JSON, for a file. */
export function profileToJSON({ distribution, evidence }: Profile): string {
  const { logWeights, means, deviations } = distribution;
  return JSON.stringify({
    format: "spa-profile",
    version: 1,
    components: means.shape[0],
    channels: means.shape[1],
    logWeights: [...logWeights],
    means: [...means.data],
    deviations: [...deviations.data],
    evidence: [...evidence],
  });
}

/**
 * Reads a profile of `profileToJSON`.
 *
 * @param text The JSON text.
 * @returns The profile.
 * @throws {RangeError} When the text is no profile, or its numbers are not as
 * many as its components and channels need, not finite, or not positive where
 * they must be.
 */
export function profileFromJSON(text: string): Profile {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text);
  } catch {
    throw refused("it must be JSON", text.slice(0, 60));
  }
  if (json?.format !== "spa-profile" || json.version !== 1) {
    throw refused(
      'its format must be "spa-profile", version 1',
      `${json?.format}, version ${json?.version}`,
    );
  }
  const M = Number(json.components), d = Number(json.channels);
  const numbers = (name: string, count: number): number[] => {
    const list = json[name];
    const sane = Array.isArray(list) && list.length === count &&
      list.every((value) => Number.isFinite(value));
    if (sane) return list;
    throw refused(
      `"${name}" must be ${count} finite numbers`,
      Array.isArray(list) ? `${list.length} values` : typeof list,
    );
  };
  const deviations = numbers("deviations", M * d);
  if (deviations.some((value) => value <= 0)) {
    throw refused('"deviations" must be positive', Math.min(...deviations));
  }
  return {
    distribution: {
      logWeights: normalizeLogWeights(numbers("logWeights", M)),
      means: ndarray(Float32Array.from(numbers("means", M * d)), [M, d]),
      deviations: ndarray(Float32Array.from(deviations), [M, d]),
    },
    evidence: Float64Array.from(numbers("evidence", M)),
  };
}

function refused(rule: string, found: unknown): RangeError {
  return new RangeError(
    `Cannot read the profile as ${rule}: current value is ${found}`,
  );
}
