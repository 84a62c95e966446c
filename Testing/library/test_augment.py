from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from RetinaTriageLib.labels.label_sets import UNKNOWN
from RetinaTriageLib.outcomes import OUTCOME_HEADS
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.training.augment import (
    BLINK,
    CLIPPING,
    AugmentationPlan,
    add_blink,
    add_wedge,
    augmented,
    cropped,
    recolored,
    warped,
)

PLAIN_GRAY = replace(
    AugmentationPlan(),
    speckle=0.0,
    noise=0.0,
    smoothing_chance=0.0,
    shadow_chance=0.0,
    dimming_chance=0.0,
)

Bytes = npt.NDArray[np.uint8]

NO_WARP = replace(
    AugmentationPlan(),
    zoom=0.0,
    shift_voxels=0.0,
    tilt=0.0,
    bend_voxels=0.0,
    ripple_voxels=0.0,
    jitter_voxels=0.0,
)


def layered(bscans: int = 3, depth: int = 64, width: int = 48) -> tuple[Bytes, Bytes]:
    """Vitreous over retina over choroid; gray values tell them apart."""
    codes = np.zeros((bscans, depth, width), np.uint8)
    codes[:, depth // 3 :], codes[:, depth // 2 :] = 3, 11
    return codes * np.uint8(20), codes


def test_same_seed_gives_same_sample() -> None:
    first, again = (
        augmented(*layered(), (48, 32), AugmentationPlan(), np.random.default_rng(7))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])


def test_sample_has_the_asked_size_and_range() -> None:
    for seed in range(20):
        gray, codes = augmented(
            *layered(), (48, 32), AugmentationPlan(), np.random.default_rng(seed)
        )
        assert gray.shape == codes.shape == (3, 48, 32)
        assert gray.dtype == np.float32
        assert gray.min() >= 0
        assert gray.max() <= 255


def test_labels_move_with_the_picture() -> None:
    image, codes = layered()
    gray, moved = warped(
        image.astype(np.float32), codes, AugmentationPlan(), np.random.default_rng(0)
    )
    known = moved != UNKNOWN
    off = np.abs(gray - moved * 20.0)[known] > 20 * 11 / 2
    assert known.mean() > 0.3
    assert off.mean() < 0.05  # interpolated voxels on the borders of layers


def test_warp_by_nothing_changes_nothing() -> None:
    image, codes = layered()
    gray, moved = warped(image.astype(np.float32), codes, NO_WARP, np.random.default_rng(0))
    np.testing.assert_allclose(gray, image, atol=0.01)
    np.testing.assert_array_equal(moved, codes)


def test_small_bscan_is_filled_with_unknown_labels() -> None:
    _, codes = cropped(*layered(depth=40), (48, 32), np.random.default_rng(0))
    assert codes.shape == (3, 48, 32)
    assert (codes[:, 40:] == UNKNOWN).all()


@pytest.mark.parametrize("seed", [0, 1, 4, 6, 12])  # these draw a wedge
def test_wedge_is_constant_and_labeled_clipping_or_left_unknown(seed: int) -> None:
    image, codes = layered()
    before, gray = codes.copy(), image.astype(np.float32)
    add_wedge(gray, codes, np.random.default_rng(seed))
    wedge = codes != before
    black_bottom = wedge[:, -1].any() and gray[wedge].max() == 0
    assert len(np.unique(gray[wedge])) == 1
    assert set(codes[wedge].tolist()) == {UNKNOWN if black_bottom else CLIPPING}


def test_blink_takes_one_whole_bscan() -> None:
    image, codes = layered()
    add_blink(image.astype(np.float32), codes, np.random.default_rng(0))
    assert sorted((codes == BLINK).mean(axis=(1, 2)).tolist()) == [0.0, 0.0, 1.0]


def borders(codes: Bytes) -> npt.NDArray[np.int64]:
    """Depth at which the retina begins, (B-scan, width)."""
    return (codes == 3).argmax(axis=1)


def moved_layers(**limits: float) -> Bytes:
    """Codes of the layers, moved in one way only."""
    image, codes = layered(bscans=2, depth=128, width=64)
    plan = replace(NO_WARP, **limits)
    return warped(image.astype(np.float32), codes, plan, np.random.default_rng(3))[1]


def test_affine_tilt_makes_a_straight_slope() -> None:
    steps = np.diff(borders(moved_layers(tilt=0.15))[0])
    assert 0 < abs(steps.sum()) <= 0.15 * 64
    assert abs(steps).max() == 1


def test_affine_zoom_changes_the_thickness() -> None:
    before = (layered(depth=128)[1] == 3).sum(axis=1).mean()
    assert (moved_layers(zoom=0.3) == 3).sum(axis=1).mean() != before


def test_elastic_ripple_bends_layers_without_breaking_them() -> None:
    border = borders(moved_layers(ripple_voxels=4.0))[0]
    assert len(np.unique(border)) > 3
    assert abs(np.diff(border)).max() <= 2


def test_jitter_shifts_neighboring_bscans_apart() -> None:
    first, second = borders(moved_layers(jitter_voxels=4.0))
    assert len(np.unique(first - second)) == 1
    assert first[0] != second[0]


def test_intensity_keeps_the_order_of_gray_values() -> None:
    ramp = np.tile(np.linspace(0.1, 0.6, 32, dtype=np.float32)[:, None], (1, 1, 24))
    changed = recolored(ramp.copy(), PLAIN_GRAY, np.random.default_rng(1))
    assert (np.diff(changed, axis=1) > 0).all()
    assert np.abs(changed - ramp).max() > 0.01


def test_speckle_grows_with_the_signal() -> None:
    plan = replace(PLAIN_GRAY, gamma=1.0, contrast=0.0, brightness=0.0, speckle=0.5)
    gray = np.full((1, 64, 64), 0.1, np.float32)
    gray[:, 32:] = 0.8
    noisy = recolored(gray.copy(), plan, np.random.default_rng(0))
    assert noisy[:, 32:].std() == pytest.approx(8 * noisy[:, :32].std(), rel=0.15)


def test_flip_mirrors_picture_and_labels_alike() -> None:
    image, codes = layered()
    codes[:, 40:, :5], image[:, 40:, :5] = 4, 200
    plan = replace(PLAIN_GRAY, gamma=1.0, contrast=0.0, brightness=0.0, geometry_chance=0.0)
    still = replace(plan, flip_chance=1.0, wedge_chance=0.0, blink_chance=0.0, focus_chance=0.0)
    gray, flipped = augmented(image, codes, (64, 48), still, np.random.default_rng(0))
    np.testing.assert_array_equal(flipped, codes[:, :, ::-1])
    np.testing.assert_allclose(gray, image[:, :, ::-1], atol=1)


def test_no_label_names_a_side_that_a_flip_would_have_to_swap() -> None:
    names = [tissue.name for tissue in TISSUES]
    names += [name for head in OUTCOME_HEADS for name in head.names]
    sides = {"left", "right", "od", "os", "nasal", "temporal"}
    assert not sides & {word for name in names for word in name.split("_")}
