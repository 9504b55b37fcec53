import assert from "node:assert/strict";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { folderDataset, lidcCrops } from "../../src/datasets/layouts.ts";
import { evaluate } from "../../src/evaluation/evaluate.ts";
import { summarize } from "../../src/evaluation/statistics.ts";
import { sizeOf } from "../../src/engine/tensors.ts";

const LIDC = "../shared/data/lidc_crops";

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("the shipped weights say what they were trained on, and fit in 8 MB", async () => {
  using model = await loadModel("tiny");
  assert.match(model.metadata.training_data, /LIDC-IDRI.*CC BY 3\.0/);
  const recipe = JSON.parse(model.metadata.recipe);
  assert.ok(Number.isInteger(recipe.seed) && recipe.steps > 0);
  assert.ok(JSON.parse(model.metadata.validation).dice.length === 6);
  const { size } = await Deno.stat("data/models/tiny.safetensors");
  assert.ok(size < 8e6, `${size} bytes`);
  const parameters = [...model.weights.values()].reduce(
    (sum, { shape }) => sum + sizeOf(shape),
    0,
  );
  assert.ok(size > 2 * parameters && size < 2 * parameters + 1e5);
});

Deno.test("the weights for many kinds of images say what they were trained on, and fit in 15 MB", async () => {
  using model = await loadModel("small");
  const { training_data: data } = model.metadata;
  const card = await Deno.readTextFile("data/models/README.md");
  for (
    const source of [
      ...["LIDC-IDRI", "BU-BIL", "usgra", "Hippocampus", "LiteMedSAM"],
      ...["CHASE_DB1", "Brain-Tumor-Progression"],
    ]
  ) {
    assert.ok(data.toLowerCase().includes(source.toLowerCase()), source);
    assert.ok(card.includes(source), source);
  }
  assert.match(card, /not trained on QUBIQ/);
  const { size } = await Deno.stat("data/models/small.safetensors.gz");
  assert.ok(size < 15e6, `${size} bytes`);
});

Deno.test("one click into a phantom of a whole image finds its region", async () => {
  using model = await loadModel("small");
  const { cases } = await folderDataset("data/phantoms");
  const results = await evaluate(model, {
    ...await folderDataset("data/phantoms"),
    cases: cases.slice(0, 4),
  }, { iterations: 3, samples: 16 });
  const dice = summarize(results).map((row) => row.dice);
  const looks = results.map((result) => result.looks?.count);
  console.log(`${results.length} phantom targets, Dice ${dice.join(" ")}`);
  assert.ok(looks.every((count) => count !== undefined && count <= 3));
  assert.ok(dice[2] > 0.5, `third ${dice[2]}`);
});

Deno.test("the shipped weights align the sample phantoms with each rater", async () => {
  using model = await loadModel("tiny");
  const results = await evaluate(model, await folderDataset("data/phantoms"), {
    iterations: 4,
    region: "whole", // the object fills the picture
  });
  const dice = summarize(results).map((row) => row.dice);
  console.log(
    `${results.length} phantom targets, Dice ${
      dice.map((value) => value.toFixed(3)).join(" ")
    }`,
  );
  assert.ok(dice[0] > PHANTOM_FLOOR[0], `first ${dice[0]}`);
  assert.ok(dice[3] > PHANTOM_FLOOR[1], `fourth ${dice[3]}`);
  assert.ok(dice[3] > dice[0] + 0.02, "Dice rises");
});

/** Least mean Dice of the sample phantoms at iterations 1 and 4. */
const PHANTOM_FLOOR = [0.8, 0.88];

const lidc = await exists(LIDC);
if (!lidc) console.log(`skipped: ${LIDC} is not there; no test on real CT`);
Deno.test({
  name: "the shipped weights align patients never trained on: LIDC validation",
  ignore: !lidc,
  fn: async () => {
    using model = await loadModel("tiny");
    const dataset = await lidcCrops(LIDC, { split: "val" });
    const cases = dataset.cases.filter((_, i) => i % 6 === 0);
    const results = await evaluate(model, { ...dataset, cases });
    const rows = summarize(results);
    const dice = rows.map((row) => row.dice);
    console.log(
      `${results.length} LIDC targets, Dice ${
        dice.map((value) => value.toFixed(3)).join(" ")
      }, best candidate ${rows[5].best.toFixed(3)}`,
    );
    assert.equal(results.length, 4 * cases.length);
    assert.ok(dice[0] > LIDC_FLOOR[0], `iteration 1: ${dice[0]}`);
    assert.ok(dice[2] > LIDC_FLOOR[1], `iteration 3: ${dice[2]}`);
    assert.ok(dice[5] > LIDC_FLOOR[2], `iteration 6: ${dice[5]}`);
    assert.ok(rows[5].spread < rows[0].spread, "the samples come together");
  },
});

/** Least mean Dice of every sixth validation case at iterations 1, 3 and 6. */
const LIDC_FLOOR = [0.81, 0.88, 0.9];
