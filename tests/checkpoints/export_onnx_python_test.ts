import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { phantom } from "../../src/phantoms/phantom.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import { encode } from "../../src/spa/encode.ts";
import type { ImageEmbedding } from "../../src/spa/embedding.ts";
import { mapToImage } from "../../src/spa/frame.ts";
import {
  aligned,
  decoded,
  largestDifference,
  medConfig,
  TOLERANCE,
  withExport,
} from "../helpers/exported.ts";
import { findPython } from "../helpers/python.ts";
import { discImage, noisyWeights, samConfig } from "../helpers/small_model.ts";

await useEngine("onnx", { threads: 1 });
const python = await findPython("onnxruntime", "onnx", "numpy", "PIL");
if (!python) {
  console.log(
    "skipped: no python3 with onnxruntime, onnx, numpy and Pillow (or name one in SPA_PYTHON); exported files in Python",
  );
}

/** What Python computes of a case with the exported files. */
async function inPython(folder: string, given: Record<string, unknown>) {
  const path = `${folder}/case.json`;
  await Deno.writeTextFile(path, JSON.stringify(given));
  const { success, stderr } = await new Deno.Command(python!, {
    args: [
      new URL("../helpers/run_exported.py", import.meta.url).pathname,
      path,
    ],
    stdout: "null",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return (name: string) =>
    new Float32Array(Deno.readFileSync(`${path}.${name}`).buffer);
}

/** The mean map's mask at the image's size; near: as good as on its edge. */
function recommendedMask(maps: Float32Array, { frame }: ImageEmbedding) {
  const side = Math.sqrt(maps.length / 48);
  const mean = Float32Array.from({ length: side * side }, (_, i) => {
    let sum = 0;
    for (let n = 0; n < 48; n++) sum += maps[n * side * side + i];
    return sum / 48;
  });
  const { data } = mapToImage(ndarray(mean, [side, side]), frame);
  return {
    mask: Array.from(data, (value) => value >= 0.5 ? 1 : 0),
    near: Array.from(data, (value) => Math.abs(value - 0.5) < TOLERANCE),
  };
}

const cases = [
  {
    what: "the shipped model",
    model: () => loadModel("tiny"),
    image: phantom({ kind: "kidney", seed: 9 }).image,
    start: { points: [{ x: 50, y: 35 }] },
  },
  {
    what: "SAM's networks, an image that is not square",
    model: () => new Model(samConfig, noisyWeights(samConfig)),
    image: discImage(45, 70, { x: 30, y: 20, radius: 15 }),
    start: { box: { left: 12, top: 4, right: 50, bottom: 38 } },
  },
  {
    what: "MedSAM's intensities, an image that grows",
    model: () => new Model(medConfig, noisyWeights(medConfig)),
    image: discImage(20, 28, { x: 12, y: 9, radius: 6 }),
    start: { points: [{ x: 12, y: 9 }] },
  },
];
for (const { what, model: load, image, start } of cases) {
  Deno.test({
    name: `the exported files give the same masks in Python: ${what}`,
    ignore: !python,
    fn: async () => {
      using model = await load();
      using embedding = await encode(model, image);
      const preference = await aligned(model, embedding, start);
      const { latents, maps } = await decoded(model, embedding, preference);
      const { feedback, evidence, distribution } = preference;
      await withExport(model, {}, async (folder) => {
        const output = await inPython(folder, {
          folder: `${folder}/new/files`,
          image: [...image.data],
          shape: image.shape,
          points: feedback.points.map(({ x, y, label }) => [x, y, label ?? 1]),
          box: feedback.box ? Object.values(feedback.box) : null,
          choices: feedback.choices.map((
            { recommended, candidates, chosen },
          ) => ({
            recommended: [...recommended.data],
            candidates: candidates.flatMap(({ data }) => [...data]),
            chosen,
          })),
          evidence: [...evidence],
          latents: [...latents],
        });
        const own = await embedding.values.read();
        const scale = Math.max(...own.data.map(Math.abs));
        const error = largestDifference(output("embedding"), own.data) / scale;
        assert.ok(error < TOLERANCE, `embedding ${error}`);
        const { means } = distribution;
        const off = largestDifference(output("means"), means.data);
        assert.ok(off < TOLERANCE, `means ${off}`);
        const worst = largestDifference(output("probabilities"), maps);
        assert.ok(worst < TOLERANCE, `probabilities ${worst}`);
        const { mask, near } = recommendedMask(maps, embedding);
        const other = output("mask").findIndex((value, i) =>
          value !== mask[i] && !near[i]
        );
        assert.equal(other, -1, "the masks are the same, pixel by pixel");
        assert.ok(mask.includes(1) && mask.includes(0));
      });
    },
  });
}
