from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.evaluation.device_table import (
    compare_with_device,
    comparison_json,
    comparison_text,
)
from RetinaTriageLib.measures.etdrs_grid import SECTORS
from RetinaTriageLib.volume import (
    DeviceRecord,
    DeviceThicknessTable,
    Laterality,
    OCTVolume,
    VoxelSpacing,
)

SHAPE = (27, 40, 140)  # 6.5 mm along the B-scans, 6.6 mm along the width
SPACING = VoxelSpacing(0.24, 0.01, 0.047)


def scan(device_um: dict[str, float], total_mm3: float = 8.0) -> OCTVolume:
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[0, 0, 0] = 1
    table = DeviceThicknessTable(device_um, total_mm3, (13.0, 69.5), "ILM to BM")
    return OCTVolume(
        voxels, SPACING, Laterality.OD, name="eye", record=DeviceRecord(thickness_table=table)
    )


def flat_retina(thickness_px: int = 30) -> np.ndarray:
    """A retina of even thickness that begins at depth 2."""
    tissue_map = np.zeros(SHAPE, np.uint8)
    tissue_map[:, 2:] = 11
    tissue_map[:, 2 : 2 + thickness_px] = 3
    return tissue_map


def test_difference_is_ours_minus_the_devices() -> None:
    device = dict(zip(SECTORS, (290, 297, 298, 299, 300, 301, 302, 303, 320), strict=True))
    comparison = compare_with_device(scan(device), flat_retina())
    np.testing.assert_allclose(list(comparison.ours_um.values()), 300, rtol=1e-5)
    assert comparison.difference_um["C0"] == pytest.approx(10, abs=0.01)
    assert comparison.difference_um["T2"] == pytest.approx(-20, abs=0.01)
    assert comparison.median_absolute_um == pytest.approx(2, abs=0.01)  # 10 3 2 1 0 1 2 3 20
    assert comparison.worst_absolute_um == pytest.approx(20, abs=0.01)


def test_total_volume_differs_in_percent_of_the_devices() -> None:
    comparison = compare_with_device(scan(dict.fromkeys(SECTORS, 300.0)), flat_retina())
    assert comparison.ours_mm3 == pytest.approx(0.3 * 9 * np.pi, rel=1e-4)
    assert comparison.total_difference_percent == pytest.approx(100 * (8.4823 / 8 - 1), abs=0.01)


def test_grid_lies_at_the_devices_center() -> None:
    tissue_map = flat_retina()
    tissue_map[12:15, 22:32, 60:80] = 11  # thin by 10 px around the device's center
    comparison = compare_with_device(scan(dict.fromkeys(SECTORS, 300.0)), tissue_map)
    assert comparison.difference_um["C0"] < -50
    assert abs(comparison.difference_um["N2"]) < 0.01


def test_sector_without_a_device_number_does_not_count() -> None:
    device = {**dict.fromkeys(SECTORS, 300.0), "S2": float("nan")}
    comparison = compare_with_device(scan(device), flat_retina())
    assert comparison.worst_absolute_um == pytest.approx(0, abs=0.01)
    assert comparison_json(comparison)["device_um"]["S2"] is None


def test_scan_without_a_device_table_is_refused() -> None:
    volume = replace(scan({}), record=DeviceRecord())
    with pytest.raises(GeometryError, match="holds no thickness table"):
        compare_with_device(volume, flat_retina())


def test_text_shows_nine_sectors_and_the_total() -> None:
    text = comparison_text(compare_with_device(scan(dict.fromkeys(SECTORS, 290.0)), flat_retina()))
    assert all(f"  {sector}" in text for sector in SECTORS)
    assert "C0        300.0    290.0    +10.0  µm" in text
    assert "8.48     8.00    +0.48  mm³ (+6.0 %)" in text
