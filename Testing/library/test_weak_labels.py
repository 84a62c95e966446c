from __future__ import annotations

from dataclasses import replace

import numpy as np

from RetinaTriageLib.networks.graph_search import Surfaces
from RetinaTriageLib.training.weak_labels import weak_codes
from RetinaTriageLib.volume import VoxelSpacing

SPACING = VoxelSpacing.from_um(None, 4, 12)
SHAPE = (100, 64)
IMAGE = np.full(SHAPE, 100, np.uint8)
IMAGE[:20] = IMAGE[75:] = 10
NAMES = ("ilm", "ellipsoid", "rpe", "rpe_outer", "bm")


def layers(**depth: float) -> Surfaces:
    """Flat, sure surfaces: ILM 20, ellipsoid 54, RPE 60 to 70; the last 4 rows are clipped."""
    lines = {"ilm": 20, "ellipsoid": 54, "rpe": 60, "rpe_outer": 70, "bm": 70} | depth
    flat = {name: np.full((1, SHAPE[1]), lines[name], np.float32) for name in NAMES}
    clipped = np.zeros((1, *SHAPE), bool)
    clipped[:, 96:] = True
    sure = {name: np.ones((1, SHAPE[1]), np.float32) for name in NAMES}
    return Surfaces(**flat, confidence=sure, clipped=clipped)


def column(codes: np.ndarray) -> list[int]:
    """Codes down the middle column at vitreous, retina, receptors, RPE, choroid and fill."""
    return [int(codes[row, 32]) for row in (5, 40, 57, 68, 80, 98)]


def test_layers_get_their_codes() -> None:
    assert column(weak_codes(IMAGE, layers(), SPACING)) == [0, 102, 102, 7, 11, 13]


def test_graded_retina_outside_fluid_is_not_fluid() -> None:
    fluid = np.zeros(SHAPE, bool)
    fluid[36:46, 28:38] = True
    codes = weak_codes(IMAGE, layers(), SPACING, fluid)
    assert column(codes) == [0, 4, 101, 7, 11, 13]
    assert codes[35, 32] == 255  # rim of the fluid
    assert codes[30, 32] == 101


def test_pocket_that_reaches_the_photoreceptors_may_be_either_fluid() -> None:
    fluid = np.zeros(SHAPE, bool)
    fluid[36:52, 28:38] = True
    assert weak_codes(IMAGE, layers(), SPACING, fluid)[40, 32] == 100


def test_pixels_at_a_surface_are_unknown() -> None:
    codes = weak_codes(IMAGE, layers(), SPACING)
    assert set(codes[[19, 20, 21, 69, 70, 71], 32].tolist()) == {255}


def test_bright_vitreous_may_be_hyaloid() -> None:
    image = IMAGE.copy()
    image[8:11] = 60
    assert weak_codes(image, layers(), SPACING)[9, 32] == 104


def test_lifted_epithelium_is_some_rpe_complex() -> None:
    codes = weak_codes(IMAGE, layers(rpe=56, rpe_outer=60), SPACING)
    assert set(codes[58:69, 32].tolist()) == {103}


def test_lost_membrane_leaves_retina_and_choroid_unknown() -> None:
    lost = layers()
    sure = dict(lost.confidence)
    sure["bm"] = np.where(np.arange(SHAPE[1]) < 25, 0, 1).astype(np.float32)[None]
    codes = weak_codes(IMAGE, replace(lost, confidence=sure), SPACING)
    assert column(codes) == [0, 255, 255, 255, 255, 13]  # 300 um beside the gap as well
    assert codes[80, 60] == 11
