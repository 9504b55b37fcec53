import { join } from "node:path";
import {
  type Cell,
  type Column,
  csvText,
  type Table,
  textTable,
} from "../table.ts";
import { writeFileAtomic } from "../files.ts";
import type { Profile } from "../spa/profile.ts";
import type { AnnotationRecord } from "./annotation_record.ts";
import { htmlTable } from "../figures/report.ts";
import { escapeXML } from "../figures/svg.ts";

const JUPYTER_DISPLAY: unique symbol = Symbol.for("Jupyter.display") as never;
const INSPECT: unique symbol = Symbol.for("Deno.customInspect") as never;

/** What came of annotating images; a notebook and `console.log` show a table. */
export class AnnotationReport {
  /** The folder with masks, records, `profile.json` and `summary.csv`. */
  readonly out: string;
  /** How each image was annotated, in the images' order. */
  readonly records: readonly AnnotationRecord[];
  /** Ids of images whose reference is empty: nothing in them to click on. */
  readonly skipped: readonly string[];

  /** Images whose file could not be read, and why. */
  readonly broken: readonly { readonly id: string; readonly why: string }[];

  /** A report of finished images. */
  constructor(
    out: string,
    records: readonly AnnotationRecord[],
    skipped: readonly string[],
    broken: AnnotationReport["broken"] = [],
  ) {
    this.broken = broken;
    this.out = out;
    this.records = records;
    this.skipped = skipped;
  }

  /** The user's profile after the last image; none where all were skipped. */
  get profile(): Profile | undefined {
    return this.records.findLast(({ profile }) => profile)?.profile;
  }

  /** One row per image and, of several, their means. */
  table(): Table {
    const rows = this.records.map(measures);
    const mean = (k: number) => {
      const value = rows.reduce((sum, row) => sum + row[k], 0) / rows.length;
      return COLUMNS[k].digits === undefined
        ? Math.round(10 * value) / 10 // of counts: one decimal at most
        : value;
    };
    const means: Cell[] = ["mean", ...(rows[0] ?? []).map((_, k) => mean(k))];
    return {
      columns: [{ heading: "image" }, ...COLUMNS.slice(0, means.length - 1)],
      rows: [
        ...this.records.map((
          record,
          i,
        ): Cell[] => [nameOf(record), ...rows[i]]),
        ...(rows.length > 1 ? [means] : []),
      ],
    };
  }

  /** Writes the table, without its means, as `summary.csv`. */
  async writeSummary(): Promise<void> {
    const { columns } = this.table();
    const text = csvText([
      columns.map(({ heading }) => heading),
      ...this.records.map((record) => [nameOf(record), ...measures(record)]),
    ]);
    await writeFileAtomic(join(this.out, "summary.csv"), text);
  }

  /** The forms a notebook chooses from, by mime type. */
  [JUPYTER_DISPLAY](): Record<string, string> {
    return {
      "text/html": htmlTable(this.table()) +
        this.broken.map(({ id, why }) =>
          `<p>Passed over, not readable: ${escapeXML(`${id} (${why})`)}</p>`
        ).join(""),
      "text/plain": this.toString(),
    };
  }

  /** What `console.log` shows. */
  [INSPECT](): string {
    return this.toString();
  }

  /** The table and where the files are. */
  toString(): string {
    const skipped = this.skipped.length === 0
      ? ""
      : `\nskipped, reference empty: ${this.skipped.join(", ")}`;
    const broken = this.broken.map(({ id, why }) =>
      `\npassed over, not readable: ${id} (${why})`
    );
    return `${textTable(this.table())}${skipped}${
      broken.join("")
    }\nin ${this.out}`;
  }
}

/** An image's name, and its object's. */
function nameOf({ id, label }: AnnotationRecord): string {
  return label ? `${id}, ${label.name}` : id;
}

/** What the measures are; those without digits are counts. */
export const COLUMNS: readonly Column[] = [
  { heading: "seconds", digits: 1 },
  { heading: "iterations" },
  { heading: "choices" },
  { heading: "clicks" },
  { heading: "undone" },
  { heading: "first Dice", digits: 3 },
  { heading: "last Dice", digits: 3 },
];

/** A record's numbers in the order of `COLUMNS`; the last two where known. */
export function measures(
  { seconds, iterations, points, picks, dice }: AnnotationRecord,
): number[] {
  const count = (kind: string) =>
    picks.filter((picked) => picked.kind === kind).length;
  return [
    seconds,
    iterations,
    count("choose"),
    points.length + count("click") +
    picks.filter((picked) => picked.kind === "go" && picked.point).length,
    count("undo"),
    ...(dice ? [dice[0], dice[dice.length - 1]] : []),
  ];
}
