"""What a volume refuses, and laws of its geometry."""

from dataclasses import replace

import numpy as np
import pytest

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.volume import (
    STANDARD_DIRECTIONS,
    DeviceFamily,
    Laterality,
    OCTVolume,
    ScanPattern,
    VoxelSpacing,
    describe,
    with_geometry,
)

SPACING = VoxelSpacing(bscan_mm=0.12, depth_mm=0.004, width_mm=0.011)


def example_voxels(shape: tuple[int, ...] = (3, 16, 20), dtype: type = np.uint8) -> np.ndarray:
    return (np.arange(np.prod(shape)).reshape(shape) % 200).astype(dtype)


def example_volume(**facts) -> OCTVolume:
    return replace(OCTVolume(example_voxels(), SPACING, Laterality.OD), **facts)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_gray_voxels_of_three_types_are_taken(dtype):
    assert OCTVolume(example_voxels(dtype=dtype), SPACING).shape == (3, 16, 20)


def test_one_bscan_is_a_volume():
    assert OCTVolume(example_voxels((1, 16, 20)), SPACING).shape == (1, 16, 20)


@pytest.mark.parametrize(
    ("voxels", "why"),
    [
        (example_voxels((16, 20)), "stack the B-scans"),
        (example_voxels((16, 20, 3)), "color or 4D"),
        (example_voxels((2, 3, 16, 20)), "color or 4D"),
        (example_voxels((0, 16, 20)), "at least 16 depths"),
        (example_voxels((3, 15, 20)), "at least 16 depths"),
        (example_voxels((3, 16, 15)), "at least 16 depths"),
        (example_voxels(dtype=np.int16), "type int16"),
        (example_voxels(dtype=np.float64), "type float64"),
        (np.full((3, 16, 20), 7, np.uint8), "constant volume"),
    ],
)
def test_voxels_that_are_no_scan_are_refused(voxels, why):
    with pytest.raises(InputError, match=why):
        OCTVolume(voxels, SPACING)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_voxels_without_a_finite_value_are_refused(value):
    voxels = example_voxels(dtype=np.float32)
    voxels[1, 2, 3] = value
    with pytest.raises(InputError, match="NaN or infinite"):
        OCTVolume(voxels, SPACING)


def test_slanted_axes_are_refused():
    slanted = STANDARD_DIRECTIONS.copy()
    slanted[:, 0] = (0.8, 0.6, 0.0)
    with pytest.raises(GeometryError, match="not perpendicular"):
        example_volume(directions=slanted)


@pytest.mark.parametrize(
    ("spacing_um", "where"),
    [
        ((1000, 1000, 1000), "between B-scans"),
        ((120, 1000, 11), "along the depth"),
        ((120, 4, 1000), "along the width"),
        ((120, 0, 11), "along the depth"),
        ((-120, 4, 11), "between B-scans"),
        ((120, float("nan"), 11), "along the depth"),
    ],
)
def test_spacing_that_no_scanner_has_is_refused(spacing_um, where):
    with pytest.raises(GeometryError, match=where):
        VoxelSpacing.from_um(*spacing_um)


def test_voxel_volume_is_the_product_of_the_spacings():
    assert SPACING.voxel_mm3 == pytest.approx(0.12 * 0.004 * 0.011)
    assert SPACING.column_mm2 == pytest.approx(0.12 * 0.011)


def test_single_bscan_has_no_volume():
    with pytest.raises(GeometryError, match="single B-scan"):
        _ = VoxelSpacing.from_um(None, 4, 11).voxel_mm3


def test_unknown_spacing_is_refused_with_a_remedy():
    with pytest.raises(GeometryError, match="--spacing-um"):
        example_volume(spacing=None).ijk_to_ras()


@pytest.mark.parametrize("pattern", [ScanPattern.CIRCLE, ScanPattern.RADIAL])
def test_scans_that_are_no_raster_are_refused_where_one_is_needed(pattern):
    with pytest.raises(GeometryError, match=f"is a {pattern.value} scan"):
        example_volume(pattern=pattern).require_raster()


