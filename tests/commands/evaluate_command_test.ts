import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import {
  readEvaluation,
  runsOf,
  type SavedEvaluation,
} from "../../src/evaluation/saved_evaluation.ts";
import { withoutTimes } from "../helpers/evaluation_results.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const COMMAND = ["run", "-A", "src/commands/evaluate/main.ts"];
const QUICK = [
  ...["--data", "data/phantoms", "--every", "2", "--threads", "1"],
  ...["--iterations", "2", "--samples", "8"],
];

/** Runs `deno task evaluate`. */
async function evaluate(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...COMMAND, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** What was printed, but for seconds per iteration and milliseconds. */
const untimed = (printed: string) =>
  printed.replace(/\d+\.\d+ s per/, "_ s per")
    .replaceAll(/^(\| \d \| .*\|) \d+ \|$/gm, "$1 _ |")
    .replaceAll(/^(\| \d\.\d\d \|) \d+ \|/gm, "$1 _ |");

const folder = await temporaryFolder();
const file = (name: string) => join(folder, name);
const tables = ["--targets", "0.8,0.9", "--samples-metrics"];
const whole = await evaluate(
  ...[...QUICK, ...tables, "--out", file("whole.json")],
  ...["--out", file("whole.md"), "--out", file("whole.csv")],
);

Deno.test("evaluate prints all tables that its results hold and writes them", async () => {
  assert.equal(whole.code, 0, whole.stderr);
  const [heading, ...rest] = whole.stdout.split("\n\n");
  assert.match(
    heading,
    /^phantoms: 4 cases, 20 targets; each rater in turn, nearest user; regions found from the start; [\d.]+ s per iteration; \w+, 1 threads$/,
  );
  assert.deepEqual(rest.filter((part) => part.startsWith("#")), [
    "## Dice by iteration",
    "## IoU and HD95 by iteration",
    "## Dice by the object's size",
    "## What each interaction gave",
    "## Where the network looked",
    "## Iterations to a Dice",
    "## The user's own mask and the others'",
    "## Samples of the first proposal",
    "## What the components mean",
  ]);
  assert.equal(rest.filter((part) => part.startsWith("|")).length, 9);
  const markdown = await Deno.readTextFile(file("whole.md"));
  assert.equal(markdown, `${rest.join("\n\n")}\n`);
  const rows = (await Deno.readTextFile(file("whole.csv"))).trim().split("\n");
  assert.equal(rows.length, 1 + 20 * 2);
});

Deno.test("the merged report of shards is that of one run", async () => {
  const parts = [1, 2, 3].map((i) => file(`part${i}.json`));
  for (const [i, part] of parts.entries()) {
    const { code, stderr } = await evaluate(
      ...[...QUICK, ...tables, "--shard", `${i + 1}/3`, "--out", part],
    );
    assert.equal(code, 0, stderr);
    if (i > 0) continue;
    const early = await evaluate("merge", part);
    assert.match(early.stderr, /^Cannot merge as every case must be in one/);
  }
  const merged = await evaluate("merge", ...parts, "--out", file("all.json"));
  assert.equal(untimed(merged.stdout), untimed(whole.stdout));
  assert.deepEqual(
    withoutTimes(await readEvaluation(file("all.json"))),
    withoutTimes(await readEvaluation(file("whole.json"))),
  );
});

Deno.test("merge makes other tables of a whole run", async () => {
  const { stdout, stderr } = await evaluate(
    ...["merge", file("whole.json"), "--targets", "0.4"],
  );
  assert.match(
    stdout,
    /\| 0.4 \| 1.00 \| 1.00..1.00 \| 0.0 % \| 20 \| 2 \|/,
    stderr,
  );
});

Deno.test("merge makes a report with figures of a whole run, and pictures", async () => {
  const outs = ["html", "svg", "png"].map((ending) => file(`whole.${ending}`));
  const { code, stderr } = await evaluate(
    ...["merge", file("whole.json"), ...outs.flatMap((out) => ["--out", out])],
  );
  assert.equal(code, 0, stderr);
  const html = await Deno.readTextFile(outs[0]);
  const headings = [...html.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, text]) =>
    text
  );
  assert.deepEqual(headings, [
    "Dice by iteration",
    "IoU and HD95 by iteration",
    "Dice by the object's size",
    "What each interaction gave",
    "Where the network looked",
    "Iterations to a Dice",
    "The user's own mask and the others'",
    "Samples of the first proposal",
    "What the components mean",
  ]);
  assert.equal(html.match(/<table>/g)!.length, 9);
  assert.equal(html.match(/<img /g)!.length, 4);
  assert.ok(html.includes("<h1>Evaluation on phantoms</h1>"));
  const svg = await Deno.readTextFile(outs[1]);
  for (
    const title of [
      "20 targets of 4 cases",
      "Iterations to a Dice",
      "each rater",
    ]
  ) {
    assert.ok(svg.includes(title), title);
  }
  const { width, height } = await sharp(outs[2]).metadata();
  assert.equal(width, 1800);
  assert.ok(height! > 2 * 3 * 400);
});

