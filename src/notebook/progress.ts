/**
 * One updating bar for whatever takes more than a second: in a notebook's
 * output, on a terminal, or, where a pipe or a file reads, as a few lines.
 *
 * @module
 */

import type { LoadModelOptions } from "../checkpoints/load_model.ts";
import type { EvaluateOptions } from "../evaluation/evaluate.ts";
import type { TrainOptions } from "../training/train.ts";
import { defaultSink, type ProgressSink } from "./progress_sinks.ts";
import type { ProgressState } from "./progress_text.ts";

/** Options of a {@linkcode ProgressBar}. */
export interface ProgressOptions {
  /** What is being done, as "Training". */
  label: string;
  /** Items in all; unknown by default. */
  total?: number;
  /** What an item is, in the plural; nothing by default. */
  unit?: string;
  /** Where it is drawn, which defaults to where this program runs. */
  sink?: ProgressSink;
}

/** Seconds of work that are not worth a bar. */
const QUIET = 1;

/**
 * A bar that shows itself once the work has taken a second.
 *
 * @example Over a list of files
 * ```ts ignore
 * const bar = new ProgressBar({ label: "Reading", total: files.length });
 * for (const [i, file] of files.entries()) {
 *   await read(file);
 *   bar.update(i + 1);
 * }
 * bar.finish();
 * ```
 */
export class ProgressBar {
  readonly #options: ProgressOptions;
  readonly #sink: ProgressSink;
  readonly #start = performance.now();
  #state: ProgressState;
  #drawnAt = -Infinity;

  /** The clock begins to run. */
  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#sink = options.sink ?? defaultSink();
    const { label, total, unit } = options;
    this.#state = { label, total, unit, done: 0, seconds: 0, finished: false };
  }

  /**
   * Says how far the work is. Cheap: it draws only so often.
   *
   * @param done Items done.
   * @param more A note such as "loss 0.12"; the total, where it was not known;
   * items per second, which default to the mean since the start.
   */
  update(
    done: number,
    { note, total, rate }: { note?: string; total?: number; rate?: number } =
      {},
  ): void {
    const seconds = (performance.now() - this.#start) / 1000;
    this.#state = {
      ...this.#state,
      done,
      seconds,
      total: total ?? this.#state.total,
      rate: rate ?? (done > 0 ? done / seconds : undefined),
      note: note ?? this.#state.note,
    };
    if (seconds < QUIET) return;
    if (seconds - this.#drawnAt < this.#sink.interval) return;
    this.#draw();
  }

  /** Shows the last state for good; a second time does nothing. */
  finish(): void {
    if (this.#state.finished) return;
    const seconds = (performance.now() - this.#start) / 1000;
    this.#state = { ...this.#state, seconds, finished: true };
    if (seconds >= QUIET) this.#draw();
  }

  #draw(): void {
    this.#drawnAt = this.#state.seconds;
    this.#sink.draw(this.#state);
  }
}

/** What the phases of a load are called, and a megabyte's bytes. */
const PHASES = { download: "Downloading", read: "Reading" } as const;
const MEGABYTE = 1e6;

/**
 * Bars for `loadModel`, wherever this program runs: one for the download, one
 * for reading the file. In a notebook and on a terminal it has them anyway.
 *
 * @example Lines in a log
 * ```ts ignore
 * const model = await loadModel(url, loadingProgress());
 * ```
 */
export function loadingProgress(): Required<
  Pick<LoadModelOptions, "onProgress">
> {
  const { onProgress } = loadingBars();
  return { onProgress };
}

/** The same, and what ends the last bar where loading failed. */
export function loadingBars(): ReturnType<typeof loadingProgress> & {
  finish(): void;
} {
  let bar: ProgressBar | undefined;
  let current: string | undefined;
  const megabytes = (bytes: number) => Math.ceil(bytes / MEGABYTE);
  return {
    onProgress({ phase, bytes, total }) {
      if (phase !== current) {
        bar?.finish();
        bar = new ProgressBar({ label: PHASES[phase], unit: "MB" });
        current = phase;
      }
      bar!.update(megabytes(bytes), { total: total && megabytes(total) });
      if (bytes === total) bar!.finish();
    },
    finish: () => bar?.finish(),
  };
}

/**
 * A bar for `train`, with the loss and the Dice of the last iteration.
 *
 * @param label Which defaults to "Training".
 *
 * @example Training with a bar
 * ```ts ignore
 * const weights = await train(config, cases, recipe, { ...trainingProgress() });
 * ```
 */
export function trainingProgress(
  label = "Training",
): Required<Pick<TrainOptions, "onReport" | "reportEvery">> {
  const bar = new ProgressBar({ label, unit: "steps" });
  return {
    reportEvery: 10,
    onReport({ step, steps, loss, iterations, rate }) {
      const dice = iterations.at(-1)?.dice;
      const note = `loss ${loss.toFixed(4)}` +
        (dice === undefined ? "" : `, Dice ${dice.toFixed(3)}`);
      bar.update(step, { total: steps, rate, note });
      if (step === steps) bar.finish();
    },
  };
}

/**
 * A bar for `evaluate`, with the mean Dice of the last iteration so far.
 *
 * @param label Which defaults to "Evaluating".
 *
 * @example Evaluating with a bar
 * ```ts ignore
 * const results = await evaluate(model, dataset, { ...evaluationProgress() });
 * ```
 */
export function evaluationProgress(
  label = "Evaluating",
): Required<Pick<EvaluateOptions, "onTarget">> {
  const bar = new ProgressBar({ label, unit: "targets" });
  let sum = 0;
  return {
    onTarget(done, total, { iterations }) {
      sum += iterations.at(-1)?.dice ?? NaN;
      bar.update(done, { total, note: `Dice ${(sum / done).toFixed(3)}` });
      if (done === total) bar.finish();
    },
  };
}

/**
 * Shows that something is going on while a promise is pending, as a model that
 * is loading or a program that is compiling.
 *
 * @param label What is being done.
 * @param work The promise.
 * @returns What it resolves to.
 *
 * @example Loading with a bar
 * ```ts ignore
 * const model = await withProgress("Loading", loadModel(url));
 * ```
 */
export async function withProgress<T>(
  label: string,
  work: Promise<T>,
): Promise<T> {
  const bar = new ProgressBar({ label });
  const timer = setInterval(() => bar.update(0), 500);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    bar.finish();
  }
}
