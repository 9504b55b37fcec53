"""Writes dicom.jsonl: small DICOM files and what pydicom reads of them.

    pip install pydicom==3.0.2 numpy==2.4.6 pillow==13.0.0 python-gdcm==3.2.6 \
        pylibjpeg==2.1.0 pylibjpeg-libjpeg==2.5.0 pylibjpeg-openjpeg==2.6.0
    python tests/reference/make_dicom.py

Each line has the file (base64), the shape [frame, row, column, sample], the
values of apply_modality_lut(pixel_array) and, where the file has a window, the
values of apply_voi_lut between 0 and 1.
"""

import base64
import io
import json
import pathlib
import tempfile

import gdcm
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian,
    ImplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless,
)

entries = []


def numbers(array):
    """Its values in C order, whole ones without a point."""
    return [int(v) if v == int(v) else float(v) for v in np.asarray(array, "float64").ravel()]


rng = np.random.default_rng(3)
ROWS, COLUMNS = 6, 5


def dataset(pixels, syntax=ExplicitVRLittleEndian, stored=None, high=None, **attributes):
    """pixels: [frame, row, column, sample]."""
    frames, rows, columns, samples = pixels.shape
    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = syntax
    d.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    d.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    d.SOPClassUID = d.file_meta.MediaStorageSOPClassUID
    d.SOPInstanceUID = "1.2.3.4"
    d.Rows, d.Columns, d.SamplesPerPixel = rows, columns, samples
    d.PhotometricInterpretation = "MONOCHROME2" if samples == 1 else "RGB"
    if frames > 1:
        d.NumberOfFrames = frames
    if samples > 1:
        d.PlanarConfiguration = 0
    d.BitsAllocated = pixels.dtype.itemsize * 8
    d.BitsStored = stored or d.BitsAllocated
    d.HighBit = d.BitsStored - 1 if high is None else high
    d.PixelRepresentation = int(pixels.dtype.kind == "i")
    for key, value in attributes.items():
        setattr(d, key, value)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    raw = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    d.PixelData = raw + b"\0" * (len(raw) % 2)
    d["PixelData"].VR = "OW" if d.BitsAllocated > 8 else "OB"
    return d


def to_bytes(d):
    buffer = io.BytesIO()
    syntax = d.file_meta.TransferSyntaxUID
    d.save_as(buffer, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian, enforce_file_format=True)
    return buffer.getvalue()


def add(name, d, raw=None, error=None):
    raw = raw or to_bytes(d)
    entry = {"name": name, "file": base64.b64encode(raw).decode()}
    if error:
        entry["error"] = error
    else:
        read = pydicom.dcmread(io.BytesIO(raw))
        array = read.pixel_array
        values = apply_modality_lut(array, read)
        frames = int(read.get("NumberOfFrames", 1))
        entry["shape"] = [frames, read.Rows, read.Columns, read.SamplesPerPixel]
        entry["values"] = numbers(values)
        if "WindowCenter" in read:
            shown = np.asarray(apply_voi_lut(values, read), "float64")
            low = read.WindowCenter - 0.5 - (read.WindowWidth - 1) / 2
            high = read.WindowCenter - 0.5 + (read.WindowWidth - 1) / 2
            # pydicom maps [low, high] to the range of its output.
            bottom, top = np.clip(values, low, high).min(), np.clip(values, low, high).max()
            assert bottom == low and top == high, "the pixels must reach both ends"
            shown = (shown - shown.min()) / (shown.max() - shown.min())
            entry["shown"] = [round(float(v), 6) for v in shown.ravel()]
    entries.append(entry)


