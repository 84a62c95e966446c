"""Augmentation of pictures that have a class: rotation, crop, stretch, flips, brightness, contrast.

Nothing here knows what a picture shows, so it serves B-scans and X-rays alike; whether a mirrored
picture still is one of its class is for the user to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor


@dataclass(frozen=True)
class ImageAugmentation:
    """How far pictures are changed.

    Attributes
    ----------
    rotation_degrees : largest rotation, either way
    crop : largest share of each side that is cut off; what is left fills the picture
    stretch : largest relative change of the width against the depth
    flip_width_chance, flip_depth_chance : shares of pictures mirrored left to right, upside down
    brightness : largest change of gray values that range from 0 to 1
    contrast : largest relative change of their distance from middle gray
    """

    rotation_degrees: float = 8.0
    crop: float = 0.2
    stretch: float = 0.1
    flip_width_chance: float = 0.5
    flip_depth_chance: float = 0.0
    brightness: float = 0.1
    contrast: float = 0.25


def changed(
    images: Tensor, plan: ImageAugmentation, generators: Sequence[np.random.Generator]
) -> Tensor:
    """Pictures (N, depth, width), float 0..1, each changed by a generator of its own."""
    depth, width = images.shape[-2:]
    maps = np.stack([_sampling_map(plan, depth, width, rng) for rng in generators])
    grid = F.affine_grid(
        torch.from_numpy(maps).to(images), [len(images), 1, depth, width], align_corners=False
    )
    moved = F.grid_sample(
        images[:, None], grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )[:, 0]
    gain = [1 + rng.uniform(-plan.contrast, plan.contrast) for rng in generators]
    offset = [rng.uniform(-plan.brightness, plan.brightness) for rng in generators]
    levels = moved.new_tensor([gain, offset])[:, :, None, None]
    return ((moved - 0.5) * levels[0] + 0.5 + levels[1]).clamp_(0, 1)


def _sampling_map(
    plan: ImageAugmentation, depth: int, width: int, rng: np.random.Generator
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Where each place of the new picture lies in the old one: (2, 3), sides from -1 to 1."""
    angle = np.deg2rad(rng.uniform(-plan.rotation_degrees, plan.rotation_degrees))
    left = 1 - rng.uniform(0, plan.crop)
    stretch = np.sqrt(1 + rng.uniform(-plan.stretch, plan.stretch))
    mirrored = rng.random(2) < (plan.flip_width_chance, plan.flip_depth_chance)
    scale = left * np.array([stretch, 1 / stretch]) * np.where(mirrored, -1, 1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    sides = np.array([width, depth], np.float64)
    # Angles hold in pixels, so sides of different length are taken out before the turn.
    linear = turn * scale * sides / sides[:, None]
    place = rng.uniform(-1, 1, 2) * (1 - left)
    return np.column_stack((linear, place))
