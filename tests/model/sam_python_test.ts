import assert from "node:assert/strict";
import { readSafetensors } from "../../src/checkpoints/safetensors.ts";
import { useEngine } from "../../src/engine/engine.ts";
import type { HostTensor } from "../../src/engine/tensors.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import { Model } from "../../src/model/model.ts";
import { initializeWeights } from "../../src/model/declare_weights.ts";
import { withExport } from "../helpers/exported.ts";
import { findPython } from "../helpers/python.ts";
import { imageOf, promptsOf, relativeError } from "../helpers/sam_reference.ts";

await useEngine("onnx", { threads: 1 });
const python = await findPython("onnxruntime", "numpy", "PIL");
if (!python) {
  console.log(
    "skipped: no python3 with onnxruntime, numpy and Pillow (or name one in SPA_PYTHON); predictor.onnx in Python",
  );
}

const CASES = ["point", "points", "box", "box-points", "mask-point", "mask"];

/** Runs the exported predictor on every case of the standard input. */
const PROGRAM = `
import json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import numpy as np
from run_exported import ExportedModel
case = json.load(sys.stdin)
model = ExportedModel(case["folder"], threads=1)
image = model.encode(np.reshape(case["image"], case["shape"]).astype(np.float32))
results = []
for given in case["prompts"]:
    prompts = model.feedback(image, given["points"], given["box"])
    mask = given["logits"] or np.zeros(model.side ** 2)
    prompts |= {"mask": np.reshape(mask, (1, model.side, model.side, 1)),
                "has_mask": [1.0 if given["logits"] else 0.0]}
    outputs = model.run("predictor", image | prompts)
    results.append({name: value.ravel().tolist() for name, value in outputs.items()})
json.dump(results, sys.stdout)
`;

async function inPython(given: unknown): Promise<Record<string, number[]>[]> {
  const reference = new URL("../reference", import.meta.url).pathname;
  const child = new Deno.Command(python!, {
    args: ["-c", PROGRAM, reference],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(given)));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

const fixture = (name: string) =>
  // by tests/reference/make.py
  readSafetensors(
    Deno.readFileSync(new URL(`../fixtures/${name}`, import.meta.url)),
  );

Deno.test({
  name:
    "the exported predictor, run in Python, gives segment-anything's masks and IoU for every kind of prompt",
  ignore: !python,
  fn: async () => {
    const stored = fixture("sam_weights.safetensors");
    const { tensors } = fixture("sam_prompts.safetensors");
    const config: ModelConfig = JSON.parse(stored.metadata.config);
    const weights = new Map(initializeWeights(config, 1));
    for (const [name, tensor] of stored.tensors) {
      weights.set(name, tensor as HostTensor & { data: Float32Array });
    }
    using model = new Model(config, weights);
    const image = imageOf(tensors.get("image")!);
    await withExport(model, {}, async (folder) => {
      const prompts = CASES.map((name) => {
        const { points = [], box, logits } = promptsOf(tensors, name);
        return {
          points: points.map(({ x, y, label }) => [x, y, label]),
          box: box ? Object.values(box) : null,
          logits: logits ? [...logits.data] : null,
        };
      });
      const results = await inPython({
        folder: `${folder}/new/files`,
        image: [...image.data],
        shape: image.shape,
        prompts,
      });
      for (const [i, name] of CASES.entries()) {
        for (const part of ["logits", "iou"]) {
          const data = Float32Array.from(results[i][part]);
          const expected = tensors.get(`${name}/${part}`)!;
          const error = relativeError({ data, shape: [] }, expected);
          assert.ok(error < 1e-3, `${part} of ${name} differ by ${error}`);
        }
      }
    });
  },
});
