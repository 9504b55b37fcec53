/**
 * One updating bar for whatever takes more than a second: in a notebook's
 * output, on a terminal, or, where a pipe or a file reads, as a few lines.
 *
 * @module
 */

import type { LoadModelOptions } from "../checkpoints/load_model.ts";
import type { EvaluateOptions } from "../evaluation/evaluate.ts";
import { COLOR, escapeXML, SERIES } from "../figures/svg.ts";
import type { TrainOptions } from "../training/recipe.ts";
import { displayBundle, inKernel } from "./kernel.ts";

/** Options of a {@linkcode ProgressBar}. */
export interface ProgressOptions {
  /** What is being done, as "Training". */
  label: string;
  /** Items in all; unknown by default. */
  total?: number;
  /** What an item is, in the plural; nothing by default. */
  unit?: string;
  /** Where it is drawn. Default: where this program runs. */
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
 * @param label The words before the bar. Default: "Training".
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
 * @param label The words before the bar. Default: "Evaluating".
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

/** Where progress is drawn: in a notebook, on a terminal, in a pipe. */

/** Where a bar is drawn; it must not throw. */
export interface ProgressSink {
  /** Seconds between two pictures, at least. */
  readonly interval: number;
  /** Draws a state; the first and the last one as well. */
  draw(state: ProgressState): void;
}

/** The sink of this program: a notebook, a terminal, or a pipe. */
export function defaultSink(): ProgressSink {
  if (inKernel()) return notebookSink();
  return onTerminal() ? terminalSink() : lineSink();
}

/** Whether somebody may be looking: a notebook or a terminal shows what is drawn. */
export function isWatched(): boolean {
  return inKernel() || onTerminal();
}

function onTerminal(): boolean {
  try {
    return Deno.stderr.isTerminal();
  } catch { // closed: what is written goes nowhere
    return false;
  }
}

/** An output of the cell that updates in place. */
export function notebookSink(): ProgressSink {
  const id = `spa-progress-${crypto.randomUUID()}`;
  let update = false;
  return {
    interval: 0.2,
    draw(state) {
      const bundle = {
        "text/html": progressHTML(state),
        "text/plain": progressLine(state),
      };
      displayBundle(bundle, { id, update }).catch(() => {});
      update = true;
    },
  };
}

function progressHTML(state: ProgressState): string {
  const share = shareOf(state) ?? (state.finished ? 1 : undefined);
  const facts = escapeXML(progressFacts(state));
  const bar = share === undefined
    ? ""
    : `<div style="height:6px;margin:4px 0;` +
      `max-width:560px;border-radius:3px;background:${COLOR.rule}">` +
      `<div style="height:6px;border-radius:3px;width:${
        (100 * share).toFixed(1)
      }%;background:${SERIES[0]}"></div></div>`;
  return `<div><b>${escapeXML(state.label)}</b>${bar}` +
    `<span style="font-variant-numeric:tabular-nums">${
      bar ? facts : `: ${facts}`
    }</span></div>`;
}

/** One line of the terminal, written over again and again. */
export function terminalSink(
  write: (text: string) => void = writeError,
  columns: () => number = terminalColumns,
): ProgressSink {
  return {
    interval: 0.1,
    draw(state) {
      const line = progressLine(state, columns());
      write(`\r${line}\x1b[K${state.finished ? "\n" : ""}`);
    },
  };
}

/** A line for every tenth, and for the end. */
export function lineSink(
  write: (text: string) => void = writeError,
): ProgressSink {
  let next = 0;
  return {
    interval: 2,
    draw(state) {
      const share = shareOf(state) ?? 0;
      if (!state.finished && (share < next || share === 1)) return;
      next = Math.floor(10 * share + 1) / 10;
      write(`${progressLine(state)}\n`);
    },
  };
}

/** Writes to standard error; where it is closed, nowhere. */
function writeError(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch { /* nobody reads it */ }
}

function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 80;
  }
}

/** How far some work is. */
export interface ProgressState {
  /** What is being done. */
  readonly label: string;
  /** Items done. */
  readonly done: number;
  /** Items in all; unknown by default. */
  readonly total?: number;
  /** What an item is, in the plural. Default: "". */
  readonly unit?: string;
  /** Items per second, where known. */
  readonly rate?: number;
  /** Seconds since the start. */
  readonly seconds: number;
  /** What else is worth knowing, as "loss 0.12". */
  readonly note?: string;
  /** Whether nothing more will come. */
  readonly finished: boolean;
}

/** A time span, in at most two units: "9 s", "3 min 05 s", "2 h 10 min". */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.floor(whole / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** The share that is done, 0..1; undefined where the total is not known. */
export function shareOf({ done, total }: ProgressState): number | undefined {
  return total ? Math.min(1, Math.max(0, done / total)) : undefined;
}

/** The facts of a progress, without label and bar. */
export function progressFacts(state: ProgressState): string {
  const { done, total, unit = "", rate, seconds, note, finished } = state;
  const items = total
    ? `${done} of ${total}${unit && ` ${unit}`}`
    : done > 0
    ? `${done}${unit && ` ${unit}`}`
    : "";
  const known = rate !== undefined && rate > 0 && Number.isFinite(rate);
  const left = known && total && !finished
    ? `${formatSeconds((total - done) / rate)} left`
    : "";
  return [
    items,
    known ? formatRate(rate, unit) : "",
    left || formatSeconds(seconds),
    note ?? "",
  ].filter(Boolean).join(", ");
}

/** A rate in the unit that makes it more than one. */
function formatRate(rate: number, unit: string): string {
  if (rate >= 0.995) return `${rate.toPrecision(3)}${unit && ` ${unit}`}/s`;
  return `${(1 / rate).toPrecision(2)} s each`;
}

/** One line of text, shortened to a terminal's columns. */
export function progressLine(state: ProgressState, columns = Infinity): string {
  const share = shareOf(state);
  const bar = share === undefined || columns === Infinity
    ? ""
    : ` [${"#".repeat(Math.round(20 * share)).padEnd(20, ".")}]`;
  const line = `${state.label}${bar}: ${progressFacts(state)}`
    .replaceAll(/\s+/g, " ");
  return [...line].slice(0, columns - 1).join("");
}
