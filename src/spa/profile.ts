/** A user's profile: what is carried from image to image, as JSON. */

import { addEvidence } from "./evidence.ts";
import { type GaussianMixture, normalizeLogWeights } from "./mixture.ts";
import { InputError } from "../input_error.ts";

/**
 * What is known of a user on any image: which components of the mixture the
 * choices spoke for. `startPreference` adds it to the log weights that the
 * generator gives on the next image. The components' means and deviations are the
 * generator's on each image: carried along they did harm.
 */
export interface Profile {
  /** Log evidence of the components, [M], in nats. */
  readonly evidence: Float64Array;
}

/**
 * Share of a choice's log likelihoods that counts for the profile. On the image
 * itself they count whole; there they tell of this image more than of the user.
 */
const HABIT_SHARE = 0.05;

/** Share of a profile that stays when an image's first choice is added. */
const HABIT_MEMORY = 0.8;

/**
 * Adds an image's first choice to a profile: to each component the log of the mean
 * of exp(0.05 T l_n) over its samples. The later choices are between candidates
 * that follow the first: they tell of this image, and little of the user's habits.
 *
 * @param before The profile that the image was started with, if any.
 * @param logLikelihood T l_n of the first samples, [N].
 * @param components Component of each sample, [N].
 * @param count M.
 */
export function addToProfile(
  before: Profile | undefined,
  logLikelihood: Float64Array,
  components: Int32Array,
  count: number,
): Profile {
  return {
    evidence: addEvidence(
      before?.evidence ?? new Float64Array(count),
      logLikelihood.map((value) => HABIT_SHARE * value),
      components,
      HABIT_MEMORY,
    ),
  };
}

/** A mixture with a profile's evidence added to its log weights. */
export function withProfile(
  distribution: GaussianMixture,
  profile: Profile | undefined,
): GaussianMixture {
  if (!profile) return distribution;
  const { logWeights } = distribution;
  return {
    ...distribution,
    logWeights: normalizeLogWeights(
      logWeights.map((value, m) => value + profile.evidence[m]),
    ),
  };
}

/**
 * The profile after a preference: with what its first choice told, or before any
 * choice the one that it started with, or one that says nothing.
 */
export function profileOf({ habit, profile, evidence }: {
  readonly habit?: Profile;
  readonly profile?: Profile;
  readonly evidence: Float64Array;
}): Profile {
  return habit ?? profile ?? { evidence: new Float64Array(evidence.length) };
}

/** A profile as JSON, for a file; `profileFromJSON` gives it back exactly. */
export function profileToJSON({ evidence }: Profile): string {
  return JSON.stringify({
    format: "spa-profile",
    version: 2,
    evidence: [...evidence],
  });
}

/**
 * Reads a profile of `profileToJSON`.
 *
 * @param text The JSON text.
 * @returns The profile.
 * @throws {RangeError} When the text is no profile of this version, or its
 * evidence is no list of finite numbers.
 */
export function profileFromJSON(text: string): Profile {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text);
  } catch {
    throw refused("it must be JSON", text.slice(0, 60));
  }
  if (json?.format !== "spa-profile" || json.version !== 2) {
    throw refused(
      'its format must be "spa-profile", version 2',
      `${json?.format}, version ${json?.version}`,
    );
  }
  const { evidence } = json;
  const rule = '"evidence" must be one finite number for each component';
  if (!Array.isArray(evidence) || evidence.length === 0) {
    throw refused(
      rule,
      Array.isArray(evidence) ? "no values" : typeof evidence,
    );
  }
  const at = evidence.findIndex((value) =>
    // as a Float32Array will hold it: 1e300 is infinite there
    typeof value !== "number" || !Number.isFinite(Math.fround(value))
  );
  if (at >= 0) {
    throw refused(rule, `${JSON.stringify(evidence[at])} at ${at}`);
  }
  return { evidence: Float64Array.from(evidence) };
}

function refused(rule: string, found: unknown): RangeError {
  return new InputError(
    `Cannot read the profile as ${rule}: current value is ${found}`,
  );
}
