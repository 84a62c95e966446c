"""Zeiss Cirrus ``.img`` files."""

from __future__ import annotations

from pathlib import Path

from makers.scan import NAMES
from RetinaTriageLib.volume import OCTVolume


def img_name(volume: OCTVolume, protocol: str = "Macular Cube", end: str = "cube_z") -> str:
    """File name as a Cirrus gives it."""
    bscans, _, ascans = volume.shape
    eye = f"{volume.laterality.value}_" if volume.laterality else ""
    return f"{NAMES[2]}_{protocol} {ascans}x{bscans}_1-2-2015_10-22-33_{eye}sn0817_{end}.img"


def write_img(path: Path, volume: OCTVolume) -> Path:
    """Bare voxels, B-scans turned by 180 degrees."""
    path.write_bytes(volume.voxels[:, ::-1, ::-1].tobytes())
    return path
