"""Reads every image file of some folders here and with Python's readers, and
prints a table: which agree, which are refused with a reason, which are wrong.

    pip install pydicom==3.0.2 pylibjpeg==2.1.0 pylibjpeg-libjpeg==2.5.0 \
        pylibjpeg-openjpeg==2.6.0 pyjpegls==1.5.1 nibabel==5.4.2 \
        tifffile==2026.3.3 imagecodecs==2026.3.6 pillow==13.0.0 numpy==2.4.6
    python tests/reference/compare_readers.py FOLDER... [--list] [--limit BYTES] [--seconds S]

"agree" is every value within 1e-5 of the largest (of a JPEG or another lossy
code within 3 of 255, which is what decoders differ by), the same shape, and
where a file lies in space the same matrix. "refused, read there" are files that
the reference reads and we refuse; "refused" those that the reference refuses as
well; "read, refused there" those that only we read, so that nothing tells
whether rightly. "wrong" are other values or another shape, an error that says
no reason, and no answer within a minute: the exit status is then 1.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import selectors
import subprocess
import sys
import tempfile
import warnings

import nibabel
import numpy as np
import PIL.Image
import PIL.ImageOps
import pydicom
import pydicom.config
import tifffile
from pydicom.pixels import apply_color_lut, apply_modality_lut

PIL.Image.MAX_IMAGE_PIXELS = None
warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).parent


class Passed(Exception):
    """The reference cannot read it, or has no picture of it."""


def kind(path):
    """The format of a file by its first bytes; None for other files."""
    with open(path, "rb") as file:
        head = file.read(352)
    name = path.name.lower()
    if head[128:132] == b"DICM" or name.endswith((".dcm", ".dcm.gz")):
        return "DICOM"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if head[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if head[:6] == b"\x93NUMPY":
        return "NPY"
    if head[:4] == b"PK\3\4" and name.endswith(".npz"):
        return "NPZ"
    if head[344:348] in (b"n+1\0",) or name.endswith((".nii", ".nii.gz")):
        return "NIfTI"
    return "NIfTI" if head[4:7] == b"n+2" else None


# ---- what the references read: values [slice, row, column, channel], affine, lossy


def npy(array):
    if array.dtype.kind not in "biuf":
        raise Passed(f"values of {array.dtype}")
    if array.ndim == 2:
        return array[None, ..., None]
    if array.ndim == 3:
        return array[None] if array.shape[2] in (1, 3) else array[..., None]
    if array.ndim == 4:
        return array
    raise Passed(f"{array.ndim} axes")


def read_npz(path):
    with np.load(path) as arrays:
        names = arrays.files
        return npy(arrays[names[0] if len(names) == 1 else "image"]), None, 0


def read_nifti(path):
    image = nibabel.load(path)
    if not isinstance(image, nibabel.Nifti1Image) or isinstance(image, nibabel.Nifti1Pair) and path.suffix in (".hdr", ".img"):
        raise Passed("another format")
    canonical = nibabel.as_closest_canonical(image)
    data = np.asarray(canonical.dataobj)
    if data.dtype.names:
        if set(data.dtype.names) - {"R", "G", "B", "A"}:
            raise Passed(f"values of {data.dtype}")
        data = np.stack([data[c] for c in "RGB"], -1)
    else:
        data = canonical.get_fdata(dtype=np.float64) if data.dtype.kind in "biuf" else None
        if data is None:
            raise Passed("values that are not real")
        data = data.reshape(data.shape + (1,) * (3 - data.ndim))
        data = data.reshape(data.shape[:3] + (-1,), order="F")
    if data.ndim != 4:
        raise Passed("colors in time")
    values = data[::-1, ::-1].transpose(2, 1, 0, 3)
    sides = np.array(data.shape[:3])
    turn = np.array([[-1, 0, 0, sides[0] - 1], [0, -1, 0, sides[1] - 1], [0, 0, 1, 0], [0, 0, 0, 1]])
    return values, canonical.affine @ turn, 0


def frame_positions(data, frames):
    """Where each frame lies along the normal, or None."""
    groups = data.get("PerFrameFunctionalGroupsSequence")
    shared = (data.get("SharedFunctionalGroupsSequence") or [pydicom.Dataset()])[0]
    if "GridFrameOffsetVector" in data and np.size(data.GridFrameOffsetVector) == frames:
        return np.array(data.GridFrameOffsetVector, "float64")
    if not groups or len(groups) != frames:
        return None
    try:
        positions = [np.array(g.PlanePositionSequence[0].ImagePositionPatient, "float64") for g in groups]
        holder = shared if "PlaneOrientationSequence" in shared else groups[0]
        cosines = np.array(holder.PlaneOrientationSequence[0].ImageOrientationPatient, "float64")
    except (AttributeError, IndexError, TypeError):
        return None
    return np.array(positions) @ np.cross(cosines[:3], cosines[3:])


LOSSY = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.(5[0-69]|6[0-69]|9[13]|203)$|^JPEG Baseline")


def read_dicom(path):
    if path.suffix == ".gz":
        import gzip
        data = pydicom.dcmread(gzip.open(path))
    else:
        data = pydicom.dcmread(path)
    if not ({"PixelData", "FloatPixelData", "DoubleFloatPixelData"} & {e.keyword for e in data}):
        raise Passed("no pixels")
    syntax = str(getattr(data.file_meta, "TransferSyntaxUID", ""))
    lossy = 3 if LOSSY.match(syntax) and syntax[-2:] not in ("57", "70") else 0
    array = data.pixel_array
    samples = data.get("SamplesPerPixel", 1)
    array = array.reshape((-1,) + array.shape[-(3 if samples > 1 else 2):])
    if samples == 1:
        array = array[..., None]
    if samples == 1 and "PALETTE" in data.PhotometricInterpretation:
        if data.original_encoding[1] is False:  # pydicom takes the tables as they lie
            for color in ("Red", "Green", "Blue"):
                name = f"{color}PaletteColorLookupTableData"
                setattr(data, name, np.frombuffer(getattr(data, name), ">u2").astype("<u2").tobytes())
        frames = [apply_color_lut(frame[..., 0], data)[..., :3] for frame in array]
        array = np.stack(frames)
    elif samples == 1:
        array = rescaled(array, data)
        if "DoseGridScaling" in data:
            array = array * float(data.DoseGridScaling)
    along = frame_positions(data, len(array))
    choices = [array]
    if along is not None:
        order = np.argsort(along, kind="stable")
        choices.append(array[order])
    if "SegmentSequence" in data:
        choices = [segments(data, array[..., 0], along)]
    return choices, None, lossy


def rescaled(array, data):
    """Stored values by the modality's table or slope, of the whole or of each frame."""
    shared = (data.get("SharedFunctionalGroupsSequence") or [pydicom.Dataset()])[0]
    groups = data.get("PerFrameFunctionalGroupsSequence") or [pydicom.Dataset()] * len(array)
    if not any("PixelValueTransformationSequence" in g for g in (shared, *groups)):
        return apply_modality_lut(array, data).astype("float64")
    array = array.astype("float64")
    for i, group in enumerate(groups[:len(array)]):
        holder = group if "PixelValueTransformationSequence" in group else shared
        told = holder.PixelValueTransformationSequence[0]
        array[i] = array[i] * float(told.RescaleSlope) + float(told.RescaleIntercept)
    return array


