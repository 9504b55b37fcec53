/**
 * Compares SAM ViT-B at full size with PyTorch's values, which
 * `make.py --full SIZE --out FOLDER` writes (see there):
 *
 *     deno run -A tests/reference/compare_full.ts FOLDER SIZE
 */
import { readSafetensors } from "../../src/checkpoints/safetensors.ts";
import { useEngine } from "../../src/engine/engine.ts";
import type { HostTensor } from "../../src/engine/tensors.ts";
import { presets } from "../../src/model/config.ts";
import { Model } from "../../src/model/model.ts";
import {
  type HostWeights,
  initializeWeights,
} from "../../src/model/weights.ts";
import { encode } from "../../src/spa/encode.ts";
import { predictMasks } from "../../src/spa/predict_masks.ts";
import { imageOf, promptsOf, relativeError } from "../_sam_reference.ts";

const CASES = ["point", "points", "box", "box-points", "mask-point", "mask"];

/** The largest memory the process has held, in MB. */
function peakMemory(): string {
  const status = Deno.readTextFileSync("/proc/self/status");
  return `${Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024)} MB`;
}

const [folder, side] = Deno.args;
const read = async (name: string) =>
  readSafetensors(await Deno.readFile(`${folder}/${name}.safetensors`)).tensors;
const expected = await read(`vit_b_${side}`);
const config = { ...presets["sam-vit-b"], imageSize: Number(side) };
const weights = new Map([
  ...initializeWeights(config, 1),
  ...await read("vit_b") as unknown as HostWeights,
]);
const { name, threads } = await useEngine("onnx", { threads: 2 });
console.log(`${name}, ${threads} threads, ViT-B at ${side} px`);
console.log(`weights read: peak ${peakMemory()}`);
using model = new Model(config, weights);

const image = imageOf(expected.get("image")!);
for (const run of ["compiled and encoded", "encoded"]) {
  const begin = performance.now();
  using embedding = await encode(model, image);
  console.log(`${run}: ${Math.round(performance.now() - begin)} ms`);
  if (run !== "encoded") continue;
  const values = await embedding.values.read();
  const errors: Record<string, Record<string, number>> = {
    embedding: { logits: relativeError(values, expected.get("embedding")!) },
  };
  for (const name of CASES) {
    const prompts = promptsOf(expected, name);
    const masks = [
      ...await predictMasks(model, embedding, prompts, { multimask: false }),
      ...await predictMasks(model, embedding, prompts),
    ];
    const logits = masks.flatMap(({ logits }) => [...logits.data]);
    const joined = (values: number[]): HostTensor => ({
      data: Float32Array.from(values),
      shape: [values.length],
    });
    const iou = masks.map(({ iou }) => iou);
    errors[name] = {
      logits: relativeError(joined(logits), expected.get(`${name}/logits`)!),
      IoU: relativeError(joined(iou), expected.get(`${name}/iou`)!),
    };
  }
  const all = Object.values(errors).flatMap((row) => Object.values(row));
  if (!all.every((error) => error < 1e-3)) Deno.exitCode = 1;
  console.log("largest difference, relative to the largest value");
  console.table(errors);
}
console.log(`peak ${peakMemory()}`);
