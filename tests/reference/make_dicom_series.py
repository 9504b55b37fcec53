"""Writes dicom_series.jsonl: small DICOM series and what others read of them.

    pip install pydicom==3.0.2 simpleitk==2.5.7 nibabel==5.4.2 numpy==2.4.6
    python tests/reference/make_dicom_series.py

Each line has the files by name (deflated, base64) and either an error's words
or, as ITK's series reader has them, the values [slice, row, column], the spacing
of slices, rows and columns and the affine to RAS+ in nibabel's sense, whose axis
codes of (column, row, slice) stand beside it. ITK cannot place sheared slices:
for those the affine is that of nibabel's "DICOM affine formula", in which the
slice step is (last position - first position) / (count - 1).
"""

import base64
import io
import json
import pathlib
import tempfile
import zlib

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

rng = np.random.default_rng(11)
ROWS, COLUMNS = 3, 4
AXIAL = (1, 0, 0, 0, 1, 0)
CORONAL = (1, 0, 0, 0, 0, -1)
SAGITTAL = (0, 1, 0, 0, 0, -1)
entries = []


def file_of(position, cosines=AXIAL, number=1, pixels=None, remove=(), **attributes):
    pixels = rng.integers(-500, 500, (ROWS, COLUMNS)).astype("int16") if pixels is None else pixels
    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    d.file_meta.MediaStorageSOPClassUID = d.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    d.file_meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID = f"1.2.3.{rng.integers(1e9)}"
    d.Modality, d.SeriesInstanceUID, d.InstanceNumber = "CT", "1.2.3.4", number
    d.ImagePositionPatient = [f"{x:.6f}" for x in position]
    d.ImageOrientationPatient = [f"{x:.7f}" for x in cosines]
    d.PixelSpacing, d.SliceThickness = ["0.7", "0.9"], "9"
    d.RescaleSlope, d.RescaleIntercept = "1", "-1024"
    d.Rows, d.Columns = pixels.shape[-2:]
    d.SamplesPerPixel, d.PhotometricInterpretation = 1, "MONOCHROME2"
    d.BitsAllocated = d.BitsStored = 16
    d.HighBit, d.PixelRepresentation = 15, 1
    d.PixelData = pixels.tobytes()
    d["PixelData"].VR = "OW"
    for key, value in attributes.items():
        setattr(d, key, value)
    for key in remove:
        delattr(d, key)
    buffer = io.BytesIO()
    d.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def normal_of(cosines):
    return np.cross(cosines[:3], cosines[3:])


def series(count, between, cosines=AXIAL, origin=(-12.5, 30.25, -77), order=None, step=None, **attributes):
    """Files a.dcm, b.dcm .. of slices in an order that is not their names'."""
    step = normal_of(cosines) * between if step is None else np.array(step)
    order = rng.permutation(count) if order is None else order
    return {
        f"{chr(97 + place)}.dcm": file_of(np.array(origin) + i * step, cosines, place + 1, **attributes)
        for place, i in enumerate(order)
    }


def packed(files):
    return {name: base64.b64encode(zlib.compress(raw, 9)).decode() for name, raw in files.items()}


def refuse(name, error, files):
    entries.append({"name": name, "files": packed(files), "error": error})


def add(name, files, step=None):
    with tempfile.TemporaryDirectory() as folder:
        for file, raw in files.items():
            pathlib.Path(folder, file).write_bytes(raw)
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(folder))
        image = reader.Execute()
    spacing = np.array(image.GetSpacing())
    direction = np.array(image.GetDirection()).reshape(3, 3)
    columns = direction * spacing
    if step is not None:
        columns[:, 2] = step
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = columns, image.GetOrigin()
    affine = np.diag([-1, -1, 1, 1]) @ affine  # LPS+ to RAS+
    values = sitk.GetArrayFromImage(image)
    entries.append({
        "name": name,
        "files": packed(files),
        "shape": list(values.shape),
        "values": [float(v) for v in values.ravel()],
        "spacing": [float(s) for s in nib.affines.voxel_sizes(affine)[[2, 1, 0]]],
        "affine": [float(v) for v in affine.ravel()],
        "codes": "".join(nib.aff2axcodes(affine)),
    })


