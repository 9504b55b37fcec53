/** What `annotate` is told. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Profile } from "../spa/profile.ts";
import type { SessionOptions } from "../spa/session.ts";
import type { FirstClick, FirstClicks } from "./annotation_images.ts";
import type { AnnotationLabel, AnnotationRecord } from "./annotation_record.ts";
import type { Random } from "../random.ts";
import type { Proposal } from "../spa/cluster.ts";
import { errorClick, nearestUser } from "../spa/simulated_user.ts";
import { InputError } from "../input_error.ts";
import type { AskOptions, Offer, PickRule } from "./pick.ts";
import type { NamedMask } from "./slice_views.ts";

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
  /**
   * With what the user changes a mask: "all" (the default) that the panel has;
   * "picks" of candidates and clicks, no brush; "clicks" alone, without candidates,
   * to compare with.
   */
  readonly offer?: Offer;
  /**
   * A plan of a user study of images, the path of the file that `deno task study
   * plan` wrote: `person` does the images of its blocks in their order, each block with its own
   * `offer`, into `out/PERSON/1-picks`, `out/PERSON/2-clicks` and so on. No profile
   * is carried then, unless `carry` is true, and with `rater` nobody else answers
   * for the person, unless `by` is "auto".
   */
  readonly plan?: string;
  /** Who of the plan does it. */
  readonly person?: string;
  /** Which of the person's blocks, from 1. Default: all, one after another. */
  readonly block?: number;
  /**
   * Answers where nobody else does, by default as `rater` would; it is given the
   * rater's mask as well, where there is one.
   */
  readonly auto?: (
    proposal: Proposal,
    random: Random,
    reference?: NdArray<Uint8Array>,
  ) => ReturnType<PickRule>;
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

/** How one object of an image or a volume is annotated. */
export interface ObjectOptions extends AnnotateOptions {
  readonly points?: Exclude<AnnotateOptions["points"], string>;
  readonly settings: AnnotationRecord["settings"];
  /** The item's id, and which of how many it is; before every title. */
  readonly about: string;
  /** Which object, where there are several. */
  readonly label?: AnnotationLabel;
  /** Objects that were done before. */
  readonly masks: readonly NamedMask[];
}

/** The options' types, for a caller without a type check. */
export const ANNOTATE_OPTIONS = {
  ...{ out: "string", profile: "object", carry: "boolean", seed: "number" },
  ...{ points: "string | object | function", rater: "string" },
  ...{ auto: "function", iterations: "number", onImage: "function" },
  ...{ by: "string", patience: "number", signal: "object" },
  ...{ samples: "number", candidates: "number", update: "object" },
  ...{ volumes: "boolean", labels: "array", looks: "number", offer: "string" },
  ...{ plan: "string", person: "string", block: "number" },
} as const;

/** With what a mask can be changed. */
const OFFERS: readonly Offer[] = ["all", "picks", "clicks"];

/** Refuses an offer that there is not. */
export function checkOffer(offer: Offer): void {
  if (OFFERS.includes(offer)) return;
  throw new InputError(
    `Cannot annotate as offer must be one of ${
      OFFERS.join(", ")
    }: current value is ${offer}`,
  );
}

/**
 * The user with a mask in mind: picks the candidate that is nearest to it or, of
 * clicks alone, clicks at the center of the largest error and accepts where there
 * is none.
 */
export function userOf(
  reference: NdArray<Uint8Array>,
  offer: Offer = "all",
): PickRule {
  if (offer !== "clicks") return nearestUser(reference);
  return ({ recommended }) => {
    const point = errorClick(recommended.mask, reference);
    return point ? { kind: "click", point } : { kind: "accept" };
  };
}
