"""A small scan to write, and where its B-scans lie."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from RetinaTriageLib.volume import (
    STANDARD_DIRECTIONS,
    Laterality,
    OCTVolume,
    ScanPattern,
    VoxelSpacing,
)

NAMES = ("Doe", "John", "PID-4711", "19500203")
"""Patient data that makers write and no output may hold."""


def made_scan(
    shape=(4, 16, 20),
    spacing=None,
    laterality=Laterality.OD,
    *,
    superior_first=False,
    device=None,
    seed=1,
) -> OCTVolume:
    """A raster of seeded speckle that no turn or flip maps onto itself."""
    noise = np.random.default_rng(seed).integers(0, 100, shape)
    ramp = np.arange(shape[1])[:, np.newaxis] * (155 // shape[1])
    directions = STANDARD_DIRECTIONS.copy()
    if superior_first:
        directions[2, 2] = -1
    single = shape[0] == 1
    return OCTVolume(
        (noise + ramp).astype(np.uint8),
        spacing or VoxelSpacing(None if single else 0.12, 0.00387, 0.012),
        laterality,
        device,
        ScanPattern.LINE if single else ScanPattern.RASTER,
        directions,
        (-1.0, 0.0, -3.5 if not superior_first else -1.5),
    )


def bscan_lines(volume: OCTVolume) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of each B-scan on the localizer, (column, row) in mm; the end is one beyond."""
    spacing = volume.require_spacing()
    bscan_mm = spacing.bscan_mm or 0.0
    steps = np.arange(volume.shape[0])[:, None] * bscan_mm * volume.directions[:, 2]
    starts = np.array(volume.origin_mm) + steps
    ends = starts + volume.directions[:, 0] * spacing.width_mm * volume.shape[2]
    return -starts[:, [0, 2]], -ends[:, [0, 2]]


def jpeg_2000(pixels: np.ndarray) -> bytes:
    """Lossless JPEG 2000 stream of one picture."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG2000", irreversible=False)
    return stream.getvalue()
