import assert from "node:assert/strict";
import {
  type Baseline,
  initialWeights,
  loadBaseline,
  saveBaseline,
} from "../../src/baselines/baseline.ts";
import { evaluateBaseline } from "../../src/baselines/evaluate.ts";
import type { BaselineConfig } from "../../src/baselines/method.ts";
import { methodOf, METHODS } from "../../src/baselines/methods.ts";
import { trainBaseline } from "../../src/baselines/train.ts";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { saveModel } from "../../src/checkpoints/save_model.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { presets } from "../../src/model/config.ts";
import { Model } from "../../src/model/model.ts";
import { sizeOf } from "../../src/engine/tensors.ts";
import {
  drawWeights,
  initializeWeights,
} from "../../src/model/declare_weights.ts";
import { smallConfig } from "../helpers/small_model.ts";
import { discs, recipe } from "../helpers/small_training.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

await useEngine("auto", { threads: 1 });
const folder = await temporaryFolder();

const raters = ["smaller", "middle", "larger"];
const dataset: Dataset = {
  name: "discs",
  cases: discs.slice(0, 2).map(({ image, masks }, i) => ({
    id: `${i}`,
    patient: `${i}`,
    spacing: [0.5, undefined][i],
    raters,
    readImage: () => Promise.resolve(image),
    readMask: (rater) => Promise.resolve(masks[raters.indexOf(rater)]),
  })),
};

const diagonal = Math.hypot(...discs[0].masks[0].shape);

const configOf = (method: string): BaselineConfig => ({
  method,
  network: smallConfig,
  raters: 3,
});
/** A method's fresh weights. */
function fresh(method: string): Baseline {
  const config = configOf(method);
  const weights = drawWeights(methodOf(config).declare(config), 1);
  return { config, weights, metadata: {} };
}

/** Maps of a proposal of 5 samples. */
const SAMPLES: Record<string, number> = {
  "sam-u": 5,
  ensemble: 4,
  "multi-head": 3,
  "probabilistic-unet": 5,
};

for (const method of Object.keys(METHODS)) {
  Deno.test(`${method} trains with falling loss, is saved, loaded, and evaluated`, async () => {
    const config = configOf(method);
    const losses: number[] = [];
    const weights = await trainBaseline(
      config,
      discs,
      { ...recipe, usersPerImage: 1, steps: 24, learningRate: 6e-3 },
      { reportEvery: 8, onReport: ({ loss }) => losses.push(loss) },
    );
    assert.ok(losses[2] < 0.9 * losses[0], `${losses}`);

    const path = `${folder}/${method}.safetensors`;
    await saveBaseline({ config, weights, metadata: { note: "a" } }, path);
    const loaded = await loadBaseline(path);
    assert.deepEqual(loaded.config, config);
    assert.deepEqual(loaded.metadata, { note: "a" });
    for (const [name, { data, shape }] of weights) {
      const other = loaded.weights.get(name)!;
      assert.deepEqual(other.shape, shape);
      other.data.forEach((value, i) =>
        // float16
        assert.ok(Math.abs(value - data[i]) <= 1e-7 + Math.abs(data[i]) / 1000)
      );
    }

    const results = await evaluateBaseline(loaded, dataset, {
      iterations: 3,
      samples: 5,
      sampleSet: true,
    });
    assert.deepEqual(
      results.map((result) => [result.case, result.rater]),
      ["0", "1"].flatMap((id) => raters.map((rater) => [id, rater])),
    );
    for (const { case: id, iterations, sampleSet, spacing } of results) {
      const dices = iterations.map(({ dice }) => dice);
      assert.equal(dices.length, 3);
      assert.ok(dices.every((dice) => dice >= 0 && dice <= 1));
      if (methodOf(config).interaction !== "clicks") {
        assert.equal(new Set(dices).size, 1);
      }
      const [{ spread, best, dice, iou, hd95 }] = iterations;
      assert.ok(Math.abs(iou! - dice / (2 - dice)) < 1e-12);
      assert.equal(spacing, id === "0" ? 0.5 : undefined);
      assert.ok(hd95! >= 0 && hd95! <= diagonal * (spacing ? 0.5 : 1));
      assert.ok(best >= dice || SAMPLES[method] !== undefined);
      assert.equal(spread > 0, SAMPLES[method] !== undefined);
      assert.equal(sampleSet!.spread, spread);
    }
  });
}

Deno.test("a method without choices has the same map for every user, one with expertise does not", async () => {
  const maps = async (method: string) => {
    const results = await evaluateBaseline(fresh(method), dataset);
    return results.slice(0, 3).map(({ iterations: [first] }) =>
      first.raters!.middle
    );
  };
  assert.equal(new Set(await maps("unet")).size, 1);
  assert.ok(new Set(await maps("mrnet")).size > 1);
});

Deno.test("a rater is known by name: trained without the first, the second is not taken for the third", async () => {
  const names = ["middle", "larger"];
  const config = { ...configOf("mrnet"), raters: 2, names };
  const weights = await trainBaseline(
    config,
    discs.map(({ image, masks }) => ({
      image, // in another order than the names'
      masks: [masks[2], masks[1]],
      raters: ["larger", "middle"],
    })),
    { ...recipe, usersPerImage: 1, steps: 60, learningRate: 6e-3 },
  );
  const path = `${folder}/named.safetensors`;
  await saveBaseline({ config, weights, metadata: {} }, path);
  const loaded = await loadBaseline(path);
  const results = await evaluateBaseline(loaded, dataset);
  const mean = (user: string, rater: string) => {
    const own = results.filter((result) => result.rater === user);
    return own.reduce((sum, r) => sum + r.iterations[0].raters![rater], 0) /
      own.length;
  };
  assert.ok(mean("middle", "smaller") > mean("larger", "smaller"));
  assert.ok(mean("middle", "middle") > mean("larger", "middle"));
  assert.ok(mean("larger", "larger") > mean("middle", "larger"));
});

