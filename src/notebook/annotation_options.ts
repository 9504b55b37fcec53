// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Point } from "../spa/feedback.ts";
import type { Profile } from "../spa/profile.ts";
import type { SessionOptions } from "../spa/session.ts";
import type { AnnotationRecord } from "./annotation_record.ts";
import type { FirstClicks } from "./first_clicks.ts";
import type { AskOptions, PickRule } from "./pick.ts";

/** How `annotate` asks, and where it saves. */
export interface AnnotateOptions
  extends
    Omit<AskOptions, "random">,
    Pick<SessionOptions, "samples" | "candidates" | "update"> {
  /** The folder for masks and records; one that has some is resumed. */
  readonly out: string;
  /** The user's profile from earlier images; none by default. */
  readonly profile?: Profile;
  /** Whether the profile goes from image to image, which defaults to true. */
  readonly carry?: boolean;
  /**
   * Seed of the samples and of every rule, which defaults to 0; image k, from 0,
   * has seed + k.
   */
  readonly seed?: number;
  /**
   * First clicks: by the image's id, or the path of a JSON file with them
   * (`{ "case1": [{ "x": 61, "y": 40 }] }`), or a function. An image without
   * any is shown, to be clicked on; by default every one.
   */
  readonly points?:
    | string
    | FirstClicks
    | ((
      image: NdArray<Float32Array>,
      id: string,
    ) => readonly Point[] | Promise<readonly Point[]>);
  /**
   * The rater whose masks are the reference: Dice with it is recorded, not
   * shown, and a rule clicks inside it and picks what is nearest to it.
   */
  readonly rater?: string;
  /** Answers where nobody else does, by default as `rater` would. */
  readonly auto?: PickRule;
  /** Proposals until a rule accepts, which default to 6. */
  readonly iterations?: number;
  /** Told of every image: how many are finished, of how many. */
  readonly onImage?: (
    record: AnnotationRecord,
    finished: number,
    images: number,
  ) => void;
}
