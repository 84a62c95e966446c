from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from RetinaTriageLib.training.image_augment import ImageAugmentation, changed

NOTHING = ImageAugmentation(0, 0, 0, 0, 0, 0, 0)


def picture() -> torch.Tensor:
    """A ramp along depth and width, (1, 12, 20)."""
    depth, width = torch.linspace(0, 0.3, 12), torch.linspace(0, 0.6, 20)
    return (depth[:, None] + width)[None]


def change(plan: ImageAugmentation, seed: int = 0) -> torch.Tensor:
    return changed(picture(), plan, [np.random.default_rng(seed)])


def test_no_change_leaves_the_picture() -> None:
    assert torch.allclose(change(NOTHING), picture(), atol=1e-5)


@pytest.mark.parametrize(("axis", "name"), [(2, "flip_width_chance"), (1, "flip_depth_chance")])
def test_flips_mirror_the_picture(axis: int, name: str) -> None:
    assert torch.allclose(change(replace(NOTHING, **{name: 1})), picture().flip(axis), atol=1e-5)


def test_quarter_turn_keeps_lengths_in_pixels() -> None:
    bar = torch.zeros(1, 41, 81)
    bar[0, 20, 31:50] = 1  # 19 pixels along the width

    turned = changed(bar, replace(NOTHING, rotation_degrees=90), [np.random.default_rng(1)])
    down, along = (int(side[-1] - side[0]) for side in turned[0].gt(0.3).nonzero().sort(0)[0].T)
    assert np.hypot(down, along) == pytest.approx(18, abs=1.5)


def test_crop_shows_a_part_of_the_picture() -> None:
    shown = change(replace(NOTHING, crop=0.5), seed=1)
    assert shown.min() >= picture().min()
    assert np.ptp(shown.numpy()) < np.ptp(picture().numpy())


def test_brightness_and_contrast_stay_within_the_range() -> None:
    plan = replace(NOTHING, brightness=0.9, contrast=0.9)
    shown = torch.cat([change(plan, seed) for seed in range(5)])
    assert shown.min() >= 0
    assert shown.max() <= 1
    assert shown.mean(dim=(1, 2)).std() > 0.05


def test_pictures_of_a_batch_do_not_touch_one_another() -> None:
    both = torch.cat([picture(), picture().flip(2)])
    together = changed(both, ImageAugmentation(), [np.random.default_rng(s) for s in (3, 4)])
    alone = changed(both[1:], ImageAugmentation(), [np.random.default_rng(4)])
    assert torch.allclose(together[1:], alone, atol=1e-6)