@pytest.mark.parametrize("pattern", [ScanPattern.RASTER, ScanPattern.LINE])
def test_parallel_bscans_pass(pattern):
    example_volume(pattern=pattern).require_raster()


def test_width_runs_to_the_nose_in_right_eyes():
    # Standard: width grows towards the patient's left, where the nose is for the right eye.
    assert example_volume(laterality=Laterality.OD).nasal_sign == 1
    assert example_volume(laterality=Laterality.OS).nasal_sign == -1


def test_mirrored_width_swaps_nose_and_temple():
    mirrored = STANDARD_DIRECTIONS * [-1, 1, 1]
    for laterality in Laterality:
        there = example_volume(laterality=laterality)
        back = example_volume(laterality=laterality, directions=mirrored)
        assert there.nasal_sign == -back.nasal_sign


def test_unknown_laterality_has_no_nasal_side():
    assert example_volume(laterality=None).nasal_sign is None


def test_reversed_bscans_run_to_inferior():
    assert example_volume().superior_sign == 1
    assert example_volume(directions=STANDARD_DIRECTIONS * [1, 1, -1]).superior_sign == -1


def test_affine_places_voxels_in_the_standard_orientation():
    ras = example_volume(origin_mm=(1.0, 2.0, 3.0)).ijk_to_ras() @ [10, 5, 2, 1]
    # 10 steps of width to the left, 5 of depth to posterior, 2 B-scans to superior
    np.testing.assert_allclose(ras, [1 - 0.11, 2 - 0.02, 3 + 0.24, 1])


def test_steps_of_the_affine_are_the_spacing():
    turned = np.array([[0.0, 0.6, 0.8], [0.0, -0.8, 0.6], [1.0, 0.0, 0.0]])
    affine = example_volume(directions=turned).ijk_to_ras()
    steps_mm = np.linalg.norm(affine[:3, :3], axis=0)
    np.testing.assert_allclose(steps_mm, [SPACING.width_mm, SPACING.depth_mm, SPACING.bscan_mm])


def test_flipping_the_bscans_moves_no_voxel():
    volume = example_volume()
    last = volume.ijk_to_ras() @ [0, 0, 2, 1]
    flipped = example_volume(directions=STANDARD_DIRECTIONS * [1, 1, -1], origin_mm=tuple(last[:3]))
    index, mirrored = [4, 5, 0, 1], [4, 5, 2, 1]
    np.testing.assert_allclose(volume.ijk_to_ras() @ index, flipped.ijk_to_ras() @ mirrored)


def test_stated_facts_are_recorded_as_assumed():
    stated = with_geometry(
        example_volume(spacing=None, laterality=None), spacing=SPACING, laterality=Laterality.OS
    )
    assert (stated.spacing, stated.laterality) == (SPACING, Laterality.OS)
    assert dict(stated.sources) == {"spacing": "user", "laterality": "user"}
    assert stated.assumed == (
        "Spacing as stated by the user: 120.00 × 4.00 × 11.00 µm (B-scan × depth × width).",
        "Laterality as stated by the user: OS.",
    )


def test_stating_nothing_changes_nothing():
    volume = example_volume(assumed=("Laterality is a guess.",))
    stated = with_geometry(volume)
    assert stated.assumed == volume.assumed
    assert (stated.spacing, stated.laterality) == (volume.spacing, volume.laterality)


def test_a_stated_fact_replaces_what_was_assumed_of_it():
    volume = example_volume(assumed=("Device is unknown.", "Laterality is unknown."))
    stated = with_geometry(volume, device=DeviceFamily.CIRRUS)
    assert stated.assumed == ("Laterality is unknown.", "Device as stated by the user: cirrus.")


def test_single_bscan_is_described_without_a_distance():
    spacing = VoxelSpacing.from_um(None, 3.87, 11.5)
    assert describe(spacing) == "- × 3.87 × 11.50 µm (B-scan × depth × width)"


def test_unknown_is_described_as_such():
    assert describe(None) == "unknown"
