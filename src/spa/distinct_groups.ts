/** Clusters of samples whose masks differ. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { type Clustering, membersOf } from "./kmeans.ts";

/** Samples whose mean is one mask. */
export interface Group {
  /** Their indices, ascending. */
  readonly members: readonly number[];
  /** Their mean probability, [4h, 4h]. */
  readonly probability: NdArray<Float32Array>;
  /** The mask at the image's pixels in the region, 0 or 1. */
  readonly mask: Uint8Array;
}

/** Whether two masks of one size are the same. */
function sameMask({ mask: a }: Group, { mask: b }: Group): boolean {
  return a.every((value, i) => value === b[i]);
}

/**
 * Joins groups whose masks are the same. Then the joint mean has that mask too.
 */
function joinEqual(
  groups: readonly Group[],
  join: (members: number[]) => Group,
) {
  const joined: Group[] = [];
  for (const group of groups) {
    const at = joined.findIndex((other) => sameMask(group, other));
    if (at < 0) {
      joined.push(group);
      continue;
    }
    const members = [...joined[at].members, ...group.members];
    joined[at] = join(members.sort((a, b) => a - b));
  }
  return joined;
}

/**
 * Groups of samples with `count` distinct masks, or fewer where there are no
 * more: where means of K clusters make the same mask, more clusters are tried.
 *
 * @param clusterInto Clusters the samples into so many clusters.
 * @param groupOf The group of some of the samples.
 */
export function distinctGroups(
  count: number,
  clusterInto: (count: number) => Clustering,
  groupOf: (members: number[]) => Group,
): Group[] {
  let best: Group[] = [];
  for (let tried = count; tried <= 2 * count; tried++) {
    const { labels, count: found } = clusterInto(tried);
    const groups = membersOf({ labels, count: found }).map(groupOf);
    const distinct = joinEqual(groups, groupOf);
    if (distinct.length > best.length && distinct.length <= count) {
      best = distinct;
    }
    if (best.length === count || found < tried) break;
  }
  return best;
}
