from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from RetinaTriageLib.labels.label_sets import UNKNOWN
from RetinaTriageLib.training.augment import (
    BLINK,
    CLIPPING,
    AugmentationPlan,
    add_blink,
    add_wedge,
    augmented,
    cropped,
    warped,
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
