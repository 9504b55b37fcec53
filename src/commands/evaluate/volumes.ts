/** `deno task evaluate --volumes`: simulated users align volumes. */

import { join } from "node:path";
import ndarray from "ndarray";
import { contiguous } from "../../arrays/contiguous.ts";
import { useEngine } from "../../engine/engine.ts";
import {
  bootstrapInterval,
  formatInterval,
  mean,
  wilcoxonSignedRank,
} from "../../evaluation/statistics.ts";
import { checkTarget, ifThere, writeFileAtomic } from "../../files.ts";
import { readVolume } from "../../formats/volume.ts";
import { fingerprint } from "../../model/fingerprint.ts";
import { loadModel } from "../../notebook/load_model.ts";
import { ProgressBar } from "../../notebook/progress.ts";
import {
  PHANTOM_VOLUME_KINDS,
  PHANTOM_VOLUME_RATERS,
  phantomVolume,
} from "../../phantoms/phantom_volume.ts";
import { markdownTable, type Table, textTable } from "../../table.ts";
import {
  alignVolume,
  VOLUME_METHODS,
  type VolumeMethod,
  type VolumeResult,
  type VolumeTarget,
} from "../../volumes/align_volume.ts";
import {
  type Command,
  CommandLine,
  ENGINE,
  MODEL,
  readThreads,
  SAMPLES,
  SEEDS,
  SPLITS,
  THREADS,
} from "../command_line.ts";

/** `deno task evaluate --volumes`. */
export const VOLUMES: Command = {
  action: "evaluate volumes",
  usage: [
    "deno task evaluate --volumes --data FOLDER [options]",
    "deno task evaluate --volumes --phantoms N [options]",
  ],
  about:
    `Simulated users align whole volumes: one random click in the object's middle slice, the nearest candidate again and again, a walk through the other slices, and a look where the session suggests one. Prints Dice of the volume, surface Dice and HD95 after so many picks in all, for three methods: walks that carry the user's profile, walks that carry the mask alone, and every k-th slice aligned by itself with interpolation between them.

A folder has one folder per volume, with image.nii.gz and rater1.nii.gz; any label is inside.`,
  options: {
    "Volumes": {
      volumes: { help: "volumes, not images" },
      data: { value: "FOLDER", help: "volumes with masks" },
      split: { words: SPLITS, default: "val", help: "where there is one" },
      phantoms: {
        value: "N",
        min: 1,
        max: 1000,
        help: "N phantom volumes of each kind, with each of four raters",
      },
      every: {
        value: "N",
        min: 1,
        max: 1e6,
        default: 1,
        help: "every N-th volume only",
      },
    },
    "Method": {
      model: MODEL,
      methods: {
        value: "A,B,..",
        default: VOLUME_METHODS.join(","),
        help: "profile, mask, interpolation",
      },
      picks: {
        value: "A,B,..",
        default: "3,6,10",
        help: "picks in all after which the mask is measured, rising",
      },
      tolerance: {
        value: "MM",
        min: 0,
        max: 1000,
        default: 1,
        help: "of surface Dice",
      },
      samples: SAMPLES,
      seed: { ...SEEDS, default: 0, help: "of clicks and samples" },
      engine: ENGINE,
      threads: THREADS,
    },
    "Files": {
      out: {
        value: "FILE",
        repeated: true,
        help:
          ".json: everything, written after every volume; the same command again goes on where it was killed. .md: the tables",
      },
    },
  },
};

