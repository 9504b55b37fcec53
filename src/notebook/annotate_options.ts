/** What `annotate` is told. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Profile } from "../spa/profile.ts";
import type { SessionOptions } from "../spa/session.ts";
import type { FirstClick, FirstClicks } from "./annotation_images.ts";
import type { AnnotationRecord } from "./annotation_record.ts";
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
  /**
   * Whether the profile goes from image to image. Default: true. What it gives
   * is measured in data/results/tried.md.
   */
  readonly carry?: boolean;
  /**
   * Seed of the samples and of every rule. Default: 0; image k, from 0,
   * has seed + k.
   */
  readonly seed?: number;
  /**
   * First clicks: by the image's id, or the path of a JSON file with them
   * (`{ "case1": [{ "x": 61, "y": 40 }] }`), or a function. An image without
   * any is shown, to be clicked on; by default every one. In a volume a click
   * has a `slice` besides, by default the middle one, which a function is given.
   * With labels they are for every object: a function is given its name.
   */
  readonly points?:
    | string
    | FirstClicks
    | ((
      image: NdArray<Float32Array>,
      id: string,
      label?: string,
    ) => readonly FirstClick[] | Promise<readonly FirstClick[]>);
  /**
   * The rater whose masks are the reference: Dice with it is recorded, not
   * shown, and a rule clicks inside it and picks what is nearest to it.
   */
  readonly rater?: string;
  /** Answers where nobody else does, by default as `rater` would. */
  readonly auto?: PickRule;
  /** Proposals until a rule accepts, of a volume in each slice; they default to 6. */
  readonly iterations?: number;
  /** Slices of a volume that a rule looks at. Default: 3. */
  readonly looks?: number;
  /**
   * Whether volumes are aligned as such; else the middle slice of each is an image.
   * Default: true.
   */
  readonly volumes?: boolean;
  /**
   * Several objects in every image: their names, perhaps with a color. Default:
   * one object without a name.
   */
  readonly labels?: readonly (string | {
    readonly name: string;
    readonly color?: string;
  })[];
  /** Told of every image: how many are finished, of how many. */
  readonly onImage?: (
    record: AnnotationRecord,
    finished: number,
    images: number,
  ) => void;
}

/** The options' types, for a caller without a type check. */
export const ANNOTATE_OPTIONS = {
  ...{ out: "string", profile: "object", carry: "boolean", seed: "number" },
  ...{ points: "string | object | function", rater: "string" },
  ...{ auto: "function", iterations: "number", onImage: "function" },
  ...{ by: "string", patience: "number", signal: "object" },
  ...{ samples: "number", candidates: "number", update: "object" },
  ...{ volumes: "boolean", labels: "array", looks: "number" },
} as const;
