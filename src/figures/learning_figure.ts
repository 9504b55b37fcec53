import type { TrainingReport } from "../training/tally.ts";
import {
  chartFigure,
  dashOf,
  gapped,
  lastOf,
  plain,
  seriesColor,
} from "./chart.ts";
import { counted } from "./describe.ts";
import { type Figure, stackFigures } from "./figure.ts";
import { InputError } from "../input_error.ts";

/** A line over the steps of training. */
interface Curve {
  readonly name: string;
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/**
 * Learning curves: Dice of the recommendation, and the loss below it, by step of
 * training, as the simulated users of the training cases saw them. Of one run a
 * line for every iteration of the users; of several, each run's last iteration.
 *
 * @param runs Reports of `train`, or of its logs, by the run's name.
 * @throws {RangeError} When there is no report.
 *
 * @example From training to its curve
 * ```ts ignore
 * const reports: TrainingReport[] = [];
 * await train(config, cases, recipe, { onReport: (r) => reports.push(r) });
 * await show(learningFigure({ tiny: reports }));
 * ```
 */
export function learningFigure(
  runs: Readonly<Record<string, readonly TrainingReport[]>>,
): Figure {
  const all = Object.entries(runs).filter(([, reports]) => reports.length > 0);
  if (all.length === 0) {
    throw new InputError(
      "Cannot draw learning curves as there must be a report: current value is none",
    );
  }
  const curve = (
    name: string,
    reports: readonly TrainingReport[],
    value: (report: TrainingReport) => number,
  ): Curve => ({
    name,
    steps: reports.map(({ step }) => step),
    values: reports.map(value),
  });
  const diceAt = (i: number) => ({ iterations }: TrainingReport) =>
    iterations.at(i)?.dice ?? NaN;
  const lossOf = ({ loss }: TrainingReport) => loss;
  if (all.length > 1) {
    return learningFigures(
      ["Training", "at the users' last iteration"],
      all.map(([name, reports]) => curve(name, reports, diceAt(-1))),
      all.map(([name, reports]) => curve(name, reports, lossOf)),
    );
  }
  const [[name, reports]] = all;
  const count = Math.max(...reports.map((report) => report.iterations.length));
  return learningFigures(
    [`Training of ${name}`, "by the users' iteration"],
    Array.from(
      { length: count },
      (_, i) => curve(`iteration ${i + 1}`, reports, diceAt(i)),
    ),
    [curve("loss", reports, lossOf)],
  );
}

/** Dice above, the loss below. */
function learningFigures(
  [title, of]: readonly [string, string],
  dice: readonly Curve[],
  loss: readonly Curve[],
): Figure {
  return stackFigures([
    curvesFigure(`${title}: Dice ${of}`, "Dice", ".2f", dice),
    curvesFigure(`${title}: loss`, "loss", "", loss),
  ]);
}

function curvesFigure(
  title: string,
  yTitle: string,
  tickformat: string,
  curves: readonly Curve[],
): Figure {
  return chartFigure({
    title,
    alt: `${title}: ${counted(curves.length, "line")} by step of training, ` +
      `the last ${lastOf(curves)}`,
    names: curves.map(({ name }) => name),
    data: curves.map(({ name, steps, values }, i) => ({
      type: "scatter",
      mode: steps.length === 1 ? "markers" : "lines",
      name: plain(name),
      x: steps,
      y: gapped(values),
      line: {
        color: seriesColor(i),
        width: 2,
        dash: dashOf(i),
      },
      marker: { color: seriesColor(i), size: 8 },
    })),
    xaxis: { title: "step" },
    yaxis: { title: yTitle, ...(tickformat && { tickformat }) },
  });
}
