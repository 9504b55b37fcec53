"""Writes tests/fixtures/*.pth with PyTorch's own torch.save.

    python3 tests/reference/make_pth_fixtures.py

Every value is a small formula, so that a test can name it: element i of a
tensor "scaled by s" is s * (i - 2). Any PyTorch since 1.6 will do.
"""

import collections
import os

import torch

here = os.path.join(os.path.dirname(__file__), "..", "fixtures")
os.makedirs(here, exist_ok=True)


def ramp(shape, scale=1.0, dtype=torch.float32):
    size = 1
    for side in shape:
        size *= side
    values = scale * (torch.arange(size, dtype=torch.float64) - 2)
    return values.reshape(shape).to(dtype)


def save(name, value, **options):
    torch.save(value, os.path.join(here, name), **options)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = torch.nn.Linear(3, 2)
        self.norm = torch.nn.BatchNorm1d(2)


net = Net()
with torch.no_grad():
    net.lin.weight.copy_(ramp([2, 3], 0.25))
    net.lin.bias.copy_(ramp([2], 4))
save("state_dict.pth", net.state_dict())
save("protocol5.pth", net.state_dict(), pickle_protocol=5)
save("legacy.pth", net.state_dict(), _use_new_zipfile_serialization=False)
save("module.pth", net)  # names the class: refused

# as training loops save: a dict in a dict, with numbers and text beside
save("training.pth", {
    "model": collections.OrderedDict(
        ("module." + name, value) for name, value in net.state_dict().items()
    ),
    "optimizer": torch.optim.AdamW(net.parameters(), lr=1e-3).state_dict(),
    "epoch": 3,
    "best_dice": 0.9,
    "name": "Ärzte",
    "big": 2**40,
    "none": None,
    "flags": [True, False],
})

matrix = ramp([3, 4])
save("types.pth", {
    "float64": ramp([5], 0.1, torch.float64),
    "float32": ramp([5], 0.1),
    "float16": ramp([5], 0.5, torch.float16),
    "bfloat16": ramp([5], 0.5, torch.bfloat16),
    "int64": ramp([5], 1000, torch.int64),
    "int32": ramp([5], 1000, torch.int32),
    "int16": ramp([5], 1000, torch.int16),
    "int8": ramp([5], 10, torch.int8),
    "uint8": ramp([5], 1, torch.float32).abs().to(torch.uint8),
    "bool": ramp([5], 1) > 0,
    "scalar": torch.tensor(7.5),
    "empty": torch.zeros(0, 4),
    "parameter": torch.nn.Parameter(matrix.clone()),
    "whole": matrix,
    "transposed": matrix.t(),
    "rows": matrix[1:],
    "column": matrix[:, 1],
    "every_other": matrix[::2, ::2],
})
save("expanded.pth", {"x": torch.ones(1).expand(1000)})  # refused
save("infinite.pth", {"x": torch.tensor([1.0, float("nan")])})
