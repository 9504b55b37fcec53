"""What tests/reference/run_exported.py computes of a case, for the tests.

    python tests/helpers/run_exported.py CASE.json

CASE names the exported folder and holds image, feedback, evidence and latents;
beside it are written, as raw float32, the outputs of the three files.
"""
import json
import os
import sys

import numpy as np
import onnx

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "reference"))
from run_exported import ExportedModel  # noqa: E402

path = sys.argv[1]
with open(path) as file:
    case = json.load(file)
for name in sorted(os.listdir(case["folder"])):
    if name.endswith(".onnx"):
        onnx.checker.check_model(os.path.join(case["folder"], name), full_check=True)
model = ExportedModel(case["folder"], threads=1)
image = model.encode(np.reshape(case["image"], case["shape"]).astype(np.float32))
choices = [{"recommended": np.reshape(choice["recommended"], (model.side, model.side)),
            "candidates": np.reshape(choice["candidates"], (-1, model.side, model.side)),
            "chosen": choice["chosen"]} for choice in case["choices"]]
feedback = model.feedback(image, [tuple(point) for point in case["points"]], case["box"], choices)
mixture = model.generate(image, feedback, np.array(case["evidence"]))
latents = np.reshape(case["latents"], (model.samples, -1))
maps = model.decode(image, feedback, latents)
for name, values in {**mixture, "probabilities": maps, "embedding": image["embedding"],
                     "mask": model.mask(image, maps.mean(0))}.items():
    values.astype(np.float32).tofile(f"{path}.{name}")