/** The rows of the printed tables, without headings. */
function rowsOf(printed: string): string[][][] {
  const tables = printed.split("\n\n").filter((part) => part.startsWith("|"));
  return tables.map((table) =>
    table.split("\n").slice(2).map((row) => row.slice(2, -2).split(" | "))
  );
}

for (
  const [args, tables] of [
    [["--ablation"], [
      ["none", "moments", "weights", "both"],
      ["none", "moments", "weights", "both"], // IoU and HD95
      ["none", "none", "moments", "none", "moments", "weights"],
    ]],
    [["--carry"], [["1", "2"]]],
    [["--include", "strict,smooth,strict"], [[
      ...["generous", "smooth", "strict", "with_part", "without_part"],
      ...["all included", "all excluded"],
    ]]],
  ] as const
) {
  const wanted = {
    "--ablation": ["Dice by iteration", "IoU and HD95", "Paired differences"],
    "--carry": ["A user's profile"],
    "--include": ["Raters in the target"],
  }[args[0]];
  Deno.test(`evaluate ${args.join(" ")} prints its rows`, async () => {
    const { stdout, stderr } = await evaluate(
      ...QUICK,
      "--every",
      "4",
      ...args,
    );
    const parts = stdout.split("\n## ").filter((part) =>
      wanted.some((heading) => part.startsWith(heading))
    );
    const found = parts.flatMap((part) => rowsOf(part.trim()));
    assert.deepEqual(
      found.map((rows) => rows.map(([first]) => first)),
      tables,
      `${stdout}${stderr}`,
    );
    // a target of the second case has a profile, one of both a pair
    const targets = { "--ablation": "10", "--carry": "5", "--include": "2" };
    assert.equal(found.at(-1)![0].at(-1), targets[args[0]]);
  });
}

Deno.test("evaluate --mixture-only tells what the mixture's update does by itself", async () => {
  const { stdout, stderr } = await evaluate(
    ...["--data", "data/phantoms", "--every", "4", "--threads", "1"],
    ...["--iterations", "2", "--ablation", "--mixture-only"],
    ...["--rule", "m-step"],
  );
  assert.match(
    stdout,
    /nearest user; regions found from the start; training-free updates; the mixture alone carries choices; /,
    stderr,
  );
  const [none, , , both] = rowsOf(stdout)[0].map(([, first, second]) =>
    Number(second) - Number(first)
  );
  assert.ok(Math.abs(none) < 0.005, `${none}`); // other samples, no choice
  assert.ok(both > 0.01, `${both}`);
});

Deno.test("compare pairs the targets of two evaluations", async () => {
  const random = await evaluate(
    ...[...QUICK, "--user", "random", "--out", file("random.json")],
  );
  assert.equal(random.code, 0, random.stderr);
  const [dices, overlaps] = rowsOf(random.stdout);
  assert.deepEqual([dices, overlaps].map((rows) => rows.length), [2, 2]);
  assert.match(random.stdout, /\| iteration \| IoU .* \| HD95 \(px\) \|/);
  const { stdout } = await evaluate(
    ...["compare", file("random.json"), file("whole.json")],
    ...["--targets", "0.8", "--out", file("both.csv")],
    ...["--out", file("both.html")],
  );
  const tables = rowsOf(stdout);
  assert.deepEqual(tables.map((rows) => rows.map((row) => row[0])), [
    ["random", "whole"], // Dice by iteration
    ["random", "whole"], // IoU and HD95
    ["random"], // paired at the first
    ["random"], // and the last
    ["random", "whole"], // seconds per iteration
    ["random", "whole"], // iterations to 0.8
    ["random"], // and how many fewer
  ]);
  // the same clicks and samples until the first choice
  const [[one, other, start, same, ...rest]] = tables[2];
  assert.deepEqual([one, other, start], ["random", "whole", same]);
  assert.deepEqual(rest, ["0.0000", "0.0000..0.0000", "1.0000", "20"]);
  const gain = Number(tables[3][0][4]);
  assert.ok(gain > 0.01, `the nearest candidate is no better: ${gain}`);
  const rows = (await Deno.readTextFile(file("both.csv"))).trim().split("\n");
  assert.equal(rows.length, 1 + 2 * 20 * 2);
  const html = await Deno.readTextFile(file("both.html"));
  assert.equal(html.match(/<table>/g)!.length, 7);
  assert.equal(html.match(/<img /g)!.length, 3);
});

