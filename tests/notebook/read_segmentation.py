"""Reads a DICOM segmentation with pydicom and highdicom, beside the masks that it
was made of; prints what it says, as JSON.

Usage: read_segmentation.py SEGMENTATION.dcm FOLDER-OF-SERIES MASK.npy ... < SLICES
SLICES: a JSON list, the SOP Instance UID of the source of each slice of the masks.
"""

import json
import os
import sys

import highdicom
import numpy
import pydicom


def main():
    path, folder, *masks = sys.argv[1:]
    slices = json.load(sys.stdin)
    sources = {}
    for name in os.listdir(folder):
        source = pydicom.dcmread(os.path.join(folder, name), stop_before_pixels=True)
        sources[source.SOPInstanceUID] = source
    plain = pydicom.dcmread(path)
    found = highdicom.seg.segread(path)
    numbers = list(found.segment_numbers)
    # [slices, rows, columns, segments], 0 where no frame is
    pixels = found.get_pixels_by_source_instance(
        slices, segment_numbers=numbers, assert_missing_frames_are_empty=True)
    wanted = [numpy.load(mask) != 0 for mask in masks]
    # where two overlap, the later one
    for k, one in enumerate(wanted):
        for later in wanted[k + 1:]:
            wanted[k] = one & ~later
            one = wanted[k]
    places = []
    for frame in plain.PerFrameFunctionalGroupsSequence:
        uid = (frame.DerivationImageSequence[0].SourceImageSequence[0]
               .ReferencedSOPInstanceUID)
        own = frame.PlanePositionSequence[0].ImagePositionPatient
        places.append(numpy.allclose(own, sources[uid].ImagePositionPatient))
    some = sources[slices[0]]
    print(json.dumps({
        "modality": plain.Modality,
        "names": [found.get_segment_description(k).segment_label for k in numbers],
        "shape": list(pixels.shape),
        "voxels": [int(one.sum()) for one in wanted],
        "wrong": [int((pixels[..., k] != one).sum()) for k, one in enumerate(wanted)],
        "frames": int(plain.NumberOfFrames),
        "bits": int(numpy.count_nonzero(plain.pixel_array)),
        "places": all(places),
        "same": [plain[name].value == some[name].value for name in (
            "PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "Rows", "Columns")],
    }))


main()
