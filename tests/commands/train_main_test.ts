import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { join } from "node:path";
import {
  readSafetensors,
  writeSafetensors,
} from "../../src/checkpoints/safetensors.ts";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { phantom } from "../../src/phantoms/phantom.ts";
import type { Model } from "../../src/model/model.ts";
import {
  declareWeights,
  initializeWeights,
} from "../../src/model/declare_weights.ts";
import { presets } from "../../src/model/config.ts";
import { splitWeights } from "../../src/training/weight_vector.ts";
import { writeImage } from "../../src/formats/write_image.ts";
import { writeMask } from "../../src/formats/write_mask.ts";
import { adaptationRecipe, defaultRecipe } from "../../src/training/recipe.ts";
import { trainCommand } from "../helpers/train_command.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

Deno.test("the training command trains on phantoms, and goes on from a model", async () => {
  const out = join(await temporaryFolder(), "model.safetensors");
  const options = ["--phantoms", "1", "--batch", "2", "--threads", "1"];
  const { code, error } = await trainCommand(
    ...[...options, "--init", "data/models/tiny.safetensors"],
    ...["--steps", "2", "--seed", "8", "--rate", "1", "--out", out],
    ...["--schedule", "constant", "--ema", "0"],
    ...["--average", "data/models/tiny.safetensors"],
  );
  assert.equal(code, 0, error);
  using model = await loadModel(out);
  const { recipe, initial_recipe, training_data, averaged_with } =
    model.metadata;
  assert.deepEqual(JSON.parse(recipe), {
    ...defaultRecipe,
    ...{ steps: 2, batch: 2, learningRate: 1, schedule: "constant" },
    ...{ averageDecay: 0, phantomShare: 1, seed: 8 },
  });
  // without a moving average, the optimizer's own parameters are kept
  const { tensors } = readSafetensors(await Deno.readFile(`${out}.checkpoint`));
  const [average, parameters] = ["average", "parameters"].map((name) =>
    tensors.get(name)!.data.map((value) => value + 0) // 0 and -0 are alike
  );
  assert.deepEqual(average, parameters);
  assert.ok(JSON.parse(initial_recipe).steps > 1000);
  assert.equal(training_data, "phantoms");
  // half way between the shipped weights and what was trained
  assert.deepEqual(JSON.parse(averaged_with), [initial_recipe]);
  using shipped = await loadModel("tiny");
  const vectorOf = ({ weights }: Model) =>
    splitWeights(declareWeights(model.config), weights).vector;
  const [half, before] = [model, shipped].map(vectorOf);
  const trained = tensors.get("average")!.data;
  let moved = 0;
  trained.forEach((value, i) => {
    if (Math.abs(value - before[i]) > 0.005) moved++;
    const mean = (value + before[i]) / 2; // in the file as float16
    assert.ok(Math.abs(half[i] - mean) <= 6e-4 * Math.abs(mean) + 1e-6);
  });
  assert.ok(moved > trained.length / 2, `${moved}`);
});

Deno.test("the training command adapts weights for many kinds to a case by a recipe of its own, and leaves no features behind", async () => {
  const data = await temporaryFolder();
  const { image, masks } = phantom({ kind: "kidney", seed: 1 });
  await writeImage(image, join(data, "case", "image.png"));
  await writeMask(masks.smooth, join(data, "case", "rater1.png"));
  const out = join(data, "model.safetensors");
  const temporary = await temporaryFolder();
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", temporary);
  try {
    const { code, error } = await trainCommand(
      ...["--adapt", "--init", "small", "--data", data, "--out", out],
      ...["--steps", "1", "--batch", "1", "--dice", "0.7", "--threads", "1"],
    );
    assert.equal(code, 0, error);
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
  }
  assert.deepEqual([...Deno.readDirSync(temporary)], []);
  using model = await loadModel(out);
  assert.equal(model.config.name, "small");
  assert.deepEqual(JSON.parse(model.metadata.recipe), {
    ...adaptationRecipe,
    ...{ steps: 1, batch: 1 },
    loss: { ...adaptationRecipe.loss, dice: 0.7 },
  });
});

