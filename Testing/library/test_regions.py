import numpy as np
import pytest

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.measures.regions import circle_areas
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.volume import VoxelSpacing

SHAPE = (61, 700)
SPACING = VoxelSpacing(0.12, 0.004, 0.0115)


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
@pytest.mark.parametrize("diameter_mm", [1, 3, 6])
def test_circles_have_their_area_wherever_they_lie_on_the_cells(diameter_mm, shift):
    areas = circle_areas(SHAPE, SPACING, Fovea(30 + shift, 350 + shift, 0.0, "user"))
    expected = np.pi * diameter_mm**2 / 4
    assert areas[f"{diameter_mm} mm"].sum() == pytest.approx(expected, rel=2e-3)


def test_no_cell_counts_for_more_than_its_area():
    areas = circle_areas(SHAPE, SPACING, Fovea(30, 350, 0.0, "user"))
    assert max(area.max() for area in areas.values()) <= SPACING.column_mm2 * (1 + 1e-9)


def test_circle_at_the_edge_of_the_scan_counts_half():
    areas = circle_areas(SHAPE, SPACING, Fovea(-0.5, 350, 0.0, "user"))
    assert areas["1 mm"].sum() == pytest.approx(np.pi / 8, rel=2e-3)


def test_center_outside_the_scan_is_refused():
    with pytest.raises(GeometryError, match="Place it inside the scan"):
        circle_areas(SHAPE, SPACING, Fovea(80, 350, 0.0, "user"))
