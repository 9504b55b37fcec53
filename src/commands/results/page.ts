/** A page of `data/results/`, and what every page says. */

import type { Now, Records } from "./record_tables.ts";

/** A page. */
export interface Page {
  readonly file: string;
  /** The studies that it needs. */
  readonly needs: readonly string[];
  /** The studies that it shows as well, once they have run. */
  readonly wants?: readonly string[];
  render(records: Records, now: Now): string;
}

const NOTE =
  "This page is written by `deno task results`. Intervals are 95 % bootstraps over patients (of cells: over images); p is Wilcoxon's signed-rank test over them, not corrected for several comparisons.";

/** Who uses the network, unless it is said otherwise. */
export const USER =
  "Each rater in turn is the user: one random click inside the own mask, then the nearest of four candidates; N = 48 samples, one seed, unless it is said otherwise.";

/** A page's text. */
export function pageOf(title: string, ...blocks: readonly string[]): string {
  return `${[`# ${title}`, NOTE, ...blocks].join("\n\n")}\n`;
}

/** What a kind of image is called, and whether `small` was trained on such. */
export const KINDS: Readonly<Record<string, string>> = {
  lidc: "lung nodules, CT",
  cells: "single cells, microscopy",
  nerves: "nerves, ultrasound",
  vessels: "vessels, ultrasound",
  hippocampus: "hippocampus, MR",
  qubiq: "brain growth, MR (never trained on)",
};
