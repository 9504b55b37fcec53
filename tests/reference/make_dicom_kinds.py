"""Writes dicom_kinds.jsonl: small DICOM files of rarer kinds, and their values.

    pip install pydicom==3.0.2 numpy==2.4.6 imagecodecs==2026.3.6 pyjpegls==1.5.1 \
        pylibjpeg==2.1.0 pylibjpeg-libjpeg==2.5.0 pylibjpeg-openjpeg==2.6.0 highdicom==0.28.2
    python tests/reference/make_dicom_kinds.py

Each line has the file (base64), the shape [slice, row, column, channel] and the
values: what pydicom gives (apply_modality_lut, apply_color_lut, convert_color_space
of pixel_array), or where the standard's own formula is used, what that gives; and
where the file says how it is shown, those values between 0 and 1 ("shown").
"""

import base64
import io
import json
import pathlib

import highdicom as hd
import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, convert_color_space
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.uid import (
    ExplicitVRLittleEndian, HTJ2K, HTJ2KLossless, JPEG2000Lossless, JPEGLSLossless,
    JPEGLSNearLossless, JPEGLosslessSV1, JPEGLossless, RLELossless,
)

rng = np.random.default_rng(7)
entries = []
SC = "1.2.840.10008.5.1.4.1.1.7"
CT = "1.2.840.10008.5.1.4.1.1.2"


def numbers(array):
    return [int(v) if v == int(v) else round(float(v), 7) for v in np.asarray(array, "float64").ravel()]


def dataset(pixels, syntax=ExplicitVRLittleEndian, coded=None, stored=None, photometric=None, **attributes):
    """pixels: [row, column] or [row, column, 3]."""
    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = syntax
    d.file_meta.MediaStorageSOPClassUID = d.SOPClassUID = SC
    d.file_meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID = "1.2.3.4"
    d.Rows, d.Columns = pixels.shape[:2]
    d.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    d.PhotometricInterpretation = photometric or ("RGB" if pixels.ndim == 3 else "MONOCHROME2")
    if pixels.ndim == 3:
        d.PlanarConfiguration = 0
    d.BitsAllocated = pixels.dtype.itemsize * 8
    d.BitsStored = stored or d.BitsAllocated
    d.HighBit = d.BitsStored - 1
    d.PixelRepresentation = int(pixels.dtype.kind == "i")
    for key, value in attributes.items():
        setattr(d, key, value)
    if coded is None:
        d.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
        d["PixelData"].VR = "OB" if d.BitsAllocated == 8 else "OW"
    else:
        d.PixelData = encapsulate([coded])
        d["PixelData"].VR = "OB"
        d["PixelData"].is_undefined_length = True
    return d


def add(name, d, values=None, shown=None):
    out = io.BytesIO()
    d.save_as(out, enforce_file_format=True)
    raw = out.getvalue()
    d = pydicom.dcmread(io.BytesIO(raw))
    if values is None:
        values = d.pixel_array
        if d.PhotometricInterpretation == "PALETTE COLOR":
            values = apply_color_lut(values, d)
        else:
            values = apply_modality_lut(values, d)
    values = np.asarray(values)
    if values.ndim == 2:
        values = values[None, ..., None]
    elif values.ndim == 3:
        values = values[None]
    entry = {
        "name": name, "file": base64.b64encode(raw).decode(),
        "shape": list(values.shape), "values": numbers(values),
    }
    if shown is not None:
        entry["shown"] = numbers(shown)
    entries.append(entry)


smooth = (np.add.outer(np.arange(9), 3 * np.arange(7)) * 900 % 4096)
deep = smooth.astype("uint16")
signed = (smooth.astype("int32") - 1500).astype("int16")
byte = (smooth % 256).astype("uint8")
color = rng.integers(0, 256, (6, 8, 3)).astype("uint8")