/** Everything of an evaluation of volumes. */
interface SavedVolumes {
  readonly format: "spa-volume-evaluation";
  readonly version: 1;
  /** The settings; results of different settings are never mixed. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly engine: string;
  readonly done: readonly VolumeRecord[];
}

/** The result of one method on one target. */
interface VolumeRecord {
  readonly volume: string;
  readonly rater: string;
  readonly method: VolumeMethod;
  readonly results: readonly VolumeResult[];
}

/** A target that is read when its turn comes. */
interface Job {
  readonly volume: string;
  readonly rater: string;
  readonly read: () => Promise<VolumeTarget>;
}

/** Runs the command. */
export async function volumesCommand(args: readonly string[]): Promise<void> {
  const line = new CommandLine(VOLUMES, args);
  if (line.help) return console.log(line.help);
  const outs = line.texts("out");
  for (const path of outs) {
    await checkTarget(path);
    if (/\.(json|md)$/.test(path)) continue;
    throw line.refuse("--out must end in .json or .md", path);
  }
  const methods = readMethods(line), picks = readPicks(line);
  const jobs = await readJobs(line);
  const engine = await useEngine(
    line.oneOf("engine", ENGINE.words),
    readThreads(line),
  );
  using model = await loadModel(line.text("model"));
  const options = {
    picks,
    tolerance: line.number("tolerance"),
    samples: line.integer("samples"),
    seed: line.integer("seed"),
  };
  const file = outs.find((path) => path.endsWith(".json"));
  let saved = await resume(line, file, {
    format: "spa-volume-evaluation",
    version: 1,
    settings: {
      data: line.has("data") ? line.text("data") : "phantoms",
      ...options,
      model: fingerprint(model),
    },
    engine: `${engine.name}, ${engine.threads} threads`,
    done: [],
  });
  const known = new Set(saved.done.map(nameOf));
  const left = jobs.flatMap((job) =>
    methods.map((method) => ({ ...job, method }))
  ).filter((job) => !known.has(nameOf(job)));
  const bar = new ProgressBar({ label: "Aligning", total: left.length });
  for (const [i, { volume, rater, method, read }] of left.entries()) {
    const results = await alignVolume(model, await read(), {
      ...options,
      method,
    });
    const record = { volume, rater, method, results };
    saved = { ...saved, done: [...saved.done, record] };
    if (file) await writeFileAtomic(file, JSON.stringify(saved));
    bar.update(i + 1, { note: `${volume} ${method}` });
  }
  bar.finish();
  const asked = new Set(jobs.map(({ volume }) => volume));
  const records = saved.done.filter(({ volume, method }) =>
    asked.has(volume) && methods.includes(method)
  );
  const tables = [
    volumesTable(records, methods, picks),
    ...(methods.length > 1 ? [differencesTable(records, methods, picks)] : []),
  ];
  console.log(tables.map(textTable).join("\n\n"));
  for (const path of outs) {
    if (!path.endsWith(".md")) continue;
    const text = tables.map(markdownTable).join("\n\n");
    await writeFileAtomic(path, text + "\n");
  }
}

function nameOf(
  { volume, rater, method }: Pick<VolumeRecord, "volume" | "rater" | "method">,
): string {
  return JSON.stringify([volume, rater, method]);
}

function readMethods(line: CommandLine): VolumeMethod[] {
  const text = line.text("methods")!;
  const words = text.split(",");
  const found = VOLUME_METHODS.filter((method) => words.includes(method));
  if (found.length === words.length) return found;
  throw line.refuse(
    `--methods must be some of ${VOLUME_METHODS.join(", ")}`,
    text,
  );
}

function readPicks(line: CommandLine): number[] {
  const text = line.text("picks")!;
  const picks = text.split(",").map(Number);
  const rising = picks.every((count, i) =>
    Number.isInteger(count) && count > (picks[i - 1] ?? 0) && count <= 1000
  );
  if (rising) return picks;
  throw line.refuse("--picks must be rising whole numbers above 0", text);
}

async function readJobs(line: CommandLine): Promise<Job[]> {
  const folder = line.text("data");
  if ((folder !== undefined) === line.has("phantoms")) {
    throw line.refuse(
      "either --data or --phantoms must be given",
      folder === undefined ? "none" : "both",
    );
  }
  const every = line.integer("every");
  const jobs = folder === undefined
    ? phantomJobs(line.integer("phantoms"))
    : await folderJobs(line, folder);
  const names = [...new Set(jobs.map(({ volume }) => volume))]
    .filter((_, i) => i % every === 0);
  return jobs.filter(({ volume }) => names.includes(volume));
}

function phantomJobs(count: number): Job[] {
  return PHANTOM_VOLUME_KINDS.flatMap((kind) =>
    Array.from(
      { length: count },
      (_, seed) =>
        PHANTOM_VOLUME_RATERS.map((rater): Job => ({
          volume: `${kind} ${seed}`,
          rater,
          // deno-lint-ignore require-await -- as a file is read
          read: async () => {
            const { volume, masks } = phantomVolume({ kind, seed });
            return { volume, truth: masks[rater] };
          },
        })),
    ).flat()
  );
}

async function folderJobs(line: CommandLine, folder: string): Promise<Job[]> {
  const split = join(folder, line.text("split")!);
  const divided = await Deno.stat(split).then(() => true, () => false);
  const root = divided ? split : folder;
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(root)) {
    if (isDirectory) names.push(name);
  }
  if (names.length === 0) {
    throw line.refuse("--data must have a folder per volume", root);
  }
  return names.sort().map((name) => ({
    volume: name,
    rater: "rater1",
    read: async () => {
      const volume = await readVolume(join(root, name, "image.nii.gz"));
      const { values } = await readVolume(join(root, name, "rater1.nii.gz"));
      const { data } = contiguous(values.pick(null, null, null, 0));
      const inside = Uint8Array.from(data, (label) => label > 0 ? 1 : 0);
      return { volume, truth: ndarray(inside, values.shape.slice(0, 3)) };
    },
  }));
}

