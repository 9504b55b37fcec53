/** What a user gives and does to align a volume, and its form as plain data. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Action, Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import type { Profile } from "../spa/profile.ts";
import type { ProposalOptions } from "../spa/propose.ts";
import type { UpdateOptions } from "../spa/update_preference.ts";

/** Options of a session with a volume. */
export interface VolumeSessionOptions extends ProposalOptions {
  /** Where to begin: index of the slice, the middle by default. */
  readonly slice?: number;
  /** Clicks on the object there, in pixels of the slice; one is positive. */
  readonly points?: readonly Point[];
  /** Or a box around it. */
  readonly box?: Box;
  /** Or a mask of it, [H, W] of the slice. */
  readonly mask?: NdArray<Uint8Array>;
  /**
   * The dimension whose slices are aligned: 0, 1 or 2. By default the plane of
   * acquisition, see `acquisitionAxis`.
   */
  readonly axis?: 0 | 1 | 2;
  /** Values shown black and white; by default the volume's own, as `readImage`. */
  readonly window?: [low: number, high: number];
  /** Channels of a volume with several: one, or three as red, green and blue. */
  readonly channels?: number[];
  /** A user's profile from earlier images. */
  readonly profile?: Profile;
  /** Whether walks begin with the user's profile; default true. */
  readonly carryProfile?: boolean;
  /** How choices update the preference. */
  readonly update?: UpdateOptions;
}

/** Their types, for a caller without a type check. */
export const OPTIONS = {
  slice: "number",
  points: "array",
  box: "object",
  mask: "ndarray",
  axis: "number",
  window: "array",
  channels: "array",
  profile: "object",
  carryProfile: "boolean",
  update: "object",
  samples: "number",
  variations: "number",
  candidates: "number",
  seed: "number",
} as const;

/**
 * What a user does with a volume: picks a candidate, clicks, asks for others,
 * changes the region, paints or accepts, all in the open slice; says that the
 * object is absent from it; goes to another slice; or walks.
 */
export type VolumeAction =
  | Extract<
    Action,
    {
      kind: "choose" | "click" | "again" | "zoom" | "look" | "paint" | "accept";
    }
  >
  | { readonly kind: "absent" }
  | { readonly kind: "go"; readonly slice: number }
  | { readonly kind: "propagate"; readonly steps: number };

/** What happens in the open slice. */
export type SliceAction = Extract<
  Action,
  { kind: "choose" | "click" | "again" | "zoom" | "look" | "paint" }
>;

/** A slice is accepted as it is shown, or as a candidate, perhaps repaired. */
export type AcceptAction = Extract<Action, { kind: "accept" }>;

/** How far a walk is. */
export interface PropagateProgress {
  /** Slices looked at so far. */
  readonly done: number;
  /** Slices that may follow: fewer where the object ends before. */
  readonly left: number;
  /** The slice that was looked at. */
  readonly slice: number;
}

/** Options of `propagate`. */
export interface PropagateOptions {
  /** Ends the walk after the slices under way, two at most; what is done stays. */
  readonly signal?: AbortSignal;
  /** Called after every slice. */
  readonly onProgress?: (progress: PropagateProgress) => void;
  /** Slices to look at, at most; by default all. */
  readonly steps?: number;
}

/** A session with a volume as plain data. */
export interface VolumeSessionJSON {
  /** Always "spa-volume-session". */
  readonly format: "spa-volume-session";
  /** Of the format. */
  readonly version: 1;
  /** Digest of the volume. */
  readonly volume: string;
  /** The dimension whose slices are aligned. */
  readonly axis: 0 | 1 | 2;
  /** Values shown black and white, where they were given. */
  readonly window?: [low: number, high: number];
  /** Channels, where they were given. */
  readonly channels?: number[];
  /** Where it began. */
  readonly slice: number;
  /** The clicks at the start; later ones are among the actions. */
  readonly points: readonly Point[];
  /** The box, if one was drawn. */
  readonly box?: Box;
  /** Samples N per proposal, where given. */
  readonly samples?: number;
  /** Variations per proposal, where given. */
  readonly variations?: number;
  /** Candidates K per proposal, where given. */
  readonly candidates?: number;
  /** How choices updated the preference, where given. */
  readonly update?: UpdateOptions;
  /** Whether walks began with the user's profile. */
  readonly carryProfile: boolean;
  /** Seed of samples and clustering. */
  readonly seed: number;
  /** What followed, oldest first; what was undone is not there. */
  readonly actions: readonly VolumeAction[];
  /** Digest of the mask, which a replay must give again. */
  readonly mask: string;
}
