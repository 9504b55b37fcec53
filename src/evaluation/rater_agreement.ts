/** The agreement of raters with one another, the scale for a method's Dice. */

import type { Dataset } from "../datasets/dataset.ts";
import { dice } from "../metrics/overlap.ts";
import type { Table } from "../table.ts";
import { mean, meanCells } from "./statistics.ts";
import { nothingMarked, readMasks, targetsOf } from "./targets.ts";

/**
 * The agreement of the other raters with one rater of one case; Dice are 0..1.
 */
export interface RaterAgreement {
  /** The case's id. */
  readonly case: string;
  /** The patient. */
  readonly patient: string;
  /** The rater of the mask that the others are compared with. */
  readonly rater: string;
  /** Mean Dice of the other raters' masks with this one's. */
  readonly another: number;
  /** Dice of what at least half of the others drew; 0 where that is nothing. */
  readonly majority: number;
  /** Dice of the nearest of the others. */
  readonly best: number;
}

/**
 * Compares every rater's mask with the others' of the same case; masks that are
 * empty are left out.
 *
 * @param dataset Cases of several raters.
 * @returns One value per rater and case, in their order; none for a rater who
 * is alone.
 * @throws {RangeError} When the masks of a case are not of one size, or all are
 * empty.
 */
export async function raterAgreement(
  { name, cases }: Dataset,
): Promise<RaterAgreement[]> {
  const result: RaterAgreement[] = [];
  let marked = cases.every(({ raters }) => raters.length === 0);
  for (const item of cases) {
    const masks = await readMasks(item);
    marked ||= masks.size > 0;
    for (const [rater, mask] of masks) {
      const others = [...masks.keys()].filter((name) => name !== rater);
      if (others.length === 0) continue;
      const each = others.map((name) => dice(masks.get(name)!, mask));
      const [majority] = targetsOf(item, masks, others);
      result.push({
        case: item.id,
        patient: item.patient,
        rater,
        another: mean(each),
        majority: majority ? dice(majority.mask, mask) : 0,
        best: Math.max(...each),
      });
    }
  }
  if (!marked) throw nothingMarked("compare raters", name);
  return result;
}

/** Means of the agreement, with 95 % bootstrap intervals over patients. */
export function agreementTable(
  agreements: readonly RaterAgreement[],
  seed = 0,
): Table {
  const rows = {
    "another rater": "another",
    "majority of the others": "majority",
    "nearest of the others": "best",
  } as const;
  return {
    columns: [
      { heading: "instead of the user's own mask" },
      { heading: "Dice", digits: 4 },
      { heading: "95 % interval" },
      { heading: "targets" },
    ],
    rows: Object.entries(rows).map(([heading, key]) => [
      heading,
      ...meanCells(agreements, (agreement) => agreement[key], seed),
    ]),
  };
}
