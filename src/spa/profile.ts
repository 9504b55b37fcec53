/** A user's profile: a preference without its image, as JSON. */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { type GaussianMixture, logSumExp } from "./mixture.ts";
import type { Preference } from "./preference.ts";
import { InputError } from "../input_error.ts";

/**
 * What is carried from one image to the next: the adapted (pi, mu, sigma, a) of
 * a user, with which `startPreference` begins; see `profileOf`.
 */
export interface Profile {
  /** The adapted p(z). */
  readonly distribution: GaussianMixture;
  /** Accumulated log evidence a, [M], in nats; see `Preference`. */
  readonly evidence: Float64Array;
}

/**
 * The profile of a preference: its own values, not copies. It is what was known
 * after the image's first choice. The later ones are between candidates that
 * follow the first: they tell of this image, and little of the user's habits.
 */
export function profileOf(
  { distribution, evidence, habit }: Preference,
): Profile {
  return habit ?? { distribution, evidence };
}

/** A profile as JSON, for a file; `profileFromJSON` gives it back exactly. */
export function profileToJSON({ distribution, evidence }: Profile): string {
  const { logWeights, means, deviations } = distribution;
  return JSON.stringify({
    format: "spa-profile",
    version: 1,
    components: means.shape[0],
    channels: means.shape[1],
    logWeights: [...logWeights],
    means: [...contiguous(means).data],
    deviations: [...contiguous(deviations).data],
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
 * they must be, or its weights do not sum to 1.
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
  const size = (name: string): number => {
    const value = json[name];
    if (Number.isSafeInteger(value) && Number(value) >= 1) return Number(value);
    throw refused(`"${name}" must be an integer >= 1`, JSON.stringify(value));
  };
  const M = size("components"), d = size("channels");
  const numbers = (name: string, count: number): number[] => {
    const list = json[name];
    if (!Array.isArray(list) || list.length !== count) {
      throw refused(
        `"${name}" must be ${count} finite numbers`,
        Array.isArray(list) ? `${list.length} values` : typeof list,
      );
    }
    // as a Float32Array will hold it: 1e300 is infinite there
    const at = list.findIndex((value) =>
      typeof value !== "number" || !Number.isFinite(Math.fround(value))
    );
    if (at < 0) return list;
    throw refused(
      `"${name}" must be ${count} finite numbers`,
      `${JSON.stringify(list[at])} at ${at}`,
    );
  };
  const logWeights = numbers("logWeights", M);
  const total = Math.exp(logSumExp(logWeights));
  if (Math.abs(total - 1) > 1e-3) {
    throw refused('"logWeights" must be of weights that sum to 1', total);
  }
  const deviations = numbers("deviations", M * d);
  if (deviations.some((value) => !(Math.fround(value) > 0))) {
    throw refused('"deviations" must be positive', Math.min(...deviations));
  }
  return {
    distribution: {
      logWeights: Float64Array.from(logWeights), // exactly what was saved
      means: ndarray(Float32Array.from(numbers("means", M * d)), [M, d]),
      deviations: ndarray(Float32Array.from(deviations), [M, d]),
    },
    evidence: Float64Array.from(numbers("evidence", M)),
  };
}

function refused(rule: string, found: unknown): RangeError {
  return new InputError(
    `Cannot read the profile as ${rule}: current value is ${found}`,
  );
}