def rotated(x, y):
    cx, sx, cy, sy = np.cos(x), np.sin(x), np.cos(y), np.sin(y)
    turn = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return tuple(turn[:, 0]) + tuple(turn[:, 1])


add("axial, shuffled", series(5, 2.5))
add("axial, two slices from the head down", series(2, 1.25, order=[1, 0]))
add("coronal", series(4, 3, CORONAL))
add("sagittal", series(4, 1.1, SAGITTAL))
add("oblique", series(4, 2, rotated(0.3, -0.2)))
add("axial, rows to anterior", series(3, 2, (1, 0, 0, 0, -1, 0)))
tilted = (0, 0.4, 2)
add("tilted gantry", series(4, 0, step=tilted), step=tilted)
files = {name: file_of((0, 0, 3 * i), RescaleSlope=str(i + 0.5), RescaleIntercept=str(10 * i))
         for i, name in enumerate(("z", "y.ima", "x.dcm"))}
add("each with a slope of its own, any names", files)
jitter = {f"{i}.dcm": file_of((0, 0, round(i * 1.3333, 2))) for i in range(6)}
add("rounded positions", jitter)

gap = series(6, 2.5, order=range(6))
del gap["c.dcm"]
refuse("a missing slice", r"current value is 5\.000 mm from b\.dcm to d\.dcm, mostly 2\.500 mm", gap)
twice = series(4, 2.5, order=range(4))
refuse("a slice that is there twice", r"current value is 0\.000 mm from c\.dcm to copy\.dcm, mostly 2\.500 mm",
       {**twice, "copy.dcm": twice["c.dcm"]})
refuse("two at one place", r"current value is 0\.000 mm", series(2, 0))
refuse("slices side by side", r"one behind the other", series(3, 0, step=(5, 0, 0)))
refuse("a bend", r"at equal distances",
       {f"{i}.dcm": file_of((3 if i == 2 else 0, 0, 2 * i)) for i in range(5)})
base = series(3, 2.5, order=range(3))
after = (-12.5, 30.25, -77 + 7.5)
for name, error, odd in (
    ("two series", r"be of one series, or series must name one: current value is 1\.2\.3\.4 \(3 files\); 1\.2\.3\.5 \(1 files\)", dict(SeriesInstanceUID="1.2.3.5")),
    ("another size", r"have 3 x 4 x 1 samples: current value is 2 x 4 x 1", dict(pixels=np.zeros((2, 4), "int16"))),
    ("several frames", r"have one frame: current value is 2", dict(pixels=np.zeros((2, 3, 4), "int16"), NumberOfFrames=2)),
    ("another direction", r"lie in one direction", dict(cosines=CORONAL)),
    ("other pixels", r"have pixels of 0\.7 x 0\.9 mm: current value is 0\.7 x 0\.7", dict(PixelSpacing=["0.7", "0.7"])),
    ("negative of the others", r"be MONOCHROME2: current value is MONOCHROME1", dict(PhotometricInterpretation="MONOCHROME1")),
    ("no position", r"state their pixels' spacing, orientation and position: .*position none", dict(remove=["ImagePositionPatient"])),
    ("no orientation", r"orientation none", dict(remove=["ImageOrientationPatient"])),
    ("no spacing", r"spacing none", dict(remove=["PixelSpacing"])),
):
    refuse(name, error, {**base, "odd.dcm": file_of(after, **odd)})
refuse("directions that are none", r"state their pixels' spacing, orientation",
       {f"{i}.dcm": file_of((0, 0, i), (1, 0, 0, 1, 0, 0)) for i in range(2)})
refuse("a file that is cut off", r"current value is 10 bytes|undamaged", {**base, "b.dcm": base["b.dcm"][:-14]})

path = pathlib.Path(__file__).with_name("dicom_series.jsonl")
path.write_text("".join(json.dumps(e, separators=(",", ":")) + "\n" for e in entries))
print(len(entries), "series,", path.stat().st_size, "bytes")
