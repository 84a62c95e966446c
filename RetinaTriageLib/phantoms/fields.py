"""Smooth random fields on the retina that can be evaluated at any position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

WAVES = 24


@dataclass(frozen=True)
class SmoothField:
    """Sum of plane waves: zero mean, unit standard deviation, features of about one length scale.

    Being a formula and not a grid, it is the same for every raster that samples it.
    """

    wave_vectors: Array
    phases: Array

    def __call__(self, x_mm: Array, y_mm: Array) -> Array:
        """Values at positions on the retina, in the shape of ``x_mm`` and ``y_mm`` broadcast."""
        total: Array = np.zeros(np.broadcast_shapes(x_mm.shape, y_mm.shape))
        for (along_x, along_y), phase in zip(self.wave_vectors, self.phases, strict=True):
            total += np.cos(along_x * x_mm + along_y * y_mm + phase)
        total *= np.sqrt(2 / len(self.phases))
        return total


def smooth_field(rng: np.random.Generator, scale_mm: float) -> SmoothField:
    """Draw a field whose features are about ``scale_mm`` wide."""
    vectors = rng.normal(0, 1 / scale_mm, (WAVES, 2))
    return SmoothField(vectors, rng.uniform(0, 2 * np.pi, WAVES))


def dome(
    x_mm: Array, y_mm: Array, center: tuple[float, float], radii: tuple[float, float]
) -> Array:
    """Paraboloid of height 1 on an elliptical base; 0 outside."""
    across, along = (x_mm - center[0]) / radii[0], (y_mm - center[1]) / radii[1]
    return np.clip(1 - across**2 - along**2, 0, None)


def gaussian(x_mm: Array, y_mm: Array, center: tuple[float, float], sigma_mm: float) -> Array:
    """Bell of height 1."""
    squared = (x_mm - center[0]) ** 2 + (y_mm - center[1]) ** 2
    bell: Array = np.exp(-squared / (2 * sigma_mm**2))
    return bell