def recode(raw, syntax):
    """The file in another transfer syntax, by gdcm."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = f"{folder}/a.dcm", f"{folder}/b.dcm"
        pathlib.Path(source).write_bytes(raw)
        reader = gdcm.ImageReader()
        reader.SetFileName(source)
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(target)
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return pathlib.Path(target).read_bytes()


grey16 = rng.integers(-1000, 1000, (1, ROWS, COLUMNS, 1)).astype("int16")
gray8 = rng.integers(0, 256, (1, ROWS, COLUMNS, 1)).astype("uint8")
twelve = rng.integers(0, 4096, (1, ROWS, COLUMNS, 1)).astype("uint16")
signed12 = rng.integers(-2048, 2048, (1, ROWS, COLUMNS, 1)).astype("int16")
frames = rng.integers(0, 4096, (3, ROWS, COLUMNS, 1)).astype("uint16")
color = rng.integers(0, 256, (1, ROWS, COLUMNS, 3)).astype("uint8")
hu = dict(RescaleSlope="2.5", RescaleIntercept="-1024")

add("explicit", dataset(grey16, **hu))
add("implicit", dataset(grey16, ImplicitVRLittleEndian, **hu))
add("big endian", dataset(grey16, ExplicitVRBigEndian, **hu))
add("deflated", dataset(grey16, DeflatedExplicitVRLittleEndian, **hu))
add("8 bits", dataset(gray8))
add("12 of 16 bits, others set above", dataset((twelve | 0xA000).astype("uint16"), stored=12))
add("signed, 12 of 16 bits", dataset((signed12 & 0x0FFF).astype("int16"), stored=12))
add("32 bits", dataset((twelve.astype("uint32") << 12)))
add("three frames", dataset(frames, **hu))
add("color by pixel", dataset(color))
planar = dataset(color, PlanarConfiguration=1)
planar.PixelData = color[0].transpose(2, 0, 1).tobytes()
planar["PixelData"].VR = "OB"
add("color by plane", planar)
add("window", dataset(twelve, stored=12, RescaleSlope="1", RescaleIntercept="-1000", WindowCenter="40", WindowWidth="400"))
add("window, MONOCHROME1", dataset(twelve, stored=12, PhotometricInterpretation="MONOCHROME1", WindowCenter="2000", WindowWidth="1500"))

enhanced = dataset(frames)
transform = Dataset()
transform.RescaleSlope, transform.RescaleIntercept, transform.RescaleType = "2", "-500", "HU"
measures = Dataset()
measures.PixelSpacing, measures.SliceThickness = ["0.5", "0.75"], "3"
shared = Dataset()
shared.PixelValueTransformationSequence = Sequence([transform])
shared.PixelMeasuresSequence = Sequence([measures])
enhanced.SharedFunctionalGroupsSequence = Sequence([shared])
add("shared functional groups", enhanced)
# pydicom's apply_modality_lut does not look into the shared groups.
entries[-1]["values"] = [2 * v - 500 for v in entries[-1]["values"]]

for name, pixels, stored in (("8 bits", gray8, 8), ("signed", grey16, 16), ("color", color, 8), ("three frames", frames, 16)):
    d = dataset(pixels, stored=stored)
    d.compress(RLELossless)
    add(f"RLE, {name}", d)
for name, pixels, stored in (("8 bits", gray8, 8), ("12 bits", twelve, 12), ("three frames", frames, 12), ("color", color, 8), ("signed", grey16, 16)):
    # OpenJPEG does not encode images of less than 32 pixels a side.
    pixels = pixels.repeat(7, 1).repeat(7, 2)
    d = dataset(pixels, stored=stored)
    d.compress(JPEG2000Lossless)
    if name == "color":
        d.PhotometricInterpretation = "YBR_RCT"
    add(f"JPEG 2000, {name}", d)
for name, pixels, stored in (("8 bits", gray8, 8), ("12 bits", twelve, 12), ("16 bits", frames[:1], 16), ("three frames", frames, 16), ("signed", grey16, 16), ("color", color, 8)):
    plain = to_bytes(dataset(pixels, stored=stored))
    add(f"lossless JPEG, {name}", None, recode(plain, gdcm.TransferSyntax.JPEGLosslessProcess14_1))
add("JPEG-LS", None, recode(to_bytes(dataset(gray8)), gdcm.TransferSyntax.JPEGLSLossless))

# 16 x 16 smooth pixels, so that decoders of lossy JPEG agree.
ramp = np.linspace(20, 230, 256).reshape(1, 16, 16, 1).astype("uint8")
for name, pixels in (("8 bits", ramp), ("color", np.repeat(ramp, 3, 3))):
    coded = io.BytesIO()
    Image.fromarray(pixels[0].squeeze()).save(coded, "JPEG", quality=95, subsampling=0)
    d = dataset(pixels, JPEGBaseline8Bit)
    d.PixelData = encapsulate([coded.getvalue()])
    d["PixelData"].VR = "OB"
    d["PixelData"].is_undefined_length = True
    if name == "color":
        d.PhotometricInterpretation = "YBR_FULL_422"
    add(f"lossy JPEG, {name}", d)
add("palette", dataset(gray8, PhotometricInterpretation="PALETTE COLOR"), error="no descriptor")

path = pathlib.Path(__file__).with_name("dicom.jsonl")
path.write_text("".join(json.dumps(e, separators=(",", ":")) + "\n" for e in entries))
print(len(entries), "files,", path.stat().st_size, "bytes")