def segments(data, frames, along):
    """A segmentation's frames as slices of labels, in channels where they overlap."""
    groups = data.PerFrameFunctionalGroupsSequence
    numbers = [g.SegmentIdentificationSequence[0].ReferencedSegmentNumber for g in groups]
    places = np.unique(np.round(along, 2))
    step = np.diff(places).min() if len(places) > 1 else 1
    slices = np.round((along - along.min()) / step).astype(int)
    shape = (slices.max() + 1,) + frames.shape[1:]
    names = sorted(set(numbers))
    masks = {number: np.zeros(shape, "float64") for number in names}
    for frame, number, at in zip(frames, numbers, slices):
        masks[number][at] = frame
    stack = np.stack([masks[n] for n in names], -1)
    if data.get("SegmentationType") == "FRACTIONAL":
        return stack
    if ((stack > 0).sum(-1) > 1).any():
        return stack * np.array(names)
    return (stack * np.array(names)).max(-1, keepdims=True)


def read_tiff(path):
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        array = page.asarray()
        axes = page.axes
        orientation = page.tags.get("Orientation")
        lossy = 3 if page.compression in (6, 7, 34712, 33003, 33005) or "JPEG" in str(page.compression) else 0
        photometric = page.photometric
        if page.samplesperpixel > 1 and page.planarconfig not in (1, 2):
            raise Passed(f"planar configuration {page.planarconfig}")
        if set(axes) - set("YXS"):
            raise Passed(f"axes {axes}")
        if array.dtype.kind not in "buif":
            raise Passed(f"values of {array.dtype}")
        if "S" in axes:
            array = np.moveaxis(array, axes.index("S"), -1)
        else:
            array = array[..., None]
        if photometric == 3:
            colors = page.colormap
            colors = colors // 256 if colors.max() > 255 else colors
            array = colors[:, array[..., 0]].transpose(1, 2, 0)
        elif photometric == 6 and page.compression == 1 or photometric not in (0, 1, 2, 3, 6):
            raise Passed(f"photometric {photometric}")
        elif array.dtype.kind != "f" and page.bitspersample < 8 and photometric in (0, 1):
            array = array.astype("float64") * 255 / (2**page.bitspersample - 1)
    # libvips stretches what has few bits: the same picture, in other numbers
    array = array[..., :3] if array.shape[-1] > 3 else array[..., :1] if array.shape[-1] == 2 else array
    return turned(array, orientation.value if orientation else 1)[None], None, lossy


