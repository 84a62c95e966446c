import numpy as np
import pytest

from RetinaTriageLib.measures.columns import class_counts, column_counts
from RetinaTriageLib.measures.regions import circle_areas
from RetinaTriageLib.measures.volumes import tissue_measures
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.tissues import TISSUE_BY_NAME, TISSUES
from RetinaTriageLib.volume import VoxelSpacing

SPACING = VoxelSpacing(0.03, 0.008, 0.024)
SHAPE = (220, 80, 270)
CENTER = Fovea(109.3, 134.6, 0.0, "user")
FLUID = TISSUE_BY_NAME["subretinal_fluid"]


def voxel_grid():
    """Positions from the center, in mm, as three arrays that broadcast to the volume."""
    bscan, depth, width = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    return (
        (bscan - CENTER.bscan) * SPACING.bscan_mm,
        (depth - 40.2) * SPACING.depth_mm,
        (width - CENTER.width) * SPACING.width_mm,
    )


def measured(inside):
    tissue_map = np.where(np.broadcast_to(inside, SHAPE), FLUID.label, 0).astype(np.uint8)
    areas = circle_areas((SHAPE[0], SHAPE[2]), SPACING, CENTER)
    counts, total = column_counts(tissue_map, 15), class_counts(tissue_map, 15)
    measures = tissue_measures(counts, [total, total * 3], areas, SPACING, TISSUES)
    return {measure.tissue.name: measure for measure in measures}


def test_sphere_has_its_volume_and_shadow():
    bscan, depth, width = voxel_grid()
    fluid = measured(bscan**2 + depth**2 + width**2 <= 0.3**2)[FLUID.name]
    assert fluid.volume_mm3["1 mm"] == pytest.approx(4 / 3 * np.pi * 0.3**3, rel=0.01)
    assert fluid.area_mm2["1 mm"] == pytest.approx(np.pi * 0.3**2, rel=0.01)
    assert fluid.volume_mm3["all"] == pytest.approx(fluid.volume_mm3["1 mm"])


def test_cylinder_wider_than_a_circle_fills_it():
    bscan, depth, width = voxel_grid()
    high = (np.abs(depth) < 0.1) & (bscan**2 + width**2 <= 1.25**2)
    fluid = measured(high)[FLUID.name]
    height_mm = 25 * SPACING.depth_mm
    assert fluid.volume_mm3["1 mm"] == pytest.approx(np.pi * 0.25 * height_mm, rel=0.01)
    assert fluid.volume_mm3["3 mm"] == pytest.approx(np.pi * 1.25**2 * height_mm, rel=0.01)
    assert fluid.area_mm2["6 mm"] == pytest.approx(np.pi * 1.25**2, rel=0.01)


def test_slab_has_the_volume_of_the_circles():
    _, depth, _ = voxel_grid()
    fluid = measured(np.abs(depth) < 0.1)[FLUID.name]
    height_mm = 25 * SPACING.depth_mm
    for diameter_mm in (1, 3, 6):
        expected = np.pi * diameter_mm**2 / 4 * height_mm
        assert fluid.volume_mm3[f"{diameter_mm} mm"] == pytest.approx(expected, rel=0.002)


def test_absent_tissue_measures_zero():
    drusen = measured(np.zeros((1, 1, 1), dtype=bool))["drusenoid_ped"]
    assert set(drusen.volume_mm3.values()) == {0.0}
    assert set(drusen.area_mm2.values()) == {0.0}
    assert drusen.volume_spread.high == 0.0


def test_tissues_together_fill_the_scan():
    bscan, depth, width = voxel_grid()
    measures = measured(bscan + depth + width > 0)
    total = sum(measure.volume_mm3["all"] for measure in measures.values())
    assert total == pytest.approx(np.prod(SHAPE) * SPACING.voxel_mm3)


def test_spread_covers_the_hypotheses():
    _, depth, _ = voxel_grid()
    fluid = measured(np.abs(depth) < 0.1)[FLUID.name]
    assert fluid.volume_spread.low == pytest.approx(fluid.volume_mm3["all"])
    assert fluid.volume_spread.high == pytest.approx(3 * fluid.volume_mm3["all"])
    assert fluid.volume_spread.mean == pytest.approx(2 * fluid.volume_mm3["all"])
