"""A scan with a segmentation made in 3D Slicer, as labeled B-scans for training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.labels.case_truth import read_truth, with_truth
from RetinaTriageLib.labels.label_sets import UNKNOWN
from RetinaTriageLib.labels.slicer_pairs import read_codes, segmentation_of
from RetinaTriageLib.networks.gray import eight_bits, normalize, tissue_scale
from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.volume import DeviceFamily, LabelArray

CONTEXT_BSCANS = 4  # on either side of labeled B-scans; as far as networks look by default


@dataclass(frozen=True)
class Pair:
    """Labeled part of a scan; arrays uint8 (B-scan, depth, width), ``device`` None if unknown."""

    image: LabelArray
    codes: LabelArray
    device: DeviceFamily | None


def read_pair(scan: Path) -> Pair:
    """B-scans from the first to the last labeled one and some neighbors, in gray of 8 bit.

    Raises
    ------
    InputError
        If scan, segmentation or the ``.json`` beside them cannot be used, or nothing is labeled.
    """
    truth = read_truth(scan.with_suffix(".json"))
    volume = with_truth(read_volume(scan), truth)
    codes = read_codes(volume, scan, truth.background)
    labeled = np.flatnonzero((codes != UNKNOWN).any(axis=(1, 2)))
    if labeled.size == 0:
        msg = f"{segmentation_of(scan).name} labels nothing; draw segments of tissues and save it."
        raise InputError(msg)
    window = slice(max(0, labeled[0] - CONTEXT_BSCANS), labeled[-1] + CONTEXT_BSCANS + 1)
    image = eight_bits(normalize(volume.voxels[window], tissue_scale(volume.voxels)))
    return Pair(image, np.ascontiguousarray(codes[window]), volume.device)