# JPEG-LS
add("JPEG-LS, 8 bits", dataset(byte, JPEGLSLossless, imagecodecs.jpegls_encode(byte)))
add("JPEG-LS, 16 bits", dataset(deep, JPEGLSLossless, imagecodecs.jpegls_encode(deep)))
add("JPEG-LS, near", dataset(byte, JPEGLSNearLossless, imagecodecs.jpegls_encode(byte, level=2)))
add("JPEG-LS, color", dataset(color, JPEGLSLossless, imagecodecs.jpegls_encode(color)))
import jpeg_ls  # pyjpegls: the interleave mode can be chosen
ramps = np.stack([np.add.outer(np.arange(16), k * np.arange(20)) for k in (1, 2, 3)], -1).astype("uint8")
for mode in (0, 1, 2):
    source = np.ascontiguousarray(ramps.transpose(2, 0, 1)) if mode == 0 else ramps
    coded = bytes(jpeg_ls.encode_array(source, interleave_mode=mode))
    add(f"JPEG-LS, color, interleave {mode}", dataset(ramps, JPEGLSLossless, coded), ramps)
unsigned = signed.view("uint16")
add("JPEG-LS, signed", dataset(signed, JPEGLSLossless, imagecodecs.jpegls_encode(unsigned)), signed)

# High-throughput JPEG 2000
for name, array in (("8 bits", byte), ("16 bits", deep), ("signed", signed), ("color", color)):
    photometric = "YBR_RCT" if array.ndim == 3 else None
    coded = imagecodecs.htj2k_encode(array, reversible=True)
    add(f"HTJ2K, {name}", dataset(array, HTJ2KLossless, coded, photometric=photometric), array)

# Lossless JPEG: all predictors, 8 to 16 bits, and colors
for predictor in range(1, 8):
    coded = imagecodecs.jpeg8_encode(deep, lossless=True, predictor=predictor, bitspersample=12)
    add(f"lossless JPEG, predictor {predictor}", dataset(deep, JPEGLossless, coded, stored=12), deep)
    coded = imagecodecs.jpeg8_encode(byte, lossless=True, predictor=predictor)
    add(f"lossless JPEG, 8 bits, predictor {predictor}", dataset(byte, JPEGLossless, coded), byte)
full = (deep.astype("uint32") * 16 + 5).astype("uint16")
add("lossless JPEG, 16 bits", dataset(full, JPEGLosslessSV1, imagecodecs.jpeg8_encode(full, lossless=True, predictor=1, bitspersample=16)), full)
noise = rng.integers(0, 65536, (11, 13)).astype("uint16")
add("lossless JPEG, noise", dataset(noise, JPEGLosslessSV1, imagecodecs.jpeg8_encode(noise, lossless=True, predictor=1, bitspersample=16)), noise)
flat = np.full((8, 8), 7, "uint16")
add("lossless JPEG, flat", dataset(flat, JPEGLosslessSV1, imagecodecs.jpeg8_encode(flat, lossless=True, predictor=1, bitspersample=16)), flat)
coded = imagecodecs.jpeg8_encode(color, lossless=True, predictor=6, colorspace="RGB", outcolorspace="RGB")
add("lossless JPEG, color", dataset(color, JPEGLossless, coded), color)

# YBR: the standard's formula, rounded
ybr = rng.integers(0, 256, (6, 8, 3)).astype("uint8")


def to_rgb(y):
    y = y.astype("float64")
    b, r = y[..., 1] - 128, y[..., 2] - 128
    rgb = np.stack([y[..., 0] + 1.402 * r, y[..., 0] - 0.344136 * b - 0.714136 * r, y[..., 0] + 1.772 * b], -1)
    return np.clip(np.round(rgb), 0, 255)


assert np.abs(to_rgb(ybr) - convert_color_space(ybr, "YBR_FULL", "RGB")).max() <= 1
add("YBR_FULL", dataset(ybr, photometric="YBR_FULL"), to_rgb(ybr))
planes = dataset(ybr, photometric="YBR_FULL")
planes.PlanarConfiguration = 1
planes.PixelData = ybr.transpose(2, 0, 1).tobytes()
add("YBR_FULL, planes", planes, to_rgb(ybr))
rle = dataset(ybr, photometric="YBR_FULL")
rle.compress(RLELossless, ybr, encoding_plugin="pydicom", generate_instance_uid=False)
add("YBR_FULL, RLE", rle, to_rgb(ybr))
half = ybr.copy()
half[:, 1::2, 1:] = half[:, ::2, 1:]
packed = np.stack([half[:, ::2, 0], half[:, 1::2, 0], half[:, ::2, 1], half[:, ::2, 2]], -1)
sub = dataset(half, photometric="YBR_FULL_422")
sub.PixelData = packed.tobytes()
add("YBR_FULL_422", sub, to_rgb(half))
plain = imagecodecs.jpeg2k_encode(ybr, reversible=True, mct=False, codecformat="J2K")
add("JPEG 2000, YBR_FULL", dataset(ybr, JPEG2000Lossless, plain, photometric="YBR_FULL"), to_rgb(ybr))

