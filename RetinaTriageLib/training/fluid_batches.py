"""Batches of straightened retinas, moved and changed, as ``train fluid`` learns from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

from RetinaTriageLib.networks.flat_view import BRUCH_ROW, ROWS
from RetinaTriageLib.training.fluid_views import ALL, ViewSample, read_view
from RetinaTriageLib.training.sample_folder import Folder, sample_files

MIDDLE_GRAY = 110.0  # contrast changes around it
WHOLLY = 0.9
"""Share of a place of which something must be known for it to count."""


@dataclass(frozen=True)
class FluidAugmentation:
    """How views are changed; pairs are the least and the most.

    Attributes
    ----------
    fluid_chance : that a B-scan with fluid is taken where the scan has any
    lone_chance : that a B-scan is shown as if it had no neighbors
    zoom_chance, zoom : along the width; a fovea and a cyst may be of any extent
    stretch_chance, stretch : along the depth, from Bruch's membrane
    shift : rows that Bruch's membrane is off at most
    contrast, brightness, noise : of gray from 0 to 255
    cloud : standard deviation of slow changes of gray
    margin_chance, margin : columns at one side that show nothing, as where a scan is registered
    """

    fluid_chance: float = 0.8
    lone_chance: float = 0.25
    zoom_chance: float = 0.6
    zoom: tuple[float, float] = (0.7, 2.7)
    stretch_chance: float = 0.5
    stretch: tuple[float, float] = (0.78, 1.35)
    shift: float = 5.0
    contrast: tuple[float, float] = (0.7, 1.35)
    brightness: float = 25.0
    noise_chance: float = 0.5
    noise: float = 18.0
    cloud_chance: float = 0.3
    cloud: float = 12.0
    margin_chance: float = 0.12
    margin: tuple[int, int] = (4, 40)


@dataclass(frozen=True)
class FluidBatch:
    """Input and answers of one iteration, float tensors.

    Attributes
    ----------
    gray : (batch, 3, row, column), 0 to 255
    ilm_rows : (batch, column)
    fluid : (batch, row, column), share of each place that is fluid
    known : (batch, row, column), 1 where that is known
    """

    gray: Tensor
    ilm_rows: Tensor
    fluid: Tensor
    known: Tensor


@dataclass
class FluidSource:
    """Batches of all folders; the batch of an iteration follows from seed and iteration alone."""

    folders: tuple[Folder, ...]
    batch_bscans: int
    columns: int
    augmentation: FluidAugmentation
    seed: int
    files: tuple[tuple[Path, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        """List the folders."""
        self.files = tuple(tuple(sample_files(folder.path)) for folder in self.folders)

    def batch(self, iteration: int) -> FluidBatch:
        """B-scans of many eyes, each changed in its own way."""
        rng = np.random.default_rng((self.seed, iteration))
        weights = np.array([folder.weight for folder in self.folders])
        drawn = []
        for _ in range(self.batch_bscans):
            files = self.files[rng.choice(len(weights), p=weights / weights.sum())]
            sample = read_view(files[rng.integers(len(files))])
            drawn.append(changed_bscan(sample, self.columns, self.augmentation, rng))
        gray, ilm_rows, fluid, known = (torch.stack(parts) for parts in zip(*drawn, strict=True))
        return FluidBatch(gray, ilm_rows, fluid, known)


def changed_bscan(
    sample: ViewSample, columns: int, plan: FluidAugmentation, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gray, rows of the ILM, fluid and what is known of it, of one B-scan by chance."""
    window = _window(sample, columns, plan, rng)
    moved = _Move(columns, plan, rng)
    gray = moved.bscan(window[:3], outside="border")
    fluid, known = moved.bscan(window[3:5], outside="zeros")
    gray = _recolored(gray, plan, rng)
    known = (known > WHOLLY * ALL).float()
    if rng.random() < plan.margin_chance:
        width = int(rng.integers(*plan.margin))
        margin = slice(0, width) if rng.random() < 0.5 else slice(columns - width, columns)
        gray[..., margin], fluid[..., margin], known[..., margin] = 0, 0, 1
    return gray, moved.line(window[5, 0]), fluid / ALL, known


