"""Two visits made of one drawn fundus, turned and moved by known amounts."""

import numpy as np
import numpy.typing as npt
import pytest

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.measures.follow_up import Visit, follow_up, register_visits
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.volume import STANDARD_DIRECTIONS, Laterality, OCTVolume, VoxelSpacing

SPACING = VoxelSpacing.from_um(100, 4, 50)
WIDTHS_SHAPE = (60, 128)


def visit(
    degrees: float = 0.0,
    fovea: tuple[float, float] = (29.5, 63.5),
    side: Laterality | None = Laterality.OD,
    superior: int = 1,
) -> Visit:
    """Scan of a fundus with vessels, whose fovea lies somewhere and which is turned."""
    directions = STANDARD_DIRECTIONS * np.array([1.0, 1.0, superior])
    rng = np.random.default_rng(0)
    voxels = rng.integers(0, 255, (WIDTHS_SHAPE[0], 16, WIDTHS_SHAPE[1]), dtype=np.uint8)
    volume = OCTVolume(voxels, SPACING, side, directions=directions)
    left, up = mm(fovea, superior)
    angle = -np.radians(degrees)
    left, up = np.cos(angle) * left - np.sin(angle) * up, np.sin(angle) * left + np.cos(angle) * up
    vessels = np.cos(4 * left + up) + np.sin(3 * up - left) + np.cos(2.5 * (left + 1.4 * up) + 1)
    return Visit(volume, Fovea(*fovea, 0.1, "drawn"), vessels.astype(np.float32))


def mm(fovea: tuple[float, float], superior: int = 1) -> tuple[npt.NDArray[np.float64], ...]:
    """Distances from the fovea, to the left and to superior."""
    up = (np.arange(WIDTHS_SHAPE[0]) - fovea[0]) * 0.1 * superior
    left = (np.arange(WIDTHS_SHAPE[1]) - fovea[1]) * 0.05
    return tuple(np.meshgrid(left, up))


def flat(um: float) -> npt.NDArray[np.float32]:
    return np.full(WIDTHS_SHAPE, um, np.float32)


@pytest.mark.parametrize("degrees", [-6.0, 0.0, 4.0])
def test_rotation_is_found(degrees: float):
    found = register_visits(visit(), visit(degrees))
    assert found.rotation_degrees == pytest.approx(degrees, abs=0.5)
    assert found.correlation > 0.9


def test_moved_fovea_needs_no_rotation():
    found = register_visits(visit(), visit(fovea=(33.0, 58.0)))
    assert found.rotation_degrees == 0
    assert found.correlation > 0.95


def test_scan_from_above_down_is_the_same_fundus():
    found = register_visits(visit(), visit(superior=-1))
    assert found.rotation_degrees == 0
    assert found.correlation > 0.95


def test_pictures_that_do_not_match_are_not_turned():
    noise = np.random.default_rng(1).normal(size=WIDTHS_SHAPE).astype(np.float32)
    other = visit()
    found = register_visits(visit(), Visit(other.volume, other.fovea, noise))
    assert found.correlation < 0.3


def test_same_map_has_not_changed():
    change = follow_up(visit(), visit(), flat(300), flat(300))
    assert np.nanmax(np.abs(change.change_um)) == 0
    assert change.sectors_um["C0"] == 0


def test_thicker_map_changes_by_its_thickness_times_its_area():
    change = follow_up(visit(), visit(), flat(300), flat(310))
    before, after = change.volumes_nl["1 mm"]
    assert after - before == pytest.approx(10 * np.pi / 4, rel=0.01)  # µm x mm² = nl
    assert change.sectors_um["S1"] == pytest.approx(10)


def test_lesion_is_compared_in_place_although_the_eye_was_turned():
    first, second = visit(), visit(5.0, fovea=(31.0, 60.0))
    maps = []
    for fovea, degrees in (((29.5, 63.5), 0.0), ((31.0, 60.0), 5.0)):
        left, up = mm(fovea)
        angle = np.radians(degrees)
        center = (np.cos(angle) * 1.5, np.sin(angle) * 1.5)
        lesion = 100 * np.exp(-((left - center[0]) ** 2 + (up - center[1]) ** 2) / 0.3)
        maps.append((300 + lesion).astype(np.float32))
    change = follow_up(first, second, *maps)
    assert np.nanmax(np.abs(change.change_um)) < 8
    unregistered = maps[1] - maps[0]
    assert np.abs(unregistered).max() > 25


def test_places_that_one_visit_does_not_show_do_not_count():
    gone = flat(310)
    gone[:, :40] = np.nan
    change = follow_up(visit(), visit(), flat(300), gone)
    assert np.isnan(change.change_um[:, :39]).all()
    assert change.shared["all"] == pytest.approx(88 / 128, abs=0.01)


def test_unknown_eye_has_no_sectors():
    change = follow_up(visit(side=None), visit(side=None), flat(300), flat(310))
    assert change.sectors_um == {}


def test_other_eye_is_refused():
    with pytest.raises(GeometryError, match="two visits of one eye"):
        register_visits(visit(), visit(side=Laterality.OS))