def turned(array, orientation):
    """An array [row, column, ...] as EXIF's orientation says to show it."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    return array


def read_picture(path):
    with PIL.Image.open(path) as image:
        if image.format not in ("PNG", "JPEG", "MPO"):
            raise Passed(image.format)
        lossy = 3 if image.format != "PNG" else 0
        # ImageMagick's text with EXIF inside is no part of PNG.
        told = image.format != "PNG" or "exif" in image.info
        orientation = image.getexif().get(274, 1) if told else 1
        if image.format == "PNG" and 16 in png_depth(path):
            import imagecodecs
            array = imagecodecs.png_decode(path.read_bytes())
            if array.ndim == 2:
                array = array[..., None]
            if array.shape[-1] in (2, 4):
                array = array[..., :-1]
            return turned(array, orientation)[None], None, 0
        image.load()
        if image.mode == "1":
            image = image.convert("L")
        if image.mode == "P":
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        if image.mode not in ("L", "LA", "RGB", "RGBA", "RGBX"):
            raise Passed(f"mode {image.mode}")
        array = np.asarray(image)
    array = array[..., None] if array.ndim == 2 else array
    array = array[..., :-1] if array.shape[-1] in (2, 4) else array
    return turned(array, orientation)[None], None, lossy


def png_depth(path):
    with open(path, "rb") as file:
        return file.read(25)[24:]


READERS = {
    **{"DICOM": read_dicom, "NIfTI": read_nifti, "TIFF": read_tiff},
    **{"PNG": read_picture, "JPEG": read_picture, "NPZ": read_npz},
    "NPY": lambda path: (npy(np.load(path)), None, 0),
}


# ---- the comparison


class Ours:
    """The readers under test, in a process that is started again when it is stuck."""

    def __init__(self, folder):
        self.values = os.path.join(folder, "values")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["deno", "run", "-A", "--no-check", str(HERE / "read_files.ts"), self.values],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def read(self, path, seconds):
        if self.process is None or self.process.poll() is not None:
            self.start()
        self.process.stdin.write(f"{path}\n".encode())
        self.process.stdin.flush()
        line = b""
        while not line.endswith(b"\n"):
            if not self.selector.select(seconds):
                self.process.kill()
                self.process.wait()
                return {"crashed": f"no answer within {seconds} s"}
            part = os.read(self.process.stdout.fileno(), 2**16)
            if not part:
                self.process.wait()
                return {"crashed": f"the process ended with {self.process.returncode}"}
            line += part
        found = json.loads(line)
        if "shape" in found:
            values = np.fromfile(self.values, "float32", found["count"], offset=found["start"])
            found["values"] = values.reshape(found["shape"])
        return found


def differs(found, reference):
    """Why values are not those of the reference, or None."""
    choices, affine, lossy = reference
    choices = choices if isinstance(choices, list) else [choices]
    why = None
    for values in choices:
        why = other_values(found["values"], np.asarray(values), lossy)
        if why is None:
            break
    if why is None and affine is not None and found.get("affine") is not None:
        ours = np.array(found["affine"]).reshape(4, 4)
        if np.abs(ours - affine).max() > 1e-3 * max(1, np.abs(affine).max()):
            return f"matrix {ours.round(3).tolist()}, not {np.round(affine, 3).tolist()}"
    return why


def other_values(ours, values, lossy):
    if ours.shape != values.shape:
        if ours.shape[:3] == values.shape[:3] and values.shape[3] == 3 and ours.shape[3] == 1:
            same = (values == values[..., :1]).all()
            if same:  # grey that is stored as three equal colors
                return other_values(ours, values[..., :1], lossy)
        return f"shape {list(ours.shape)}, not {list(values.shape)}"
    values = values.astype("float64")
    ours = ours.astype("float64")
    bad = ~np.isfinite(values)
    if bad.any():
        if not np.array_equal(np.isnan(ours), np.isnan(values)) or not np.array_equal(ours[bad & ~np.isnan(values)], values[bad & ~np.isnan(values)]):
            return "other values that are not finite"
        ours, values = np.where(bad, 0, ours), np.where(bad, 0, values)
    if values.size == 0:
        return None
    largest = max(1e-30, np.abs(values).max())
    apart = np.abs(ours - values)
    allowed = 1e-5 * largest
    if lossy:
        # Decoders round, and spread halved colors, in ways of their own.
        allowed = lossy * max(1, largest / 255)
        few = np.mean(apart > allowed) < 0.01 and apart.mean() < allowed
        return None if few else f"{np.mean(apart > allowed):.2%} of the values apart, by up to {apart.max():.6g}"
    if apart.max() <= allowed:
        return None
    at = np.unravel_index(apart.argmax(), apart.shape)
    return f"{np.mean(apart > allowed):.2%} of the values apart, as {ours[at]:.8g}, not {values[at]:.8g}, at {[int(i) for i in at]}"


COLUMNS = ["agree", "refused, read there", "refused", "read, refused there", "wrong"]


def judge(path, format_, ours, seconds):
    try:
        reference, problem = READERS[format_](path), None
    except Exception as error:  # whatever a reader of files throws
        reference, problem = None, error
    found = ours.read(path, seconds)
    if "crashed" in found:
        return "wrong", found["crashed"]
    if "refused" in found:
        return ("refused" if reference is None else "refused, read there"), found["refused"]
    if reference is None:
        return "read, refused there", f"{type(problem).__name__}: {problem}"
    why = differs(found, reference)
    return ("agree", "") if why is None else ("wrong", why)


def files_of(folders, limit):
    for folder in folders:
        for root, folders_, names in os.walk(folder):
            folders_.sort()
            for name in sorted(names):
                path = pathlib.Path(root, name)
                if path.is_file() and 0 < path.stat().st_size <= limit:
                    yield path


def reason_of(text):
    """The rule of a refusal, without values and names."""
    rule = re.sub(r"^Cannot \w+ \w+ as (.*?): current value.*$", r"\1", text, flags=re.S)
    return re.sub(r"\d+", "N", rule)[:110]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--list", action="store_true", help="a line for every file that does not agree")
    parser.add_argument("--limit", type=int, default=2**26, help="the largest file, in bytes")
    parser.add_argument("--seconds", type=int, default=60, help="the longest wait for a file")
    options = parser.parse_args()
    counts = collections.defaultdict(collections.Counter)
    reasons = collections.Counter()
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(folder)
        for path in files_of(options.folders, options.limit):
            format_ = kind(path)
            if format_ is None:
                continue
            verdict, why = judge(path.absolute(), format_, ours, options.seconds)
            counts[format_][verdict] += 1
            if verdict == "wrong":
                wrong.append(f"{path}: {why}")
            if verdict == "refused, read there":
                reasons[format_, reason_of(why)] += 1
            if options.list and verdict != "agree":
                print(f"{verdict}: {path}: {why}", file=sys.stderr, flush=True)
    print("| format | files | " + " | ".join(COLUMNS) + " |")
    print("| --- |" + " ---: |" * (1 + len(COLUMNS)))
    total = sum(counts.values(), collections.Counter())
    for name, row in [*sorted(counts.items()), ("all", total)]:
        print(f"| {name} | {sum(row.values())} | " + " | ".join(str(row[c]) for c in COLUMNS) + " |")
    print("\nRefused here, read there, by the rule that the error names:\n")
    for (format_, reason), count in reasons.most_common():
        print(f"- {count} {format_}: {reason}")
    for line in wrong:
        print(f"\nwrong: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
