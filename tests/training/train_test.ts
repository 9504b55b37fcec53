import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { contiguous } from "../../src/arrays/contiguous.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { readSafetensors } from "../../src/checkpoints/safetensors.ts";
import { Model } from "../../src/model/model.ts";
import type { HostWeights } from "../../src/model/weights.ts";
import { initializeWeights } from "../../src/model/declare_weights.ts";
import { readCheckpoint } from "../../src/training/resume.ts";
import type { Group } from "../../src/training/groups.ts";
import type { TrainingReport } from "../../src/training/tally.ts";
import { train } from "../../src/training/train.ts";
import { noisyWeights, smallConfig } from "../helpers/small_model.ts";
import { discs, longRecipe, recipe } from "../helpers/small_training.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

await useEngine("auto", { threads: 1 });
const folder = await temporaryFolder();

function assertSame(actual: HostWeights, expected: HostWeights) {
  assert.deepEqual([...actual.keys()], [...expected.keys()]);
  for (const [name, { data, shape }] of expected) {
    assert.deepEqual(actual.get(name)!.shape, shape);
    assert.deepEqual(actual.get(name)!.data, data, name);
  }
}

/** The steps done, by a checkpoint. */
async function stepOf(path: string): Promise<number> {
  return Number(readSafetensors(await Deno.readFile(path)).metadata.step);
}

Deno.test("train() lowers the loss, and reports loss, Dice and spread per iteration", async () => {
  const reports: TrainingReport[] = [];
  const weights = await train(
    smallConfig,
    discs,
    { ...recipe, steps: 60 },
    { reportEvery: 15, onReport: (report) => reports.push(report) },
  );
  const losses = reports.map(({ loss }) => loss);
  console.log(`loss ${losses.map((loss) => loss.toFixed(3)).join(" -> ")}`);
  assert.deepEqual(reports.map(({ step }) => step), [15, 30, 45, 60]);
  assert.ok(losses[3] < 0.8 * losses[0], `${losses}`);
  const [, , , { iterations, steps, rate }] = reports;
  assert.equal(steps, 60);
  assert.ok(rate > 0);
  assert.equal(iterations.length, 3);
  for (const { dice, best, spread } of iterations) {
    assert.ok(dice > 0 && dice <= 1 && best > 0 && best <= 1);
    assert.ok(spread > 0 && spread < 0.5);
  }
  // what comes out is a network: finite, and no longer what it was
  using _ = new Model(smallConfig, weights);
  const fresh = initializeWeights(smallConfig, recipe.seed);
  const name = "fusion.layers.1.weight";
  const before = fresh.get(name)!.data;
  const after = weights.get(name)!.data;
  const moved = after.reduce((s, v, i) => s + Math.abs(v - before[i]), 0);
  assert.ok(moved / before.length > 3e-3, `${moved / before.length}`);
  for (const { data } of weights.values()) {
    assert.ok(data.every(Number.isFinite));
  }
  // the positions' frequencies are never trained
  const frozen = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix";
  assert.deepEqual(weights.get(frozen)!.data, fresh.get(frozen)!.data);
});

Deno.test("train() lowers the paper's loss as well", async () => {
  const losses: number[] = [];
  await train(
    smallConfig,
    discs,
    {
      ...recipe,
      steps: 120,
      loss: { ...recipe.loss, kind: "paper" },
    },
    { reportEvery: 40, onReport: ({ loss }) => losses.push(loss) },
  );
  console.log(`loss ${losses.map((loss) => loss.toFixed(3)).join(" -> ")}`);
  assert.ok(losses[2] < 0.8 * losses[0], `${losses}`);
});

Deno.test("train() gives the same weights for the same seed, other ones for another", async () => {
  const run = (seed: number) =>
    train(smallConfig, discs, { ...recipe, seed, steps: 4 });
  const one = await run(1);
  assertSame(await run(1), one);
  const other = await run(2);
  const name = "fusion.layers.1.weight";
  assert.notDeepEqual(other.get(name)!.data, one.get(name)!.data);
});

