"""Writes nifti.jsonl: small NIfTI files and what nibabel reads of them.

    pip install nibabel==5.4.2 numpy==2.4.6
    python tests/reference/make_nifti.py

Each line has the file (base64), and of nibabel.as_closest_canonical(file), in
which x grows to the right, y to anterior, z to superior (RAS+): the shape
[x, y, z, ...], the values in C order and the affine.
"""

import base64
import gzip
import itertools
import json
import pathlib
import struct

import nibabel as nib
import numpy as np

entries = []


def numbers(array):
    """Its values in C order, whole ones without a point."""
    return [int(v) if v == int(v) else float(v) for v in np.asarray(array, "float64").ravel()]


rng = np.random.default_rng(7)


def add(name, image, gz=False, patch=None, patch_file=None):
    raw = bytearray(image.to_bytes())
    if patch:
        patch(raw)
    read = type(image).from_bytes(bytes(raw))
    ras = nib.as_closest_canonical(read)
    data = np.asanyarray(ras.dataobj)
    if data.dtype.names:  # color: red, green, blue (alpha is dropped)
        data = np.stack([data[c] for c in "RGB"], -1)
    if patch_file:
        patch_file(raw)
    file = gzip.compress(bytes(raw), mtime=0) if gz else bytes(raw)
    entries.append({
        "name": name,
        "file": base64.b64encode(file).decode(),
        "shape": list(data.shape),
        "values": numbers(data),
        "affine": numbers(ras.affine),
    })


def affine_of(codes, sizes=(1.5, 2, 3), origin=(10, -20, 30)):
    matrix = np.zeros((4, 4))
    for axis, code in enumerate(codes):
        world = ["LR", "PA", "IS"].index(next(p for p in ("LR", "PA", "IS") if code in p))
        matrix[world, axis] = sizes[axis] * (1 if code in "RAS" else -1)
    matrix[:3, 3] = origin
    matrix[3, 3] = 1
    return matrix


def rotation(x, y, z):
    cx, sx, cy, sy, cz, sz = np.cos(x), np.sin(x), np.cos(y), np.sin(y), np.cos(z), np.sin(z)
    return (np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
            @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
            @ np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]]))


counting = np.arange(24, dtype="int16").reshape(2, 3, 4)

for pairs in itertools.permutations(("LR", "PA", "IS")):
    for codes in itertools.product(*pairs):
        image = nib.Nifti1Image(counting, affine_of(codes))
        image.set_qform(None, 0)
        add("sform " + "".join(codes), image, gz=True)

for name, angles in (("oblique", (0.3, -0.2, 0.1)), ("turned", (1.4, 0.2, 2.9))):
    oblique = np.eye(4)
    oblique[:3, :3] = rotation(*angles) @ np.diag([1.5, 2, 3])
    oblique[:3, 3] = -5, 6, 7
    image = nib.Nifti1Image(counting, None)
    image.set_qform(oblique, 1)
    add(f"qform {name}", image)
    mirrored = oblique @ np.diag([1, 1, -1, 1])
    image = nib.Nifti1Image(counting, None)
    image.set_qform(mirrored, 1)
    add(f"qform {name}, mirrored", image)
    image = nib.Nifti2Image(counting, None)
    image.set_qform(mirrored, 2)
    add(f"NIfTI-2 qform {name}, mirrored", image, gz=True)
    image = nib.Nifti1Image(counting, oblique)
    image.set_qform(affine_of("LPI"), 1)
    add(f"sform {name} before another qform", image)

image = nib.Nifti1Image(counting, None)
image.header.set_zooms((2, 3, 4))
add("neither form", image)

for byteorder, end in (("little", "<"), ("big", ">")):
    for kind in (nib.Nifti1Image, nib.Nifti2Image):
        version = kind.__name__[5]
        for dtype in "u1 i1 i2 u2 i4 u4 i8 u8 f4 f8".split():
            low, high = (-90, 90) if dtype[0] in "if" else (0, 200)
            data = rng.integers(low, high, (3, 2, 2)).astype(end + dtype)
            header = kind.header_class(endianness=end)
            header.set_data_dtype(end + dtype)
            image = kind(data, affine_of("LAS"), header)
            add(f"NIfTI-{version} {dtype} {byteorder} endian", image, gz=dtype == "i2")


def scale(slope, inter):
    return lambda raw: raw.__setitem__(slice(112, 120), struct.pack("<ff", slope, inter))


add("slope 0.5, intercept -1024", nib.Nifti1Image(counting, affine_of("RAS")), patch=scale(0.5, -1024))
add("slope 0: unscaled", nib.Nifti1Image(counting, affine_of("RAS")), patch=scale(0, 7))
add("slope 2 on uint8", nib.Nifti1Image(counting.astype("uint8"), affine_of("RAS")), patch=scale(2, 0))


# nibabel cannot reorient two dimensions: it reads three, of which one is 1.
def forget_third(raw):
    raw[40:48] = struct.pack("<4h", 2, 2, 3, 0)


add("two dimensions", nib.Nifti1Image(counting[:, :, :1].copy(), affine_of("LPS")), patch_file=forget_third)
add("coronal, one slice", nib.Nifti1Image(counting[:, :, :1].copy(), affine_of("RSA")))
four = np.arange(2 * 3 * 2 * 4, dtype="int16").reshape(2, 3, 2, 4)
add("four dimensions", nib.Nifti1Image(four, affine_of("ALI")))
add("five dimensions", nib.Nifti1Image(four.reshape(2, 3, 2, 1, 4), affine_of("PIR")))
for name, fields in (("RGB24", "RGB"), ("RGBA32", "RGBA")):
    color = np.zeros((2, 3, 2), dtype=[(f, "u1") for f in fields])
    for field in fields:
        color[field] = rng.integers(0, 256, (2, 3, 2))
    add(name, nib.Nifti1Image(color, affine_of("LAS")))

path = pathlib.Path(__file__).with_name("nifti.jsonl")
path.write_text("".join(json.dumps(e, separators=(",", ":")) + "\n" for e in entries))
print(len(entries), "files,", path.stat().st_size, "bytes")
