/**
 * Compares a SAM at full size with PyTorch's values, which
 * `make.py --full SIZE --model MODEL --out FOLDER` writes (see there):
 *
 *     deno run -A tests/reference/compare_full.ts FOLDER SIZE [MODEL]
 *
 * MODEL is vit_b (default), vit_l or vit_h.
 */
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { readSafetensors } from "../../src/checkpoints/safetensors.ts";
import { useEngine } from "../../src/engine/engine.ts";
import type { HostTensor } from "../../src/engine/tensors.ts";
import { type PresetName, presets } from "../../src/model/config.ts";
import { encode } from "../../src/spa/encode.ts";
import { predictMasks } from "../../src/spa/predict_masks.ts";
import { imageOf, promptsOf, relativeError } from "../helpers/sam_reference.ts";

const CASES = ["point", "points", "box", "box-points", "mask-point", "mask"];

/** The largest memory the process has held, in MB. */
function peakMemory(): string {
  const status = Deno.readTextFileSync("/proc/self/status");
  return `${Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024)} MB`;
}

const [folder, side, network = "vit_b"] = Deno.args;
const { tensors: expected } = readSafetensors(
  await Deno.readFile(`${folder}/${network}_${side}.safetensors`),
);
const preset = `sam-${network.replace("_", "-")}` as PresetName;
const { name, threads } = await useEngine("onnx", { threads: 2 });
console.log(`${name}, ${threads} threads, ${preset} at ${side} px`);
const start = performance.now();
using model = await loadModel(`${folder}/${network}.safetensors`, {
  config: { ...presets[preset], imageSize: Number(side) },
  onReport: () => {},
});
console.log(
  `weights read: ${
    Math.round(performance.now() - start)
  } ms, peak ${peakMemory()}`,
);

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
