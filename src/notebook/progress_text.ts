/** How far some work is. */
export interface ProgressState {
  /** What is being done. */
  readonly label: string;
  /** Items done. */
  readonly done: number;
  /** Items in all; unknown by default. */
  readonly total?: number;
  /** What an item is, in the plural, which defaults to "". */
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
