"""Writes numpy arrays and PyTorch's tensors as safetensors."""
import json
import os
import struct

import numpy as np


def write(path, tensors, metadata=None):
    """Writes tensors by name."""
    names = {"float32": "F32", "float16": "F16", "uint8": "U8"}
    header, chunks, at = {"__metadata__": metadata or {}}, [], 0
    for name, tensor in tensors.items():
        array = np.ascontiguousarray(
            tensor.detach().numpy() if hasattr(tensor, "detach") else tensor)
        header[name] = {"dtype": names[str(array.dtype)], "shape": list(array.shape),
                        "data_offsets": [at, at + array.nbytes]}
        chunks.append(array)
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for chunk in chunks:
            file.write(chunk.tobytes())
    print(f"{path}: {os.path.getsize(path)} bytes")
