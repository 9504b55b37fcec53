import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import * as ort from "onnxruntime-node";
import { exportOnnx } from "../../src/checkpoints/export_onnx.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import { encode } from "../../src/spa/encode.ts";
import { packFeedback, packPoints } from "../../src/spa/feedback.ts";
import { predictMasks } from "../../src/spa/predict_masks.ts";
import {
  aligned,
  decoded,
  largestDifference,
  medConfig,
  TOLERANCE,
  withExport,
} from "../helpers/exported.ts";
import { decodeModel } from "../helpers/onnx_reader.ts";
import {
  discImage,
  noisyWeights,
  samConfig,
  smallConfig,
} from "../helpers/small_model.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

await useEngine("onnx", { threads: 1 });
const image = discImage(20, 28, { x: 12, y: 9, radius: 6 });

/** Runs a file in ONNX Runtime, without anything of the engine. */
async function run(
  path: string,
  inputs: Record<string, ArrayLike<number>>,
): Promise<Record<string, Float32Array>> {
  const { inputs: declared } = decodeModel(await Deno.readFile(path));
  const session = await ort.InferenceSession.create(path);
  const feeds = Object.fromEntries(declared.map(({ name, shape }) => [
    name,
    new ort.Tensor("float32", Float32Array.from(inputs[name]), [...shape]),
  ]));
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [
      name,
      data as Float32Array,
    ]),
  );
}

/** An image that fits the square, in it; beside it what must not count. */
function inSquare({ shape: [h, w, C], data }: NdArray<Float32Array>) {
  const square = new Float32Array(32 * 32 * 3).fill(7);
  for (let i = 0; i < h * w * 3; i++) {
    const [y, x, c] = [Math.floor(i / (3 * w)), Math.floor(i / 3) % w, i % 3];
    square[(y * 32 + x) * 3 + c] = data[(y * w + x) * C + c % C];
  }
  return { image: square, size: [h, w] };
}

for (const config of [smallConfig, samConfig, medConfig]) {
  const what = config.pixelScaling ? "MedSAM" : config.sam ? "SAM" : "tiny";
  Deno.test(`exportOnnx() writes files that compute what the module does, ${what}`, async () => {
    using model = new Model(config, noisyWeights(config), { license: "any" });
    // its longer side is the square's, so that nothing is resized
    const fitting = discImage(20, 32, { x: 12, y: 9, radius: 6 });
    using embedding = await encode(model, fitting);
    const start = { box: { left: 3, top: 2, right: 20, bottom: 18 } };
    const preference = await aligned(model, embedding, start);
    const { latents, maps } = await decoded(model, embedding, preference);
    const options = { slots: 4 };
    await withExport(
      model,
      options,
      async (_, [encoder, generator, decoder, predictor]) => {
        const encoded = await run(encoder, inSquare(fitting));
        const own = (await embedding.values.read()).data;
        assert.ok(largestDifference(encoded.embedding, own) < TOLERANCE);

        const packed = packFeedback(config, [preference.feedback]);
        const feedback = {
          ...encoded,
          ...Object.fromEntries(
            Object.entries(packed).map(([name, { data }]) => [name, data]),
          ),
          has_mask: [1],
        };
        const mixture = await run(generator, {
          ...feedback,
          evidence: preference.evidence,
        });
        const { logWeights, means, deviations } = preference.distribution;
        for (
          const [values, expected] of [
            [mixture.log_weights, logWeights],
            [mixture.means, means.data],
            [mixture.deviations, deviations.data],
          ]
        ) assert.ok(largestDifference(values, expected) < TOLERANCE);

        const { probabilities } = await run(decoder, { ...feedback, latents });
        assert.ok(largestDifference(probabilities, maps) < TOLERANCE);
        const spread = largestDifference(maps, maps.toReversed());
        assert.ok(spread > 0.05, "the maps differ from one another");

        assert.equal(predictor !== undefined, config.sam !== undefined);
        if (!predictor) return;
        // as many slots as the files have
        const given = { points: [{ x: 8, y: 9 }], box: start.box };
        const [first] = await predictMasks(model, embedding, given);
        const prompts = packPoints([{ ...given, frame: embedding.frame }]);
        const plain = await run(predictor, {
          ...encoded,
          points: prompts.points.data,
          labels: prompts.labels.data,
          mask: new Float32Array(16 * 16),
          has_mask: [0],
        });
        const logits = plain.logits.slice(256, 512);
        assert.ok(largestDifference(logits, first.logits.data) < TOLERANCE);
        assert.ok(Math.abs(plain.iou[1] - first.iou) < TOLERANCE);
      },
    );
  });
}

