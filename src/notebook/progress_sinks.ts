/** Where progress is drawn: in a notebook, on a terminal, in a pipe. */

import { displayBundle, inKernel } from "./kernel.ts";
import {
  progressFacts,
  progressLine,
  type ProgressState,
  shareOf,
} from "./progress_text.ts";
import { escapeXML } from "../figures/svg.ts";
import { COLOR, SERIES } from "../figures/theme.ts";

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