Deno.test("train() resumes from a checkpoint as if it had never stopped", async () => {
  const whole = await train(smallConfig, discs, recipe);
  const checkpoint = `${folder}/resumed`;
  for (const stop of [6, 10]) { // before the checkpoints of these steps
    await assert.rejects(
      () =>
        train(smallConfig, discs, recipe, {
          checkpoint,
          checkpointSeconds: 0,
          reportEvery: 1,
          onReport: ({ step }) => {
            if (step === stop) throw new Error("stopped");
          },
        }),
      /stopped/,
    );
    assert.equal(await stepOf(checkpoint), stop - 1);
  }
  const steps: number[] = [];
  const resumed = await train(smallConfig, discs, recipe, {
    checkpoint,
    reportEvery: 1,
    onReport: ({ step }) => steps.push(step),
  });
  assert.deepEqual(steps, [10, 11, 12]);
  assertSame(resumed, whole);
  // and a run that is done is not run again
  assertSame(await train(smallConfig, discs, recipe, { checkpoint }), whole);
});

Deno.test("a run that is killed loses at most the step it was at", async () => {
  const path = `${folder}/killed`;
  let before = 0;
  for (const reports of [5, 4]) {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        new URL("../helpers/small_training.ts", import.meta.url).href,
        path,
      ],
      cwd: new URL("../..", import.meta.url),
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let printed = "";
    for await (const chunk of child.stdout) {
      printed += new TextDecoder().decode(chunk);
      if (printed.split("\n").length > reports) break;
    }
    child.kill("SIGKILL"); // in the middle of a step, or of a file
    await child.status;
    const steps = printed.trim().split("\n").map(Number);
    assert.equal(steps[0], before + 1);
    before = await stepOf(path);
    assert.ok(before >= steps.at(-1)! - 1, `${before} of ${steps}`);
    assert.ok(before < longRecipe.steps);
  }
  const resumed = await train(smallConfig, discs, longRecipe, {
    checkpoint: path,
  });
  assertSame(resumed, await train(smallConfig, discs, longRecipe));
});

Deno.test("train() refuses a checkpoint of another recipe or config", async () => {
  const checkpoint = `${folder}/other`;
  await train(smallConfig, discs, { ...recipe, steps: 4 }, { checkpoint });
  const changes: [typeof smallConfig, typeof recipe][] = [
    [smallConfig, { ...recipe, steps: 5 }],
    [smallConfig, { ...recipe, steps: 4, learningRate: 1e-3 }],
    [{ ...smallConfig, components: 4 }, { ...recipe, steps: 4 }],
  ];
  for (const [config, other] of changes) {
    await assert.rejects(
      () => train(config, discs, other, { checkpoint }),
      /^RangeError: Cannot resume from .*other as its recipe must be this run's: current value is /,
    );
  }
});

Deno.test("train() refuses first weights of another config", async () => {
  const start = (initial: HostWeights) =>
    train(smallConfig, discs, recipe, { initial });
  await assert.rejects(
    start(new Map()),
    /^TypeError: Cannot train as its weights must be those of config "small": \d+ missing/,
  );
  await assert.rejects(
    start(initializeWeights({ ...smallConfig, components: 3 }, 1)),
    /^TypeError: Cannot train as .* misshapen .*: \[3,6\] instead of \[5,6\]/,
  );
});

Deno.test("train() refuses a checkpoint of other cases or other first weights", async () => {
  const checkpoint = `${folder}/cases`;
  const short = { ...recipe, steps: 2 };
  await train(smallConfig, discs, short, { checkpoint });
  const one = discs.map(({ image, masks }) => ({ image, masks: [masks[0]] }));
  const initial = noisyWeights(smallConfig);
  const refused = /^RangeError: Cannot resume from .*cases as its recipe must/;
  await assert.rejects(
    () => train(smallConfig, one, short, { checkpoint }),
    refused,
  );
  await assert.rejects(
    () => train(smallConfig, discs, short, { checkpoint, initial }),
    refused,
  );
});

