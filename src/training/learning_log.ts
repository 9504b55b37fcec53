/** A training run's learning curve as a CSV file that grows with the run. */

import { csvText } from "../table.ts";
import { ifThere, writeFileAtomic } from "../files.ts";
import type { TrainingReport } from "./tally.ts";
import { InputError } from "../input_error.ts";

/** The figures of every iteration. */
const PARTS = ["dice", "best", "spread"] as const;

/** Columns before those of the iterations. */
const FIRST = ["step", "steps", "loss", "steps_per_second"];

/** Most rows of a log that is read. */
const MOST_ROWS = 1e6;

/** The columns of a log of so many iterations. */
function headingsOf(iterations: number): string[] {
  const numbers = Array.from({ length: iterations }, (_, i) => i + 1);
  return [...FIRST, ...PARTS.flatMap((part) => numbers.map((i) => part + i))];
}

/** Reports as CSV: `step,steps,loss,steps_per_second,dice1,...,spread6`. */
export function learningCSV(reports: readonly TrainingReport[]): string {
  const count = Math.max(0, ...reports.map((r) => r.iterations.length));
  const cell = (value = NaN) => Number.isNaN(value) ? "" : value.toFixed(6);
  const rows = reports.map(({ step, steps, loss, rate, iterations }) => [
    ...[step, steps, cell(loss), cell(rate)],
    ...PARTS.flatMap((part) =>
      Array.from({ length: count }, (_, i) => cell(iterations[i]?.[part]))
    ),
  ]);
  return csvText([headingsOf(count), ...rows]);
}

/**
 * Reads the reports of a log.
 *
 * @returns None where there is no such file.
 * @throws {RangeError} When the file is another one.
 */
export async function readLearningLog(path: string): Promise<TrainingReport[]> {
  const text = await ifThere(Deno.readTextFile(path));
  if (text === undefined) return [];
  const [head, ...lines] = text.trimEnd().split("\n", MOST_ROWS);
  const count = (head.split(",").length - FIRST.length) / PARTS.length;
  const known = Number.isInteger(count) && count >= 0 &&
    head === headingsOf(count).join(",");
  const rows = lines.map((line) =>
    line.split(",").map((cell) => cell === "" ? NaN : Number(cell))
  );
  const width = FIRST.length + PARTS.length * count;
  const whole = rows.every((row) =>
    row.length === width && row.slice(0, FIRST.length).every(Number.isFinite)
  );
  if (!known || !whole) {
    throw new InputError(
      `Cannot read the learning curve as ${path} must be a log of deno task train: current value begins with ${
        JSON.stringify(text.slice(0, 60))
      }`,
    );
  }
  return rows.map(([step, steps, loss, rate, ...values]) => ({
    ...{ step, steps, loss, rate },
    iterations: Array.from({ length: count }, (_, i) => ({
      dice: values[i],
      best: values[count + i],
      spread: values[2 * count + i],
    })),
  }));
}

/**
 * Opens a log for the reports of a run. A run that resumes from a checkpoint
 * repeats some steps; their lines in the log are replaced.
 *
 * @param path The file; written to a temporary name and renamed.
 * @returns The function to call with every report.
 * @throws {RangeError} When there is such a file, and it is no log.
 */
export async function openLearningLog(
  path: string,
): Promise<(report: TrainingReport) => Promise<void>> {
  let reports = await readLearningLog(path);
  return async (report) => {
    reports = [...reports.filter(({ step }) => step < report.step), report];
    await writeFileAtomic(path, learningCSV(reports));
  };
}
