/** Where in a volume a look helps most. */

/** What a walk says of a slice. */
export interface SliceState {
  /** Pixels of its mask. */
  readonly area: number;
  /** Whether the user aligned it. */
  readonly aligned: boolean;
  /** How sure its map is, 0..1; see `SliceResult`. */
  readonly confidence: number;
  /** 1 less Dice between the walks from both sides, where there are two. */
  readonly disagreement?: number;
  /** Whether the slice shows nothing. */
  readonly gap?: boolean;
  /**
   * Where a walk ended: the pixels that its last step still showed, beyond the
   * mask.
   */
  readonly beyond?: number;
}

/** Why a slice is unsure. */
export type Doubt =
  | "unsure"
  | "walks disagree"
  | "area jumps"
  | "may go on here"
  | "no image";

/** A slice at which a look helps. */
export interface Suggestion {
  /** Index of the slice. */
  readonly slice: number;
  /** Pixels that are expected to be put right, here and in the slices beside. */
  readonly gain: number;
  /** Why, the strongest first. */
  readonly doubts: readonly Doubt[];
}

/** How doubts count. */
export const DOUBT = {
  /** Share of pixels that are wrong at least, per slice farther than `near`. */
  far: 0.04,
  /** Slices beside an aligned one whose map is believed. */
  near: 2,
  /** Share of pixels that are wrong where walks disagree, per 1 less Dice. */
  disagreement: 0.5,
  /** Of a jump in area beyond what slices differ by anyway. */
  jump: 0.5,
  /** Share of the area beside an end by which it may be missed. */
  end: 0.3,
  /** Slices over which a look helps fade by 1/e. */
  reach: 3,
  /** Gains below this share of a slice's mean area are not worth a look. */
  least: 0.02,
};

/** Expected wrong pixels of every slice, and why. */
function doubtsOf(slices: readonly SliceState[]): Map<Doubt, number>[] {
  const known = slices.flatMap(({ aligned }, z) => aligned ? [z] : []);
  return slices.map((state, z) => {
    const apart = Math.min(...known.map((other) => Math.abs(other - z)));
    const doubts = new Map<Doubt, number>();
    const { area, aligned, confidence, disagreement, gap, beyond } = state;
    if (aligned) return doubts;
    if (beyond !== undefined) {
      const beside = Math.max(
        slices[z - 1]?.area ?? 0,
        slices[z + 1]?.area ?? 0,
      );
      doubts.set("may go on here", Math.max(beyond, DOUBT.end * beside));
    }
    if (area === 0) return doubts;
    if (gap) doubts.set("no image", area);
    else {
      const far = known.length > 0 ? DOUBT.far * (apart - DOUBT.near) : 0;
      doubts.set("unsure", Math.min(1, Math.max(1 - confidence, far)) * area);
    }
    if (disagreement !== undefined) {
      doubts.set(
        "walks disagree",
        DOUBT.disagreement * disagreement * area,
      );
    }
    const [before, after] = [
      slices[z - 1]?.area ?? 0,
      slices[z + 1]?.area ?? 0,
    ];
    // a slice between two others has an area between theirs
    const jump = Math.max(
      0,
      area - Math.max(before, after),
      Math.min(before, after) - area,
    );
    doubts.set("area jumps", DOUBT.jump * jump);
    return doubts;
  });
}

/**
 * The slices at which a look helps, the most helpful first: where most wrong
 * pixels are expected in the slice and in those beside it, up to the next
 * aligned slice.
 *
 * @param slices All slices of the volume, in order.
 */
export function suggest(slices: readonly SliceState[]): Suggestion[] {
  const doubts = doubtsOf(slices);
  const wrong = doubts.map((all) =>
    [...all.values()].reduce((a, b) => a + b, 0)
  );
  const areas = slices.map(({ area }) => area).filter((area) => area > 0);
  const mean = areas.reduce((a, b) => a + b, 0) / Math.max(1, areas.length);
  const result: Suggestion[] = [];
  slices.forEach(({ aligned }, slice) => {
    if (aligned || wrong[slice] === 0) return;
    let gain = wrong[slice];
    for (const direction of [-1, 1]) {
      for (let z = slice + direction; slices[z]; z += direction) {
        if (slices[z].aligned) break;
        gain += wrong[z] * Math.exp(-Math.abs(z - slice) / DOUBT.reach);
      }
    }
    if (gain < DOUBT.least * mean) return;
    const named = [...doubts[slice]].filter(([, pixels]) => pixels > 0)
      .sort(([, a], [, b]) => b - a).map(([doubt]) => doubt);
    result.push({ slice, gain, doubts: named });
  });
  return result.sort((a, b) => b.gain - a.gain || a.slice - b.slice);
}
