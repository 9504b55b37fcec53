import type { Table } from "../../table.ts";
import type { TargetResult } from "../evaluate.ts";
import type { Runs } from "../saved_evaluation.ts";
import { type Figure, meanCells } from "../statistics.ts";

/** A figure of a result's iteration, and how it is shown. */
interface Shown {
  readonly heading: string;
  readonly digits: number;
  figureAt(iteration: number): Figure;
}

const IOU: Shown = {
  heading: "IoU",
  digits: 4,
  figureAt: (i) => ({ iterations }) => iterations.at(i)?.iou,
};

/** HD95 of the targets of one unit. */
function distanceIn(unit: "mm" | "px"): Shown {
  return {
    heading: `HD95 (${unit})`,
    digits: 2,
    figureAt: (i) => (result) =>
      unitOf(result) === unit ? result.iterations.at(i)?.hd95 : undefined,
  };
}

function unitOf({ spacing }: TargetResult): "mm" | "px" {
  return spacing ? "mm" : "px";
}

/**
 * IoU and HD95 of the recommendation: means over targets, 95 % intervals by a
 * bootstrap over patients. Millimetres and pixels are never averaged: where a
 * dataset has both, each has its columns, over the targets it is of.
 *
 * @param runs Results by variant: a row per iteration of one, and of several a row each, at its last iteration.
 * @param seed Seed of the bootstrap.
 */
export function overlapTable(runs: Runs, seed = 0): Table {
  const names = Object.keys(runs);
  const all = Object.values(runs).flat();
  const measured = all.filter(({ iterations: [first] }) =>
    first?.hd95 !== undefined
  );
  const units = new Set(measured.map(unitOf));
  const shown = [IOU, ...[...units].sort().map(distanceIn)];
  const row = (results: readonly TargetResult[], i: number) => {
    const cells = shown.map(({ figureAt, digits }) =>
      meanCells(results, figureAt(i), seed, digits)
    );
    const [[, , targets]] = cells;
    return [...cells.flatMap((three) => three.slice(0, 2)), targets];
  };
  const count = Math.max(0, ...all.map(({ iterations }) => iterations.length));
  return {
    columns: [
      { heading: names.length > 1 ? "variant" : "iteration" },
      ...shown.flatMap(({ heading, digits }) => [
        { heading, digits },
        { heading: "95 % interval" },
      ]),
      { heading: "targets" },
    ],
    rows: names.length > 1
      ? names.map((name) => [name, ...row(runs[name], -1)])
      : Array.from({ length: count }, (_, i) => [i + 1, ...row(all, i)]),
  };
}