Deno.test("an exported file has the weights by name, facts, and standard operators", async () => {
  using model = new Model(samConfig, noisyWeights(samConfig), {
    license: "any",
  });
  await withExport(model, { samples: 7, slots: 5 }, async (folder, paths) => {
    const names = ["encoder", "generator", "decoder", "predictor"];
    assert.deepEqual(
      paths,
      names.map((name) => `${folder}/new/files/${name}.onnx`),
    );
    const files = await Promise.all(
      paths.map(async (path) => decodeModel(await Deno.readFile(path))),
    );
    const found = new Map<string, Uint8Array>();
    for (const { nodes, metadata, description, constants } of files) {
      assert.deepEqual(nodes.filter(({ domain }) => domain), []);
      assert.equal(metadata!.license, "any");
      assert.deepEqual(JSON.parse(metadata!.config), samConfig);
      assert.match(description!, /\b(image|points): /);
      for (const { name, data } of constants) {
        if (!name.startsWith("#")) found.set(name, data as Uint8Array);
      }
    }
    const name = "mask_decoder.iou_token.weight";
    const bytes = found.get(name)!;
    const missing = [...model.weights.keys()].filter((name) =>
      !found.delete(name)
    );
    assert.deepEqual([...found.keys()], []);
    assert.deepEqual(
      missing.map((name) => name.replace(/.*(layers\.\d|final)/, "$1")),
      [ // adds the same to all scores of a query, which softmax drops
        "layers.0.cross_attn_token_to_image.k_proj.bias",
        "layers.1.cross_attn_token_to_image.k_proj.bias",
        "final_attn_token_to_image.k_proj.bias",
      ],
    );
    const stored = new Float32Array(bytes.slice().buffer);
    assert.deepEqual(stored, model.weights.get(name)!.data);
    const shapes = new Map(
      files[2].inputs.map(({ name, shape }) => [name, shape]),
    );
    assert.deepEqual(shapes.get("latents"), [1, 7, 6]);
    assert.deepEqual(shapes.get("points"), [1, 5, 2]);
  });
});

Deno.test("externalData puts the weights beside each file", async () => {
  using model = new Model(smallConfig, noisyWeights(smallConfig));
  const whole = await temporaryFolder();
  const [inside] = await exportOnnx(model, whole);
  await withExport(model, { externalData: true }, async (_, paths) => {
    assert.deepEqual(
      paths.map((path) => path.split("/").at(-1)),
      ["encoder", "generator", "decoder"].flatMap((name) => [
        `${name}.onnx`,
        `${name}.onnx.data`,
      ]),
    );
    const { constants } = decodeModel(await Deno.readFile(paths[0]));
    const offsets = constants.flatMap(({ external }) =>
      external ? [external.offset] : []
    );
    assert.ok(offsets.length > 10 && offsets.every((at) => at % 4096 === 0));
    const fitting = inSquare(image);
    assert.deepEqual(await run(paths[0], fitting), await run(inside, fitting));
  });
});

Deno.test("exportOnnx() refuses a folder that cannot be made, and absurd sizes", async () => {
  using model = new Model(smallConfig, noisyWeights(smallConfig));
  const file = `${await temporaryFolder()}/file`;
  await Deno.writeTextFile(file, "");
  await assert.rejects(exportOnnx(model, `${file}/folder`), {
    name: "RangeError",
    message:
      /its folder must be one that can be made: current value is .*\/folder/,
  });
  for (const samples of [0, 1.5, NaN]) {
    await assert.rejects(
      exportOnnx(model, file, { samples }),
      /samples must be an integer >= 1: current value is/,
    );
  }
  await assert.rejects(
    exportOnnx(model, file, { slots: 1 }),
    /slots must be an integer >= 2: current value is 1/,
  );
});
