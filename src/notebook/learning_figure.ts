import type { TrainingReport } from "../training/tally.ts";
import { chartFigure, plain, seriesColor } from "./chart.ts";
import { counted } from "./describe.ts";
import type { Figure } from "./figure.ts";
import { stackFigures } from "./stack_figures.ts";

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
 * await learningFigure({ tiny: reports }).show();
 * ```
 */
export function learningFigure(
  runs: Readonly<Record<string, readonly TrainingReport[]>>,
): Figure {
  const all = Object.entries(runs).filter(([, reports]) => reports.length > 0);
  if (all.length === 0) {
    throw new RangeError(
      "Cannot draw learning curves as there must be a report: current value is none",
    );
  }
  const stepsOf = (reports: readonly TrainingReport[]) =>
    reports.map(({ step }) => step);
  const iterationOf = (reports: readonly TrainingReport[], i: number) =>
    reports.map(({ iterations }) => iterations.at(i)?.dice ?? NaN);
  const [[, first]] = all;
  const longest = Math.max(...first.map(({ iterations }) => iterations.length));
  const dice = all.length === 1
    ? Array.from({ length: longest }, (_, i) => ({
      name: `iteration ${i + 1}`,
      steps: stepsOf(first),
      values: iterationOf(first, i),
    }))
    : all.map(([name, reports]) => ({
      name,
      steps: stepsOf(reports),
      values: iterationOf(reports, -1),
    }));
  const loss = all.map(([name, reports]) => ({
    name: all.length === 1 ? "loss" : name,
    steps: stepsOf(reports),
    values: reports.map(({ loss }) => loss),
  }));
  const [title, of] = all.length === 1
    ? [`Training of ${all[0][0]}`, "by the users' iteration"]
    : ["Training", "at the users' last iteration"];
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
  const last = curves.map(({ name, values }) =>
    `${name} ${values.findLast(Number.isFinite)?.toFixed(3) ?? "none"}`
  );
  return chartFigure({
    title,
    alt: `${title}: ${counted(curves.length, "line")} by step of training, ` +
      `the last ${last.join(", ")}`,
    names: curves.map(({ name }) => name),
    data: curves.map(({ name, steps, values }, i) => ({
      type: "scatter",
      mode: steps.length === 1 ? "markers" : "lines",
      name: plain(name),
      x: steps,
      y: values.map((value) => Number.isFinite(value) ? value : null),
      line: {
        color: seriesColor(i),
        width: 2,
        dash: ["solid", "dash", "dot", "dashdot"][i % 4],
      },
      marker: { color: seriesColor(i), size: 8 },
    })),
    xaxis: { title: "step" },
    yaxis: { title: yTitle, ...(tickformat && { tickformat }) },
  });
}