# Palettes
indices = rng.integers(0, 20, (5, 6)).astype("uint8")


def palette(bits, segmented=False, first=0, count=20):
    d = dataset(indices, photometric="PALETTE COLOR")
    for i, name in enumerate(("Red", "Green", "Blue")):
        table = (np.arange(count) * (7 + 3 * i) * (1 if bits == 8 else 190) % 2**bits).astype("uint16")
        setattr(d, f"{name}PaletteColorLookupTableDescriptor", [count, first, bits])
        key = f"{name}PaletteColorLookupTableData"
        if segmented:
            line = [0, 1, 5, 1, count - 1, 5 + (count - 1) * 30 * (i + 1)]
            setattr(d, f"Segmented{key}", np.array(line, "<u2").tobytes())
        else:
            setattr(d, key, table.astype("u1" if bits == 8 else "<u2").tobytes())
    return d


add("palette, 8 bits", palette(8))
add("palette, 16 bits", palette(16))
add("palette, from 3", palette(16, first=3, count=10))
add("palette, segmented", palette(16, segmented=True))

# One bit, two frames that do not end at a byte
bits = rng.integers(0, 2, (2, 5, 7)).astype("uint8")
one = dataset(bits[0])
one.NumberOfFrames = 2
one.BitsAllocated = one.BitsStored = 1
one.HighBit = 0
flat_bits = np.packbits(bits.ravel(), bitorder="little").tobytes()
one.PixelData = flat_bits + b"\0" * (len(flat_bits) % 2)
add("one bit", one, bits[..., None])

