"""One B-scan of a volume as a scan of its own, for what judges single pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.explain.occlusion_map import FloatArray
from RetinaTriageLib.networks.gray import eight_bits, gray_scale, normalize
from RetinaTriageLib.volume import OCTVolume, ScanPattern, VoxelSpacing

WHITE = 255


def lone_bscan(volume: OCTVolume, index: int) -> OCTVolume:
    """One B-scan as a line scan of 8 bit, in the gray scale of its whole volume.

    It stays where it is, and keeps what is known of the volume but for the distance between
    B-scans and the device's record.

    Parameters
    ----------
    index : number of the B-scan, from 0

    Raises
    ------
    InputError
        If the volume has no such B-scan.
    """
    if not 0 <= index < volume.shape[0]:
        msg = f"Found B-scan {index + 1}; expected 1 to {volume.shape[0]} of {volume.name}."
        raise InputError(msg)
    bscan = volume.voxels[index : index + 1]
    if bscan.dtype != np.uint8:
        bscan = eight_bits(normalize(bscan, gray_scale(volume.voxels)))
    known, spacing, origin_mm = volume.spacing, None, volume.origin_mm
    if known is not None:
        spacing = VoxelSpacing(None, known.depth_mm, known.width_mm)
        right, anterior, superior = volume.ijk_to_ras()[:3, :] @ [0, 0, index, 1]
        origin_mm = float(right), float(anterior), float(superior)
    return OCTVolume(
        np.ascontiguousarray(bscan),
        spacing,
        volume.laterality,
        volume.device,
        ScanPattern.LINE,
        volume.directions,
        origin_mm,
        volume.name if volume.shape[0] == 1 else f"{volume.name} B-scan {index + 1}",
        volume.sources,
        volume.assumed,
    )


def picture_of(bscan: OCTVolume) -> FloatArray:
    """Gray values 0 to 1, float32 array (depth, width), of a scan of a single 8 bit B-scan.

    Raises
    ------
    InputError
        If it is none.
    """
    if bscan.shape[0] != 1 or bscan.voxels.dtype != np.uint8:
        msg = (
            f"Found a scan of {bscan.voxels.dtype} {bscan.shape}; expected a single B-scan of 8 "
            "bit. Cut one out with lone_bscan."
        )
        raise InputError(msg)
    picture: FloatArray = bscan.voxels[0].astype(np.float32) / np.float32(WHITE)
    return picture


def with_picture(bscan: OCTVolume, picture: FloatArray) -> OCTVolume:
    """Return the scan of a single B-scan with other gray values 0 to 1 (depth, width)."""
    voxels = np.rint(picture * np.float32(WHITE)).astype(np.uint8)
    return replace(bscan, voxels=voxels[np.newaxis])
