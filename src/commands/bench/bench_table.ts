/** The benchmark's figures as tables. */

import type { Column, Table } from "../../table.ts";
import type { IterationTimes, Setting, SteadyTimes } from "./child.ts";
import type { ColdStart } from "./children.ts";

/** All measurements of one setting. */
export interface Measured {
  readonly setting: Setting;
  /** One per child process. */
  readonly steady: readonly SteadyTimes[];
  /** One per child process. */
  readonly cold: readonly ColdStart[];
}

/** Figures of one setting: milliseconds, seconds to the first proposal, MB. */
export interface Figures {
  readonly encode: readonly number[];
  readonly decode: readonly number[];
  readonly cluster: readonly number[];
  readonly update: readonly number[];
  readonly iteration: readonly number[];
  readonly compile: readonly number[];
  readonly firstProposal: readonly number[];
  readonly peak: readonly number[];
}

/** Every run's figures of a setting. */
export function figuresOf({ steady, cold }: Measured): Figures {
  const iterations = steady.flatMap(({ iterations }) => iterations);
  const part = (key: keyof IterationTimes) =>
    iterations.map((times) => times[key]);
  return {
    encode: steady.flatMap(({ encode }) => encode),
    decode: part("decode"),
    cluster: part("cluster"),
    update: part("update"),
    iteration: iterations.map(({ decode, cluster, update }) =>
      decode + cluster + update
    ),
    compile: steady.map(({ compile }) => compile),
    firstProposal: cold.map(({ firstProposal }) => firstProposal),
    peak: cold.map(({ peak }) => peak / 1e6),
  };
}

/** The middle value; of an even number, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[half]
    : (sorted[half - 1] + sorted[half]) / 2;
}

/** The columns: heading, figure, decimals. */
const COLUMNS: readonly [string, keyof Figures, number][] = [
  ["encode ms", "encode", 0],
  ["decode ms", "decode", 0],
  ["cluster ms", "cluster", 0],
  ["update ms", "update", 0],
  ["iteration ms", "iteration", 0],
  ["compile ms", "compile", 0],
  ["first proposal s", "firstProposal", 2],
  ["peak MB", "peak", 0],
];

/** One row per setting: the median of all runs, and the least in brackets. */
export function benchTable(measured: readonly Measured[]): Table {
  const right = (heading: string): Column => ({ heading, align: "right" });
  return {
    columns: [
      { heading: "engine" },
      { heading: "threads" },
      ...COLUMNS.map(([heading]) => right(heading)),
    ],
    rows: measured.map((each) => {
      const figures = figuresOf(each);
      const { engine, threads } = each.setting;
      return [
        engine,
        engine === "onnx" ? threads : 1,
        ...COLUMNS.map(([, key, digits]) => show(figures[key], digits)),
      ];
    }),
  };
}

function show(values: readonly number[], digits: number): string | undefined {
  if (values.length === 0) return undefined;
  const middle = median(values).toFixed(digits);
  return values.length === 1
    ? middle
    : `${middle} (${Math.min(...values).toFixed(digits)})`;
}

/** The targets of the module on two cores. */
const TARGETS: readonly [
  engine: string,
  threads: number,
  name: string,
  key: keyof Figures,
  below: number,
  unit: string,
][] = [
  ["onnx", 2, "encode", "encode", 100, "ms"],
  ["onnx", 2, "iteration", "iteration", 100, "ms"],
  ["onnx", 2, "first proposal", "firstProposal", 1.5, "s"],
  ["onnx", 2, "peak memory", "peak", 700, "MB"],
  ["wasm", 1, "iteration", "iteration", 600, "ms"],
];

/** Each target of the settings that were measured, by medians. */
export function targetsTable(measured: readonly Measured[]): Table {
  return {
    columns: [
      { heading: "target", align: "left" },
      { heading: "below", align: "right" },
      { heading: "median", align: "right" },
      { heading: "", align: "left" },
    ],
    rows: TARGETS.flatMap(([engine, threads, name, key, below, unit]) => {
      const found = measured.find(({ setting }) =>
        setting.engine === engine &&
        (engine !== "onnx" || setting.threads === threads)
      );
      if (!found) return [];
      const value = median(figuresOf(found)[key]);
      const digits = unit === "s" ? 2 : 0;
      const where = engine === "onnx"
        ? `${engine}, ${threads} threads`
        : engine;
      return [[
        `${where}: ${name}`,
        `${below} ${unit}`,
        `${value.toFixed(digits)} ${unit}`,
        value < below ? "met" : "missed",
      ]];
    }),
  };
}
