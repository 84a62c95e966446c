"""Optovue ``.OCT`` files with their ``.txt``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from makers.scan import NAMES
from RetinaTriageLib.volume import OCTVolume


def write_optovue(path: Path, *volumes: OCTVolume) -> Path:
    """Bare 32 bit voxels of one or several scans, and their description."""
    upwards = [volume.voxels[:, ::-1].transpose(0, 2, 1).astype("<f4") for volume in volumes]
    path.write_bytes(b"".join(np.ascontiguousarray(scan).tobytes() for scan in upwards))
    first = volumes[0]
    lines = [
        f"Patient = {' '.join(NAMES)}",
        f"Eye Scanned = {first.laterality.value if first.laterality else '-'}",
        f"OCT Window Height = {first.shape[1]}",
        "Physical video width = 9.0 mm",
        "Video Width = 640",
    ]
    for volume in volumes:
        bscans, _, widths = volume.shape
        lines += [f"XY Scan Length = {widths}", f"Scan Usage: frames = {bscans}"]
    path.with_suffix(".txt").write_text("\n".join(lines), encoding="latin-1")
    return path