Deno.test("an evaluation that is killed goes on where it was", async () => {
  const path = file("killed.json");
  const args = [...QUICK, ...tables, "--out", path];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...COMMAND, ...args],
    stdout: "null",
    stderr: "null",
  }).spawn();
  let before: SavedEvaluation | undefined;
  let ended = false;
  child.status.then(() => ended = true);
  while (!ended && !(before && before.done.both.length >= 2)) { // readable all the while
    await new Promise((resolve) => setTimeout(resolve, 5));
    before = await readEvaluation(path).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
  }
  child.kill("SIGKILL");
  assert.equal((await child.status).signal, "SIGKILL");
  before = await readEvaluation(path);
  assert.ok(before.done.both.length < 4, "it was done before it was killed");

  const again = await evaluate(...args);
  assert.equal(untimed(again.stdout), untimed(whole.stdout));
  const after = await readEvaluation(path);
  assert.deepEqual( // the cases that were done are kept, times and all
    after.done.both.slice(0, before.done.both.length),
    before.done.both,
  );
  assert.deepEqual(
    withoutTimes(runsOf(after)),
    withoutTimes(runsOf(await readEvaluation(file("whole.json")))),
  );
  const other = await evaluate(...args, "--seed", "1");
  assert.match(other.stderr, /its "seed" must be 0: current value is 1$/);
});

for (
  const [args, message] of [
    [
      ["--shard", "3/2"],
      "--shard must be I/N with I in 1..N: current value is 3/2",
    ],
    [
      ["--shard", "1/2"],
      "--shard must come with one --out FILE.json, and no other file: current value is none",
    ],
    [
      ["--shard", "1/2", "--carry", "--out", file("a.json")],
      "--carry must have all cases, one after the other: current value is --shard 1/2",
    ],
    [
      ["--carry", "--ablation"],
      "only one of --ablation, --carry and --update must be given: current value is --ablation, --carry",
    ],
    [
      ["--targets", "0.8,x"],
      "--targets must be Dice above 0, up to 1: current value is 0.8,x",
    ],
    [
      ["--out", file("a.txt")],
      `--out must end in .json or .csv or .md or .html or .svg or .png: current value is ${
        file("a.txt")
      }`,
    ],
    [
      ["--box", "--start-mask"],
      "only one of --box and --start-mask must be given: current value is --box, --start-mask",
    ],
    [
      ["--shift", "0.25"],
      "--shift must come with --region given: current value is no --region",
    ],
    [
      ["--include", "strict,me"],
      "--include must name raters of the data, generous, smooth, strict, with_part, without_part: current value is me",
    ],
  ] as const
) {
  Deno.test(`evaluate refuses ${args.filter((arg) => !arg.startsWith(folder)).join(" ")}`, async () => {
    const { code, stderr } = await evaluate(...QUICK, ...args);
    assert.deepEqual([code, stderr], [1, `Cannot evaluate as ${message}`]);
  });
}

Deno.test("evaluate carries no profile from one anonymous rater to another", async () => {
  const lidc = file("lidc");
  const copy = async (from: string, to: string) => {
    await Deno.mkdir(join(lidc, "val", to, "P1"), { recursive: true });
    return (name: string) =>
      Deno.copyFile(
        join("data/phantoms/nodule-2", from),
        join(lidc, "val", to, "P1", name),
      );
  };
  await (await copy("image.png", "images"))("c1.png");
  const mask = await copy("rater_strict.png", "gt");
  for (const r of [0, 1, 2, 3]) await mask(`c1_l${r}.png`);
  const { code, stderr } = await evaluate("--data", lidc, "--carry");
  assert.deepEqual([code, stderr], [
    1,
    "Cannot evaluate as --carry must have raters who are the same persons in every case: current value is LIDC crops, val, whose raters are anonymous",
  ]);
});

Deno.test("evaluate takes several data sets, canvases, parts and mixed users in one run", async () => {
  const path = file("several.json");
  const { code, stdout, stderr } = await evaluate(
    ...["--data", "data/phantoms", "--data", "data/../data/phantoms"],
    ...["--every", "8", "--pad", "160", "--parts", "--user", "mixed", "--box"],
    ...["--iterations", "2", "--samples", "8", "--threads", "1"],
    ...["--include", "strict", "--out", path],
  );
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /the majority of strict, each part of a mask, mixed user, from a box; in canvases of 160 x 160, regions found from the start; /,
  );
  assert.match(stdout, /\| data set \| targets \| 1 \| 2 \|/);
  assert.match(stdout, /\| clicks \| targets \|/);
  const saved = await readEvaluation(path);
  const { both } = runsOf(saved);
  assert.ok(both.every(({ part, set }) => part === 1 && set));
  assert.ok(both.every(({ object }) => object!.right <= 159.5));
  assert.equal(saved.settings.pad, 160);
});