def _window(
    sample: ViewSample, columns: int, plan: FluidAugmentation, rng: np.random.Generator
) -> Tensor:
    """Three neighbors, fluid, known, and rows of the ILM in its first row; (6, row, column)."""
    numbers = sample.with_fluid
    if not len(numbers) or rng.random() >= plan.fluid_chance:
        numbers = np.arange(len(sample.gray))
    number = int(rng.choice(numbers))
    beside = np.array([-1, 0, 1] if rng.random() < 0.5 else [1, 0, -1])
    if rng.random() < plan.lone_chance:
        beside = np.zeros(3, np.intp)
    neighbors = np.clip(number + beside, 0, len(sample.gray) - 1)
    width = sample.gray.shape[2]
    first = int(rng.integers(max(1, width - columns + 1)))
    shown = slice(first, first + columns)
    parts = np.zeros((6, ROWS, columns), np.float32)
    taken = min(columns, width)
    parts[:3, :, :taken] = sample.gray[neighbors][..., shown]
    parts[3, :, :taken] = sample.fluid[number][:, shown]
    parts[4, :, :taken] = sample.known[number][:, shown]
    parts[5, 0] = np.interp(np.arange(columns), np.arange(taken), sample.ilm_rows[number, shown])
    return torch.from_numpy(parts)


class _Move:
    """One zoom, shift and flip along the width and one stretch and shift along the depth."""

    def __init__(self, columns: int, plan: FluidAugmentation, rng: np.random.Generator) -> None:
        self.columns = columns
        self.zoom = _log_uniform(plan.zoom, rng) if rng.random() < plan.zoom_chance else 1.0
        self.stretch = 1.0
        if rng.random() < plan.stretch_chance:
            self.stretch = _log_uniform(plan.stretch, rng)
        self.center = rng.uniform(-1, 1) * max(0.0, 1 - 1 / self.zoom)
        self.flip = -1.0 if rng.random() < 0.5 else 1.0
        self.shift = rng.uniform(-plan.shift, plan.shift)

    def bscan(self, parts: Tensor, outside: str) -> Tensor:
        """Move values (N, row, column); ``outside`` of them as `torch.nn.functional` has it."""
        bruch = (2 * BRUCH_ROW + 1) / ROWS - 1
        down = bruch - (bruch + 2 * self.shift / ROWS) / self.stretch
        across = [self.flip / self.zoom, 0.0, self.center]
        places = F.affine_grid(
            torch.tensor([[across, [0.0, 1 / self.stretch, down]]]),
            [1, 1, ROWS, self.columns],
            align_corners=False,
        )
        return F.grid_sample(parts[None], places, padding_mode=outside, align_corners=False)[0]

    def line(self, rows: Tensor) -> Tensor:
        """Move the rows of a border, (column,)."""
        across = (np.arange(self.columns) + 0.5) / self.columns * 2 - 1
        places = ((across * self.flip / self.zoom + self.center + 1) / 2 * self.columns) - 0.5
        line = np.interp(places, np.arange(self.columns), rows.numpy())
        moved = BRUCH_ROW + self.shift - (BRUCH_ROW - line) * self.stretch
        return torch.from_numpy(moved.astype(np.float32))


def _recolored(gray: Tensor, plan: FluidAugmentation, rng: np.random.Generator) -> Tensor:
    """Gray of other contrast, brightness and noise, 0 to 255."""
    contrast = rng.uniform(*plan.contrast)
    changed = (gray - MIDDLE_GRAY) * contrast + MIDDLE_GRAY
    changed += rng.uniform(-plan.brightness, plan.brightness)
    if rng.random() < plan.noise_chance:
        noise = rng.standard_normal(tuple(gray.shape), np.float32)
        changed += torch.from_numpy(noise) * rng.uniform(0, plan.noise)
    if rng.random() < plan.cloud_chance:
        coarse = torch.from_numpy(rng.standard_normal((1, 1, 4, 8), np.float32)) * plan.cloud
        changed += F.interpolate(coarse, tuple(gray.shape[1:]), mode="bilinear")[0]
    return changed.clamp_(0, ALL)


def _log_uniform(limits: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(limits))))
