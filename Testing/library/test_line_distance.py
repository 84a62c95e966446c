from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.evaluation.line_distance import (
    OUR_COLOR,
    line_distances,
    line_tiles,
    lines_json,
    lines_text,
)
from RetinaTriageLib.volume import DeviceRecord, OCTVolume, ScanPattern, VoxelSpacing

SHAPE = (1, 32, 40)


def scan(**lines: np.ndarray) -> OCTVolume:
    voxels = np.random.default_rng(0).integers(256, size=SHAPE, dtype=np.uint8)
    spacing = VoxelSpacing(None, 0.004, 0.012)
    record = DeviceRecord(lines=lines)
    return OCTVolume(voxels, spacing, pattern=ScanPattern.LINE, name="line", record=record)


def layers() -> np.ndarray:
    """Retina from depth 8 to 20: its surfaces lie at 7.5 and 19.5."""
    tissue_map = np.full(SHAPE, 11, np.uint8)
    tissue_map[:, :8], tissue_map[:, 8:20] = 0, 3
    return tissue_map


def test_distance_is_counted_in_pixels_and_um() -> None:
    ilm = np.full((1, 40), 6.5)
    ilm[0, :4] = 3.5  # every tenth A-scan lies 4 px off
    ilm_found, bruch = line_distances(scan(ILM=ilm, BM=np.full((1, 40), 20.0)), layers())
    assert (ilm_found.median_px, ilm_found.high_px, ilm_found.signed_px) == (1.0, 4.0, 1.0)
    assert bruch.signed_px == -0.5
    facts = lines_json("line", (ilm_found, bruch))
    assert facts["lines"]["BM"]["median_um"] == pytest.approx(2.0)


def test_surface_that_we_lack_counts_as_missed() -> None:
    tissue_map = layers()
    tissue_map[:, :, :10] = 0
    (found,) = line_distances(scan(ILM=np.full((1, 40), 7.5)), tissue_map)
    assert (found.compared, found.missed, found.median_px) == (30, 0.25, 0.0)
    assert "25.0 % missed" in lines_text("line", (found,))


def test_scan_without_lines_is_refused() -> None:
    volume = replace(scan(), record=DeviceRecord())
    with pytest.raises(GeometryError, match="holds no ILM or BM line"):
        line_distances(volume, layers())


def test_picture_shows_our_surface() -> None:
    (tile,) = line_tiles(scan(ILM=np.full((1, 40), 3.0)), layers())
    shown = tile.pictures[1]
    assert any((shown[row, 20] == OUR_COLOR).all() for row in (7, 8))