# Values
dose = dataset(rng.integers(0, 2**31, (4, 5)).astype("uint32"), DoseGridScaling="1.5e-7")
add("dose", dose, dose.pixel_array * 1.5e-7)
table = Dataset()
table.LUTDescriptor = [16, 10, 16]
table.ModalityLUTType = "US"
table.LUTData = (np.arange(16) ** 2 * 3).astype("<u2").tobytes()
table["LUTData"].VR = "OW"
add("modality LUT", dataset(rng.integers(0, 40, (5, 6)).astype("uint16"), ModalityLUTSequence=Sequence([table])))
small = rng.integers(900, 3100, (6, 7)).astype("uint16")
window = dict(WindowCenter="2000", WindowWidth="1000")
d = dataset(small, VOILUTFunction="SIGMOID", **window)
add("sigmoid", d, small, 1 / (1 + np.exp(-4 * (small - 2000.0) / 1000)))
d = dataset(small, VOILUTFunction="SIGMOID", RescaleSlope="2", RescaleIntercept="-1000", **window)
add("sigmoid, rescaled", d, small * 2.0 - 1000, 1 / (1 + np.exp(-4 * (small * 2.0 - 3000) / 1000)))
d = dataset(small, VOILUTFunction="LINEAR_EXACT", **window)
add("linear exact", d, small, np.clip((small - 1500.0) / 1000, 0, 1))
for bits, vr in ((12, "OW"), (8, "OW"), (16, "US")):
    item = Dataset()
    item.LUTDescriptor = [64, 1000, bits]
    data = (2**bits - 1 - np.arange(64) * (2**bits // 64)).astype("uint16")
    item.LUTData = data.astype("<u2").tobytes() if vr == "OW" else [int(v) for v in data]
    item["LUTData"].VR = vr
    stored = rng.integers(980, 1080, (6, 7)).astype("uint16")
    d = dataset(stored, VOILUTSequence=Sequence([item]))
    shown = data[np.clip(stored.astype(int) - 1000, 0, 63)] / (2**bits - 1)
    assert np.allclose(apply_voi_lut(stored, d) / (2**bits - 1), shown)
    add(f"VOI LUT, {bits} bits", d, stored, shown)
item = Dataset()
item.LUTDescriptor = [64, 65536 - 40, 12]  # from -40 on, as pydicom takes it of signed values
item.LUTData = (np.arange(64) * 60).astype("<u2").tobytes()
item["LUTData"].VR = "OW"
stored = rng.integers(-60, 60, (6, 7)).astype("int16")
d = dataset(stored, VOILUTSequence=Sequence([item]))
d.VOILUTSequence[0]["LUTDescriptor"].VR = "SS"
d.VOILUTSequence[0].LUTDescriptor = [64, -40, 12]
add("VOI LUT, signed", d, stored, np.clip(stored.astype(int) + 40, 0, 63) * 60 / 4095)

# Segmentations by highdicom
source = []
for k in range(6):
    s = dataset(rng.integers(0, 2000, (5, 7)).astype("int16"), RescaleSlope="1", RescaleIntercept="-1024")
    s.file_meta.MediaStorageSOPClassUID = s.SOPClassUID = CT
    s.Modality = "CT"
    s.PatientID, s.PatientName, s.PatientBirthDate, s.PatientSex = "p", "Phantom^One", "", "O"
    s.StudyInstanceUID, s.SeriesInstanceUID, s.FrameOfReferenceUID = "1.2.3", "1.2.3.9", "1.2.3.8"
    s.StudyID, s.StudyDate, s.StudyTime, s.AccessionNumber = "1", "", "", ""
    s.SeriesNumber, s.InstanceNumber = 1, k + 1
    s.file_meta.MediaStorageSOPInstanceUID = s.SOPInstanceUID = f"1.2.3.9.{k + 1}"
    s.PixelSpacing, s.SliceThickness = [0.5, 0.75], 2
    s.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    s.ImagePositionPatient = [-10, 20, 30 + 2 * k]
    source.append(s)


def describe(number):
    return hd.seg.SegmentDescription(
        segment_number=number, segment_label=f"part {number}",
        segmented_property_category=codes.SCT.Tissue, segmented_property_type=codes.SCT.Tissue,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL)


def segmentation(array, kind="BINARY", count=1, **options):
    return hd.seg.Segmentation(
        source_images=source, pixel_array=array, segmentation_type=kind,
        segment_descriptions=[describe(n + 1) for n in range(count)],
        series_instance_uid="1.2.3.77", series_number=9, sop_instance_uid="1.2.3.78", instance_number=1,
        manufacturer="a", manufacturer_model_name="b", software_versions="1", device_serial_number="1",
        **options)


mark = np.zeros((6, 5, 7), "uint8")
mark[1, 1:4, 2:5] = 1
mark[4, 2:5, 1:4] = 1
parts = mark.copy()
parts[2, 0:2, 0:3] = 2
parts[4, 0, :] = 2
add("segments, one, slices left out", segmentation(mark), mark[1:5, ..., None])
add("segments, two", segmentation(parts, count=2), parts[1:5, ..., None])
add("segments, all slices", segmentation(parts, count=2, omit_empty_frames=False), parts[..., None])
over = np.stack([parts == 1, np.roll(parts == 1, 1, 2)], -1).astype("uint8")
add("segments, over each other", segmentation(over, count=2), over[1:5] * np.array([1, 2]))
share = (mark * rng.uniform(0.1, 1, mark.shape)).astype("float32")
soft = segmentation(share, "FRACTIONAL", max_fractional_value=200)
add("segments, fractions", soft, np.round(share * 200)[1:5, ..., None] / 200)
labels = segmentation(parts, "LABELMAP", count=2)
add("label map", labels, parts[..., None] if labels.NumberOfFrames == 6 else parts[1:5, ..., None])

path = pathlib.Path(__file__).with_name("dicom_kinds.jsonl")
path.write_text("".join(json.dumps(e) + "\n" for e in entries))
print(len(entries), path.stat().st_size)
