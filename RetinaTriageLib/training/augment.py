"""Augmentation of labeled B-scans: geometry and intensity as scanners and patients vary them.

A mirrored B-scan is one of the other eye. No tissue names a side, so labels move but never change.
Random numbers come from the generator passed in, so an iteration can be repeated exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation

from RetinaTriageLib.labels.label_sets import UNKNOWN
from RetinaTriageLib.tissues import TISSUE_BY_NAME

Bscans = npt.NDArray[np.uint8]
Gray = npt.NDArray[np.float32]

CLIPPING = TISSUE_BY_NAME["clipping_artifact"].label
BLINK = TISSUE_BY_NAME["blink_artifact"].label
DARK = 0.02  # mean gray (0-1) of a vitreous whose noise the display cuts away
SPECKLE_POOL = 1 << 20  # voxels of noise kept ready; drawing them anew costs more than the rest


@dataclass(frozen=True)
class AugmentationPlan:
    """How far B-scans are changed; a chance is the share of samples that undergo a change.

    Attributes
    ----------
    focus_chance : share of crops that are laid over a rare tissue
    zoom : largest relative change of depth and width, each
    shift_voxels : largest shift along depth
    tilt : largest slope, voxels of depth a voxel of width
    bend_voxels : largest sag of a parabola over the crop's width
    ripple_voxels : size of smooth random displacement along depth
    jitter_voxels : standard deviation of the shift between neighboring B-scans
    gamma : largest exponent; its inverse is the smallest
    speckle, noise : largest multiplicative and additive standard deviation, gray range 0-1
    """

    focus_chance: float = 0.4
    flip_chance: float = 0.5
    geometry_chance: float = 0.8
    zoom: float = 0.15
    shift_voxels: float = 40.0
    tilt: float = 0.15
    bend_voxels: float = 20.0
    ripple_voxels: float = 3.0
    jitter_voxels: float = 0.7
    gamma: float = 1.5
    contrast: float = 0.25
    brightness: float = 0.08
    speckle: float = 0.25
    noise: float = 0.05
    smoothing_chance: float = 0.25
    shadow_chance: float = 0.3
    dimming_chance: float = 0.3
    wedge_chance: float = 0.15
    blink_chance: float = 0.03


def augmented(
    image: Bscans,
    codes: Bscans,
    size: tuple[int, int],
    plan: AugmentationPlan,
    rng: np.random.Generator,
    *,
    focus: int | None = None,
) -> tuple[Gray, Bscans]:
    """Crop of ``size`` (depth, width) out of changed B-scans and its label codes.

    Parameters
    ----------
    image, codes : uint8 arrays (B-scan, depth, width)
    focus : label code that the crop should show, where it is there

    Returns
    -------
    image : float32 array (B-scan, depth, width), gray values 0-255
    codes : uint8 array of the same shape
    """
    image, codes = cropped(image, codes, size, rng, focus)
    if rng.random() < plan.flip_chance:
        image, codes = image[:, :, ::-1], codes[:, :, ::-1]
    gray = image.astype(np.float32) / np.float32(255)
    if rng.random() < plan.geometry_chance:
        gray, codes = warped(gray, codes, plan, rng)
    gray = recolored(gray, plan, rng)
    codes = np.ascontiguousarray(codes)
    if rng.random() < plan.wedge_chance:
        add_wedge(gray, codes, rng)
    if len(gray) > 1 and rng.random() < plan.blink_chance:
        add_blink(gray, codes, rng)
    return np.clip(gray, 0, 1, out=gray) * np.float32(255), codes


def cropped(
    image: Bscans,
    codes: Bscans,
    size: tuple[int, int],
    rng: np.random.Generator,
    focus: int | None = None,
) -> tuple[Bscans, Bscans]:
    """Random crop, over a voxel of ``focus`` where there is one.

    Where the B-scan is smaller it is mirrored, with unknown labels.
    """
    missing = [max(0, want - have) for want, have in zip(size, image.shape[1:], strict=True)]
    if any(missing):
        border = ((0, 0), (0, missing[0]), (0, missing[1]))
        image = np.pad(image, border, mode="symmetric")
        codes = np.pad(codes, border, constant_values=UNKNOWN)
    middle = _place_of(codes, focus, rng)
    depth, width = (
        _corner(want, have, near, rng)
        for want, have, near in zip(size, image.shape[1:], middle, strict=True)
    )
    window = np.s_[:, depth : depth + size[0], width : width + size[1]]
    return image[window], codes[window]


def _place_of(
    codes: Bscans, focus: int | None, rng: np.random.Generator
) -> tuple[int | None, int | None]:
    """Draw (depth, width) of a voxel of the label code; None, None where there is none."""
    if focus is None:
        return None, None
    places = np.flatnonzero((codes == focus).any(axis=0))
    if places.size == 0:
        return None, None
    depth, width = np.divmod(rng.choice(places), codes.shape[2])
    return int(depth), int(width)


def _corner(want: int, have: int, near: int | None, rng: np.random.Generator) -> int:
    """Draw where a crop begins: anywhere, or so that ``near`` lies in its middle part."""
    if near is None:
        return int(rng.integers(have - want + 1))
    start = near - rng.uniform(0.25, 0.75) * want
    return int(np.clip(start, 0, have - want))


def warped(
    gray: Gray, codes: Bscans, plan: AugmentationPlan, rng: np.random.Generator
) -> tuple[Gray, Bscans]:
    """B-scans zoomed, shifted, tilted, bent and rippled; borders mirrored, labels unknown."""
    count, depth, width = gray.shape
    across = np.linspace(-1, 1, width, dtype=np.float32)
    tilt = rng.uniform(-plan.tilt, plan.tilt) * width / 2
    bend = rng.uniform(-plan.bend_voxels, plan.bend_voxels)
    column_shift = torch.from_numpy(tilt * across + bend * across**2)
    bscan_shift = torch.from_numpy(rng.normal(0, plan.jitter_voxels, count))
    bscan_shift += rng.uniform(-plan.shift_voxels, plan.shift_voxels)
    knots = rng.normal(0, plan.ripple_voxels, (1, 1, 5, 5)).astype(np.float32)
    ripple = F.interpolate(
        torch.from_numpy(knots), (depth, width), mode="bicubic", align_corners=True
    )[0, 0]
    zoom_depth, zoom_width = (1 + rng.uniform(-plan.zoom, plan.zoom) for _ in range(2))
    down = torch.linspace(-1, 1, depth)[:, None] * zoom_depth
    shifts = (column_shift + bscan_shift[:, None]).float()  # (B-scan, width)
    rows = down + (ripple + shifts[:, None]) * (2 / depth)  # (B-scan, depth, width)
    columns = torch.from_numpy(across * np.float32(zoom_width)).expand_as(rows)
    grid = torch.stack((columns, rows), dim=-1)
    scans = torch.from_numpy(np.ascontiguousarray(gray))[:, None]
    labels = torch.from_numpy(np.ascontiguousarray(codes)).float()[:, None]
    moved = F.grid_sample(scans, grid, padding_mode="reflection", align_corners=True)
    moved_labels = F.grid_sample(
        labels, grid, mode="nearest", padding_mode="border", align_corners=True
    )
    outside = (rows.abs() > 1) | (columns.abs() > 1)
    moved_codes = moved_labels[:, 0].to(torch.uint8).masked_fill_(outside, UNKNOWN)
    return moved[:, 0].numpy(), moved_codes.numpy()


def recolored(gray: Gray, plan: AugmentationPlan, rng: np.random.Generator) -> Gray:
    """B-scans with other gamma, contrast, brightness, speckle, sharpness and signal."""
    _, depth, width = gray.shape
    gain = np.ones((depth, width), np.float32)
    if rng.random() < plan.shadow_chance:
        gain *= _shadows(width, rng)
    if rng.random() < plan.dimming_chance:
        gain *= _dimming(depth, width, rng)
    exponent = np.float32(plan.gamma ** rng.uniform(-1, 1))
    contrast = np.float32(1 + rng.uniform(-plan.contrast, plan.contrast))
    brightness = np.float32(rng.uniform(-plan.brightness, plan.brightness))
    speckle = np.float32(rng.uniform(0, plan.speckle))
    noise = np.float32(rng.uniform(0, plan.noise))
    gray = np.power(np.maximum(gray, np.float32(1e-4)), exponent) * (gain * contrast) + brightness
    grain = _grain(gray.size, rng).reshape(gray.shape)
    gray += grain * (speckle * gray + noise)
    if rng.random() < plan.smoothing_chance:
        gray[:, :, 1:-1] = (gray[:, :, :-2] + 2 * gray[:, :, 1:-1] + gray[:, :, 2:]) / 4
    return gray


@cache
def _grain_pool() -> Gray:
    return np.random.default_rng(SPECKLE_POOL).standard_normal(SPECKLE_POOL, dtype=np.float32)


def _grain(size: int, rng: np.random.Generator) -> Gray:
    """Draw normal noise: a stretch of the pool, from a random place, with a random sign."""
    start, sign = int(rng.integers(SPECKLE_POOL)), np.float32(rng.choice((-1, 1)))
    places = np.arange(start, start + size) % SPECKLE_POOL
    return _grain_pool()[places] * sign


def _shadows(width: int, rng: np.random.Generator) -> Gray:
    """Gain by column (width,): a few vertical bands of lost signal."""
    columns = np.arange(width, dtype=np.float32)
    gain = np.ones(width, np.float32)
    for _ in range(rng.integers(1, 4)):
        middle, half_width = rng.uniform(0, width), rng.uniform(3, max(4, width / 6))
        strength = rng.uniform(0.2, 0.9)
        gain *= 1 - np.float32(strength) * np.exp(-(((columns - middle) / half_width) ** 4))
    return gain


def _dimming(depth: int, width: int, rng: np.random.Generator) -> Gray:
    """Smooth gain (depth, width) between one third and one: media opacity, roll-off."""
    knots = torch.from_numpy(rng.uniform(0.3, 1.0, (1, 1, 2, 3)).astype(np.float32))
    field = F.interpolate(knots, (depth, width), mode="bilinear", align_corners=True)
    gain: Gray = field[0, 0].numpy()
    return gain


def add_wedge(gray: Gray, codes: Bscans, rng: np.random.Generator) -> None:
    """Fill a wedge at the top or bottom black or white, as registration of B-scans does.

    A black one that cannot be told from what it covers gets no label: at the bottom, where no light
    comes back, and over a vitreous without noise.
    """
    _, depth, width = gray.shape
    left, right = rng.uniform(-0.1, 0.2), rng.uniform(-0.1, 0.2)
    edge = np.linspace(left, right, width) * depth
    inside = np.arange(depth)[:, None] < edge
    at_bottom = rng.random() < 0.5
    if at_bottom:
        inside = inside[::-1]
    if not inside.any():
        return
    fill = int(rng.integers(2))
    hidden = fill == 0 and (at_bottom or float(gray[:, inside].mean()) < DARK)
    gray[:, inside] = fill
    codes[:, inside] = UNKNOWN if hidden else CLIPPING


def add_blink(gray: Gray, codes: Bscans, rng: np.random.Generator) -> None:
    """Take the signal from one B-scan: black, or noise alone."""
    bscan = rng.integers(len(gray))
    level, noise = np.float32(rng.uniform(0, 0.15)), np.float32(rng.uniform(0, 0.08))
    gray[bscan] = level + noise * _grain(gray[bscan].size, rng).reshape(gray[bscan].shape)
    codes[bscan] = BLINK