Deno.test("the U-Net and the tiny preset are about as large", () => {
  const sizeOfMethod = (method: string) =>
    [
      ...METHODS[method].declare({
        method,
        network: presets.tiny,
        raters: 4,
      }).values(),
    ].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const [unet, click] = [sizeOfMethod("unet"), sizeOfMethod("click")];
  assert.ok(unet > 1.2e6 && unet < 1.5e6, `${unet}`);
  assert.ok(click > 0.7e6 && click < 1.4e6, `${click}`);
});

Deno.test("an adapter changes nothing at first, and leaves the image encoder as it was", async () => {
  const click = fresh("click");
  const path = `${folder}/click-first.safetensors`;
  await saveBaseline(click, path);
  const config = configOf("adapter");
  const first = await loadBaseline(path);
  const { weights: start } = await initialWeights(path, config, 3);
  const dices = async (baseline: Baseline) =>
    (await evaluateBaseline(baseline, dataset, { iterations: 2 }))
      .flatMap(({ iterations }) => iterations.map(({ dice }) => dice));
  const begun = { config, weights: start, metadata: {} };
  assert.deepEqual(await dices(begun), await dices(first));

  const trained = await trainBaseline(config, discs, {
    ...recipe,
    usersPerImage: 1,
    steps: 4,
  }, { initial: start });
  const name = "image_encoder.blocks.0";
  assert.deepEqual(
    trained.get(`${name}.attn.qkv.weight`),
    start.get(`${name}.attn.qkv.weight`),
  );
  for (
    const part of [`${name}.adapter.layers.1.weight`, "fusion.layers.1.weight"]
  ) {
    assert.notDeepEqual(trained.get(part), start.get(part));
  }
});

Deno.test("training of a baseline resumes from a checkpoint as if it had never stopped", async () => {
  for (const method of ["click", "probabilistic-unet"]) {
    const config = configOf(method);
    const short = { ...recipe, usersPerImage: 1, steps: 6 };
    const whole = await trainBaseline(config, discs, short);
    const checkpoint = `${folder}/${method}.checkpoint`;
    await assert.rejects(
      () =>
        trainBaseline(config, discs, short, {
          checkpoint,
          checkpointSeconds: 0,
          reportEvery: 1,
          onReport: ({ step }) => {
            if (step === 5) throw new Error("stopped");
          },
        }),
      /stopped/,
    );
    const steps: number[] = [];
    const resumed = await trainBaseline(config, discs, short, {
      checkpoint,
      reportEvery: 1,
      onReport: ({ step }) => steps.push(step),
    });
    assert.deepEqual(steps, [5, 6]);
    assert.deepEqual(resumed, whole);
    await assert.rejects(
      () => trainBaseline(configOf("box"), discs, short, { checkpoint }),
      /^RangeError: Cannot resume from .* as its recipe must be this run's/,
    );
  }
});

Deno.test("the weights of box serve sam-u, those of a U-Net do not", async () => {
  const path = `${folder}/of-box.safetensors`;
  await saveBaseline(fresh("box"), path);
  const { config } = await loadBaseline(path, "sam-u");
  assert.equal(config.method, "sam-u");
  await assert.rejects(
    () => loadBaseline(path, "unet"),
    /^TypeError: Cannot load the baseline .* as its weights must be those of the method unet: current value has \d+ missing \(unet\..*\) and \d+ unexpected \(.*\)$/,
  );
});

Deno.test("a baseline starts from a model of SPA; loadModel() and loadBaseline() refuse each other's files", async () => {
  const model = `${folder}/model.safetensors`;
  await saveModel(
    new Model(smallConfig, initializeWeights(smallConfig, 5), {
      recipe: "made by hand",
    }),
    model,
  );
  const { weights, recipe } = await initialWeights(
    model,
    configOf("click"),
    1,
  );
  const declared = METHODS.click.declare(configOf("click"));
  assert.deepEqual([...weights.keys()].sort(), [...declared.keys()].sort());
  assert.equal(recipe, "made by hand");
  await assert.rejects(
    () => initialWeights(model, configOf("unet"), 1),
    /^RangeError: Cannot start from .* as it must have weights of the method unet: current value has none of its \d+$/,
  );
  await assert.rejects(
    () => loadBaseline(model),
    /^RangeError: Cannot load the baseline .* as its metadata must hold its config as JSON: current value is \{"name":"small"/,
  );
  const baseline = `${folder}/baseline.safetensors`;
  await saveBaseline(fresh("click"), baseline);
  await assert.rejects(
    () => loadModel(baseline),
    /^TypeError: Cannot load the model .* as its method must be SPA: current value is the baseline click, which deno task evaluate takes$/,
  );
});

Deno.test("an unknown method is refused by name", async () => {
  const message =
    /^RangeError: Cannot use the method as it must be one of click, box, .*: current value is toString$/;
  assert.throws(() => methodOf({ method: "toString" }), message);
  await assert.rejects(
    () => trainBaseline(configOf("toString"), discs, recipe),
    message,
  );
});

Deno.test("a U-Net refuses a side that it cannot halve four times", () => {
  const network = { ...smallConfig, imageSize: 48 };
  assert.throws(
    () => METHODS.unet.declare({ ...configOf("unet"), network }),
    new RangeError(
      "Cannot build the U-Net as the decoder's side must be a multiple of 16: current value is 24",
    ),
  );
});