Deno.test("the training command begins with the encoder of a LiteMedSAM checkpoint, and draws the rest by its seed", async () => {
  const folder = await temporaryFolder();
  const lite = join(folder, "lite.safetensors"); // no config, as published
  const encoder = [...initializeWeights(presets["lite-medsam"], 5)]
    .filter(([name]) => name.startsWith("image_encoder."));
  await Deno.writeFile(lite, writeSafetensors(encoder, {}));
  const out = join(folder, "model.safetensors");
  const { code, error } = await trainCommand(
    ...["--init", lite, "--preset", "small", "--seed", "3", "--out", out],
    ...["--phantoms", "1", "--steps", "1", "--batch", "1", "--threads", "1"],
  );
  assert.equal(code, 0, error);
  using model = await loadModel(out);
  assert.equal(model.config.name, "small");
  const name = "fusion.layers.1.weight";
  const isNear = async (seed: number) => {
    using first = await loadModel(lite, {
      ...{ config: "small", seed },
      onReport() {},
    });
    const [a, b] = [model, first].map((m) => m.weights.get(name)!.data);
    return a.every((value, i) => Math.abs(value - b[i]) < 0.01);
  };
  assert.ok(await isNear(3)); // one step away
  assert.ok(!await isNear(4));
});

Deno.test("the training command learns from the raters it is told to", async () => {
  const data = await temporaryFolder();
  const { image, masks } = phantom({ kind: "nodule", seed: 1 });
  await writeImage(image, join(data, "case", "image.png"));
  await writeMask(Object.values(masks)[0], join(data, "case", "rater1.png"));
  await Deno.writeTextFile(join(data, "case", "rater2.png"), "no image");
  const out = join(data, "model.safetensors");
  const options = ["--data", data, "--out", out, "--steps", "1"];
  const small = ["--batch", "1", "--threads", "1"];
  const all = await trainCommand(...options, ...small);
  assert.equal(all.code, 1);
  assert.match(all.error, /rater2\.png/);
  const one = await trainCommand(...options, ...small, "--include", "1");
  assert.equal(one.code, 0, one.error);
  using model = await loadModel(out);
  assert.match(model.metadata.training_data, /, raters 1$/);
  const other = join(data, "other.safetensors");
  const without = await trainCommand(
    ...["--data", data, "--out", other, "--steps", "1", ...small],
    ...["--exclude", "2"],
  );
  assert.equal(without.code, 0, without.error);
  using same = await loadModel(other);
  assert.match(same.metadata.training_data, /, without raters 2$/);
  assert.deepEqual(same.weights, model.weights); // rater 1 is left either way
  const { shape } = Object.values(masks)[0];
  const empty = ndarray(new Uint8Array(shape[0] * shape[1]), shape);
  await writeMask(empty, join(data, "case", "rater2.png"));
  const unmarked = await trainCommand(...options, "--include", "2");
  assert.match(
    unmarked.error,
    /a case of .* must have a mask that is not empty/,
  );
  const none = await trainCommand(...options, "--include", "3");
  assert.match(none.error, /--include must name raters of the data, 1, 2: /);
  const nobody = await trainCommand(...options, "--exclude", "3");
  assert.match(nobody.error, /--exclude must name raters of the data, 1, 2: /);
});

Deno.test("the training command's errors are one clear line, before any work", async () => {
  const cases: [string[], RegExp][] = [
    [["--steps", "0"], /--steps must be a whole number/],
    [["--rate", "fast"], /--rate must be numbers as in X/],
    [["--rate", "0"], /learningRate must be > 0 and finite/],
    [["--phantoms", "2"], /--phantoms must be within 0..1/],
    [["--ema", "1"], /--ema must be within 0..0.999999/],
    [["--schedule", "step"], /--schedule must be one of cosine, constant/],
    [["--checkpoint-seconds", "1e6"], /--checkpoint-seconds must be within/],
    [["--preset", "small"], /--preset small must come with --init, .*: .*none/],
    [["--preset", "big"], /--preset must be one of tiny, small/],
    [["--preset", "tiny", "--method", "unet"], /--preset must come with spa/],
    [["--loss", "dice"], /--loss must be one of marginal, paper/],
    [["--dice", "11"], /--dice must be within 0..10/],
    [["--out", "tests"], /its name must not be a folder's/],
  ];
  for (const [args, message] of cases) {
    const { code, error } = await trainCommand(...args);
    assert.equal(code, 1);
    assert.match(error, message);
    assert.equal(error.trim().split("\n").length, 1, error);
  }
  const { code, out } = await trainCommand("--help");
  assert.equal(code, 0);
  assert.match(out, /--init FILE/);
});