/** The results so far. */
async function resume(
  line: CommandLine,
  path: string | undefined,
  asked: SavedVolumes,
): Promise<SavedVolumes> {
  const text = path && await ifThere(Deno.readTextFile(path));
  if (!text) return asked;
  let found: Partial<SavedVolumes>;
  try {
    found = JSON.parse(text);
  } catch {
    found = {};
  }
  const same = found?.format === asked.format && found.version === 1 &&
    JSON.stringify(found.settings) === JSON.stringify(asked.settings);
  if (same) return { ...asked, done: found.done ?? [] };
  throw line.refuse(
    "--out must name a new file, or one of the same data and settings",
    path,
  );
}

const FIGURES = [
  { heading: "Dice", digits: 3, of: ({ dice }: VolumeResult) => dice },
  {
    heading: "surface Dice",
    digits: 3,
    of: ({ surfaceDice }: VolumeResult) => surfaceDice,
  },
  { heading: "HD95 (mm)", digits: 2, of: ({ hd95 }: VolumeResult) => hd95 },
];

/**
 * The means of every method and number of picks, with intervals over volumes.
 */
export function volumesTable(
  records: readonly VolumeRecord[],
  methods: readonly VolumeMethod[],
  picks: readonly number[],
): Table {
  return {
    columns: [
      { heading: "method" },
      { heading: "picks" },
      ...FIGURES.flatMap(({ heading, digits }) => [
        { heading, digits },
        { heading: "95 % interval" },
      ]),
      { heading: "Dice, first slice", digits: 3 },
      { heading: "slices", digits: 1 },
      { heading: "seconds", digits: 1 },
      { heading: "targets" },
    ],
    rows: methods.flatMap((method) =>
      picks.map((count, i) => {
        const own = records.filter((record) => record.method === method);
        const averaged = (of: (result: VolumeResult) => number) =>
          mean(own.map(({ results }) => of(results[i])));
        return [
          method,
          count,
          ...FIGURES.flatMap(({ of, digits }) => {
            const groups = byVolume(own, ({ results }) => of(results[i]));
            return [
              mean(groups.flat()),
              formatInterval(bootstrapInterval(groups, 0), digits),
            ];
          }),
          ...[averaged(({ first }) => first), averaged(({ slices }) => slices)],
          ...[averaged(({ seconds }) => seconds), own.length],
        ];
      })
    ),
  };
}

/**
 * The Dice of the first method minus that of each other one, on the same
 * targets.
 */
export function differencesTable(
  records: readonly VolumeRecord[],
  [first, ...others]: readonly VolumeMethod[],
  picks: readonly number[],
): Table {
  const find = ({ volume, rater }: VolumeRecord, method: VolumeMethod) =>
    records.find((other) =>
      nameOf(other) === nameOf({ volume, rater, method })
    );
  return {
    columns: [
      { heading: `${first} less` },
      { heading: "picks" },
      { heading: "Dice", digits: 3 },
      { heading: "95 % interval" },
      { heading: "p", digits: 4 },
      { heading: "volumes" },
    ],
    rows: others.flatMap((method) =>
      picks.map((count, i) => {
        const own = records.filter((record) => record.method === first);
        const groups = byVolume(own, (record) => {
          const other = find(record, method);
          return other && record.results[i].dice - other.results[i].dice;
        });
        return [
          method,
          count,
          mean(groups.flat()),
          formatInterval(bootstrapInterval(groups, 0)),
          wilcoxonSignedRank(groups.map(mean)),
          groups.length,
        ];
      })
    ),
  };
}

/** A value of every record that has it, grouped by volume. */
function byVolume(
  records: readonly VolumeRecord[],
  valueOf: (record: VolumeRecord) => number | undefined,
): number[][] {
  const groups = new Map<string, number[]>();
  for (const record of records) {
    const value = valueOf(record);
    if (value === undefined) continue;
    groups.set(record.volume, [...groups.get(record.volume) ?? [], value]);
  }
  return [...groups.values()];
}