Deno.test("train() refuses a recipe and cases that are not what their docs say", async () => {
  const { image, masks } = discs[0];
  const refused = (
    change: Partial<typeof recipe>,
    reason: RegExp,
    { cases = discs, reportEvery = 100 } = {},
  ) =>
    assert.rejects(
      train(smallConfig, cases, { ...recipe, ...change }, { reportEvery }),
      { name: "RangeError", message: reason },
    );
  await refused({ iterations: 0 }, /^Cannot train as iterations must be an/);
  await refused({ usersPerImage: 0 }, /^Cannot train as usersPerImage must be/);
  await refused({ batch: 5 }, /^Cannot train as batch must be a multiple of/);
  await refused({}, /^Cannot train as reportEvery must be/, { reportEvery: 0 });
  const cases = [{ image, masks, raters: ["one"] }];
  await refused({}, /^Cannot train as cases\[0\]\.raters must be/, { cases });
});

Deno.test("train() learns from images with values below 0", async () => {
  const short = { ...recipe, steps: 2 };
  const dark = discs.map(({ image, masks }) => ({
    image: ndarray(image.data.map((value) => value - 0.4), image.shape),
    masks,
  }));
  const weights = await train(smallConfig, dark, short);
  for (const { data } of weights.values()) {
    assert.ok(data.every(Number.isFinite));
  }
});

Deno.test("train() takes views as what they show", async () => {
  const short = { ...recipe, steps: 2 };
  const views = discs.map(({ image, masks }) => ({
    image: image.transpose(1, 0, 2),
    masks: masks.map((mask) => mask.transpose(1, 0)),
  }));
  const copies = views.map(({ image, masks }) => ({
    image: contiguous(image),
    masks: masks.map((mask) => contiguous(mask)),
  }));
  assertSame(
    await train(smallConfig, views, short),
    await train(smallConfig, copies, short),
  );
});

Deno.test("train() refuses cases that nobody marked, or hardly", async () => {
  const { image } = discs[0];
  const drawn = { ...recipe, syntheticShare: 0 };
  const [height, width] = image.shape;
  const mask = ndarray(new Uint8Array(height * width), [height, width]);
  await assert.rejects(
    () => train(smallConfig, [{ image, masks: [mask] }], drawn),
    {
      name: "RangeError",
      message:
        "Cannot train as a case must have a mask that is not empty: current value is 1 cases without",
    },
  );
  mask.set(12, 12, 1);
  await assert.rejects(
    () => train(smallConfig, [{ image, masks: [mask] }], drawn),
    {
      name: "RangeError",
      message:
        "Cannot train as masks must cover at least 8 pixels at the decoder's 16 x 16: current value is fewer in 1000 draws; crop the images to what is marked",
    },
  );
});

Deno.test("train() stops when the loss is no longer finite", async () => {
  await assert.rejects(
    () =>
      train(smallConfig, discs, { ...recipe, learningRate: 1e30, steps: 8 }),
    /^RangeError: Cannot go on training as the loss must be finite: current value is (NaN|Infinity|-Infinity) at step \d+; a smaller learning rate may help$/,
  );
});

Deno.test("train() without cases trains on phantoms alone", async () => {
  const reports: TrainingReport[] = [];
  await train(smallConfig, [], { ...recipe, steps: 2 }, {
    onReport: (report) => reports.push(report),
  });
  assert.equal(reports.length, 1);
  assert.ok(Number.isFinite(reports[0].loss));
});

Deno.test("train() notes as a user's profile what the first choice told", async () => {
  const path = `${folder}/habits.checkpoint`;
  const steps = 6; // then the first two users have chosen twice, the others once
  const picking = { ...recipe, steps, clickShare: 0, maskShare: 0 };
  await train(smallConfig, discs, picking, { checkpoint: path });
  const { metadata } = readSafetensors(await Deno.readFile(path));
  const saved = await readCheckpoint<Group>(path, metadata.recipe);
  const users = saved!.examples.flatMap(({ users }) => users);
  assert.ok(users.some(({ habit }) => habit));
  for (const { feedback, habit } of users) {
    assert.equal(habit !== undefined, feedback.choices.length > 0);
    if (!habit) continue;
    const total = habit.evidence.reduce((sum, a) => sum + Math.exp(a), 0);
    assert.ok(Math.abs(total - 1) < 1e-6, "the evidence of one choice");
  }
});
