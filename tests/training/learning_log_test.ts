import assert from "node:assert/strict";
import { join } from "node:path";
import { learningFigure } from "../../src/figures/dice_figure.ts";
import {
  learningCSV,
  openLearningLog,
  readLearningLog,
} from "../../src/training/learning_log.ts";
import { Tally, type TrainingReport } from "../../src/training/tally.ts";
import { trainCommand } from "../helpers/train_command.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const folder = await temporaryFolder();

/** A report whose figures follow from its step. */
function reportAt(step: number, gain = 0): TrainingReport {
  const dice = step / 1000 + gain;
  return {
    ...{ step, steps: 300, loss: 1 - dice, rate: 2.5 },
    iterations: [0.1, 0.2].map((more) => ({
      dice: dice + more,
      best: dice + more + 0.05,
      spread: 0.01,
    })),
  };
}

Deno.test("a log has a row for every report, and comes back", async () => {
  const path = join(folder, "new", "log.csv");
  const reports = [reportAt(100), reportAt(200)];
  const add = await openLearningLog(path);
  for (const report of reports) await add(report);
  assert.equal(
    await Deno.readTextFile(path),
    "step,steps,loss,steps_per_second,dice1,dice2,best1,best2,spread1,spread2\n" +
      "100,300,0.900000,2.500000,0.200000,0.300000,0.250000,0.350000,0.010000,0.010000\n" +
      "200,300,0.800000,2.500000,0.300000,0.400000,0.350000,0.450000,0.010000,0.010000\n",
  );
  const back = await readLearningLog(path);
  assert.equal(learningCSV(back), learningCSV(reports));
  assert.deepEqual(back[1].iterations[1], {
    dice: 0.4,
    best: 0.45,
    spread: 0.01,
  });
  assert.deepEqual(await readLearningLog(join(folder, "none.csv")), []);
});

Deno.test("a run that resumes replaces what it repeats", async () => {
  const path = join(folder, "resumed.csv");
  const killed = await openLearningLog(path);
  for (const step of [100, 200, 300]) await killed(reportAt(step));
  const resumed = await openLearningLog(path);
  await resumed(reportAt(200, 0.5));
  const found = await readLearningLog(path);
  assert.deepEqual(
    found.map(({ step, iterations: [{ dice }] }) => [step, dice]),
    [[100, 0.2], [200, 0.8]],
  );
});

Deno.test("an iteration that no user was at is an empty cell", async () => {
  const tally = new Tally();
  tally.add(0.5, [{ iteration: 1, dice: 0.6, best: 0.7, spread: 0.1 }]);
  const report = tally.report(1, 1);
  assert.deepEqual(report.iterations, [
    { dice: NaN, best: NaN, spread: NaN },
    { dice: 0.6, best: 0.7, spread: 0.1 },
  ]);
  const path = join(folder, "hole.csv");
  await (await openLearningLog(path))(report);
  assert.match(await Deno.readTextFile(path), /,,0\.600000,,0\.700000,,0\.1/);
  assert.deepEqual(
    (await readLearningLog(path))[0].iterations,
    report.iterations,
  );
});

Deno.test("another file than a log is refused, and left as it is", async () => {
  const path = join(folder, "other.csv");
  const log = learningCSV([reportAt(100)]);
  for (
    const text of [
      "",
      "name,age\nAda,36\n",
      log.replace("dice1", "dice7"),
      log.replace("100,300", "100"),
      log.replace("100,300", "100,many"),
    ]
  ) {
    await Deno.writeTextFile(path, text);
    await assert.rejects(
      openLearningLog(path),
      /^RangeError: Cannot read the learning curve as .*other\.csv must be a log of deno task train: current value begins with "/,
    );
    assert.equal(await Deno.readTextFile(path), text);
  }
});

// deno-lint-ignore no-explicit-any -- plotly's JSON, in an SVG's own text
const textOf = (svg: string): any => svg.replaceAll(/<[^>]+>/g, "|");

Deno.test("learningFigure() has a line per iteration of one run, or per run", async () => {
  const reports = [100, 200, 300].map((step) => reportAt(step));
  const one = learningFigure({ tiny: reports });
  assert.match(
    one.alt,
    /Training of tiny: Dice by the users' iteration: 2 lines/,
  );
  assert.match(one.alt, /iteration 1 0\.400, iteration 2 0\.500/);
  assert.match(one.alt, /loss: 1 line by step of training, the last loss 0\.7/);
  assert.match(textOf(await one.toSVG()), /iteration 2.*\|loss\|/s);
  const better = reports.map(({ step }) => reportAt(step, 0.2));
  const two = learningFigure({ one: reports, two: better, none: [] });
  assert.match(two.alt, /2 lines .* one 0\.500, two 0\.700\./);
  assert.throws(
    () => learningFigure({ none: [] }),
    /^RangeError: Cannot draw learning curves as there must be a report/,
  );
});

Deno.test("the training command keeps its curve, and draws it", async () => {
  const log = join(folder, "run.csv"), out = join(folder, "run.safetensors");
  const options = ["--phantoms", "1", "--batch", "1", "--threads", "1"];
  const { code, error } = await trainCommand(
    ...[...options, "--steps", "2", "--log", log, "--out", out],
  );
  assert.equal(code, 0, error);
  const [{ step, loss }] = await readLearningLog(log);
  assert.equal(step, 2);
  assert.ok(loss > 0);
  const png = join(folder, "curve.png");
  const drawn = await trainCommand("curve", log, "--out", png);
  assert.equal(drawn.code, 0, drawn.error);
  assert.match(drawn.out, /Figure \d+ x \d+: Training of run/);
  const bytes = await Deno.readFile(png);
  assert.deepEqual([...bytes.subarray(1, 4)], [0x50, 0x4e, 0x47]);
  const svg = join(folder, "curve.svg");
  const other = join(folder, "other", "run.csv");
  await (await openLearningLog(other))(reportAt(100));
  for (
    const [args, message] of [
      [[log, "--out", "curve.pdf"], /--out must end in .png or .svg/],
      [["--out", svg], /there must be a log/],
      [
        [join(folder, "nothing.csv"), "--out", svg],
        /nothing.csv must be a log/,
      ],
      [[log, other, "--out", svg], /all logs must have different names/],
    ] as const
  ) {
    const { code, error } = await trainCommand("curve", ...args);
    assert.equal(code, 1);
    assert.match(error, message);
  }
});
