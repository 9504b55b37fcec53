/** Which walks a volume needs, and what they say together of every slice. */

import {
  blendMaps,
  packedDice,
  resultOf,
  type SliceResult,
} from "./slice_result.ts";
import type { SliceState } from "./suggestions.ts";
import { hasEnded, type WalkSource } from "./walk.ts";

/** A slice that the user aligned. */
export interface Aligned {
  /** Its mask; an empty one where the object is not there. */
  readonly result: SliceResult;
  /** What walks from here know. */
  readonly source: WalkSource;
}

/** The way from one aligned slice to the next one, or to the end. */
export interface Walk {
  /** The aligned slice that it begins at. */
  readonly from: number;
  /** 1 upwards, -1 downwards. */
  readonly direction: 1 | -1;
  /** The first slice that is not its own: aligned, or beyond the volume. */
  readonly limit: number;
  /** Whether the object is at the limit, so that no slice before is its end. */
  readonly bounded: boolean;
  /** What was found, from the slice beside `from` on. */
  readonly results: readonly SliceResult[];
  /** What was found where the object ended. */
  readonly end?: SliceResult;
}

/** What is known of all slices. */
export interface Knowledge {
  readonly aligned: ReadonlyMap<number, Aligned>;
  readonly walks: ReadonlyMap<string, Walk>;
}

/** A walk's name. */
export function walkName(from: number, direction: 1 | -1): string {
  return `${from}${direction > 0 ? "+" : "-"}`;
}

/** The walks between aligned slices, empty yet. */
export function neededWalks(
  aligned: ReadonlyMap<number, Aligned>,
  depth: number,
): Walk[] {
  const known = [...aligned.keys()].sort((a, b) => a - b);
  const present = (slice: number) => aligned.get(slice)!.result.mask.area > 0;
  return known.filter(present).flatMap((from) =>
    ([1, -1] as const).map((direction): Walk => {
      const next = direction > 0
        ? known.find((slice) => slice > from)
        : known.findLast((slice) => slice < from);
      return {
        from,
        direction,
        limit: next ?? (direction > 0 ? depth : -1),
        bounded: next !== undefined && present(next),
        results: [],
      };
    })
  ).filter(({ from, direction, limit }) => limit !== from + direction);
}

/** Slices that a walk has not seen yet. */
export function slicesLeft({ from, limit, results, end }: Walk) {
  return end ? 0 : Math.abs(limit - from) - 1 - results.length;
}

/** The slice that a walk comes to next. */
export function nextSlice({ from, direction, results }: Walk): number {
  return from + direction * (results.length + 1);
}

/** A walk one slice further. */
export function extendWalk(walk: Walk, result: SliceResult): Walk {
  const over = walk.bounded ? result.mask.area === 0 : hasEnded(result);
  return over
    ? { ...walk, end: result }
    : { ...walk, results: [...walk.results, result] };
}

/** The walks without those that reach or leave a slice: it was aligned anew. */
export function withoutWalksAt(
  walks: ReadonlyMap<string, Walk>,
  slice: number,
): Map<string, Walk> {
  return new Map(
    [...walks].filter(([, { from, direction, limit }]) =>
      from !== slice &&
      !(direction > 0 ? from < slice && slice <= limit : limit <= slice &&
        slice < from)
    ),
  );
}

/** What a walk found in a slice. */
function foundBy(walk: Walk | undefined, slice: number) {
  if (!walk) return undefined;
  return walk.results[Math.abs(slice - walk.from) - 1];
}

/** Blends that were made, by the results they are of. */
const blends = new WeakMap<SliceResult, WeakMap<SliceResult, SliceResult>>();

function blend(one: SliceResult, other: SliceResult, share: number) {
  const known = blends.get(one) ?? new WeakMap();
  blends.set(one, known);
  const made = known.get(other) ?? resultOf(
    share <= 0.5
      ? blendMaps(one, other, share)
      : blendMaps(other, one, 1 - share),
    one.mask.shape,
  );
  known.set(other, made);
  return made;
}

/** What is known of one slice. */
export interface Known extends Omit<SliceState, "area"> {
  /** The object there; absent where no walk came or it ended before. */
  readonly result?: SliceResult;
}

/** What aligned slices and walks say together, slice by slice. */
export function knownSlices(
  { aligned, walks }: Knowledge,
  depth: number,
): Known[] {
  const known = [...aligned.keys()].sort((a, b) => a - b);
  const ends = new Map<number, SliceResult>();
  for (const { from, direction, results, end } of walks.values()) {
    if (end) ends.set(from + direction * (results.length + 1), end);
  }
  return Array.from({ length: depth }, (_, slice): Known => {
    const own = aligned.get(slice);
    if (own) return { result: own.result, aligned: true, confidence: 1 };
    const below = known.findLast((other) => other < slice);
    const above = known.find((other) => other > slice);
    const up = below === undefined ? undefined : walks.get(walkName(below, 1));
    const down = above === undefined
      ? undefined
      : walks.get(walkName(above, -1));
    const one = foundBy(up, slice), other = foundBy(down, slice);
    const end = ends.get(slice);
    const beyond = end && { beyond: end.mask.area };
    if (one && other) {
      const share = (slice - below!) / (above! - below!);
      const result = blend(one, other, share);
      return {
        result,
        aligned: false,
        confidence: result.confidence,
        disagreement: 1 - packedDice(one.mask, other.mask),
        gap: one.gap && other.gap,
      };
    }
    const result = one ?? other;
    if (!result) return { aligned: false, confidence: 0, ...beyond };
    const opposite = one ? down : up;
    return {
      result,
      aligned: false,
      confidence: result.confidence,
      gap: result.gap,
      // the other walk ended before it came here
      ...(opposite?.end && { disagreement: 1 }),
    };
  });
}
