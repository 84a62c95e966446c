"""A scan and a segmentation as 3D Slicer saves them: NRRD files of a few voxels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import SimpleITK

SHAPE = (14, 16, 20)
SPACING_MM = (0.012, 0.004, 0.12)  # width, depth, B-scan, as the file has them


def write_scan(path: Path) -> np.ndarray:
    path.parent.mkdir(exist_ok=True)
    voxels = np.random.default_rng(0).integers(256, size=SHAPE, dtype=np.uint8)
    image = SimpleITK.GetImageFromArray(voxels)
    image.SetSpacing(SPACING_MM)
    SimpleITK.WriteImage(image, str(path))
    return voxels


def write_segments(scan: Path, labels: np.ndarray, segments: dict[int, dict[str, str]]) -> None:
    """Write the segmentation of a scan.

    Parameters
    ----------
    labels : uint8 array (B-scan, depth, width), or (..., layer)
    segments : header fields by label value
    """
    image = SimpleITK.GetImageFromArray(labels, isVector=labels.ndim == 4)
    image.CopyInformation(SimpleITK.ReadImage(str(scan)))
    for number, (value, fields) in enumerate(segments.items()):
        written = {"ID": f"Segment_{number + 1}", "LabelValue": str(value), "Layer": "0", **fields}
        for name, text in written.items():
            image.SetMetaData(f"Segment{number}_{name}", text)
    SimpleITK.WriteImage(image, str(scan.with_suffix(".seg.nrrd")))


def write_pair(scan: Path, **facts: object) -> np.ndarray:
    """Write a scan of which two B-scans are labeled, and facts about it; returns its voxels."""
    voxels = write_scan(scan)
    labels = np.zeros(SHAPE, np.uint8)
    labels[6:8, 4:10], labels[7, 10:] = 1, 2
    write_segments(scan, labels, {1: {"Name": "Neurosensory retina"}, 2: {"Name": "Not fluid"}})
    if facts:
        scan.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")
    return voxels
