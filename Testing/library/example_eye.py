"""A healthy mean eye without natural variation, and small rasters, for tests of phantoms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from RetinaTriageLib.phantoms.anatomy import LAYERS, Anatomy
from RetinaTriageLib.phantoms.devices import SPECTRALIS
from RetinaTriageLib.phantoms.fields import SmoothField
from RetinaTriageLib.phantoms.surfaces import REGIONS, Surfaces, find_surfaces
from RetinaTriageLib.volume import VoxelSpacing

FLAT = SmoothField(np.zeros((1, 2)), np.array([np.pi / 2]))
"""A field that is zero everywhere."""

SMALL = replace(SPECTRALIS, shape=(7, 248, 96), spacing=VoxelSpacing.from_um(200.0, 7.74, 60.0))
"""Every second depth and few, wide A-scans over the field of a macular raster."""

BRUCH_MM = 1.0


def mean_eye() -> Anatomy:
    """Eye of mean layer thickness: level, without vessels and disc."""
    return Anatomy(
        factors=np.ones(len(LAYERS) + 1),
        pit_width=1.0,
        variation=(FLAT,) * (len(LAYERS) + 1),
        tilt=(0.0, 0.0),
        curvature_per_mm=(0.0, 0.0),
        wobble=FLAT,
        wobble_mm=0.0,
        choroid_mm=0.25,
        choroid_variation=FLAT,
        vessels=(),
        disc=False,
    )


def raster(half_mm: float = 1.5, step_mm: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Positions (x nasal, y superior) around the fovea, each (B-scan, A-scan), in mm."""
    at = np.arange(-half_mm, half_mm + step_mm / 2, step_mm)
    x_mm, y_mm = np.meshgrid(at, at)
    return x_mm, y_mm


def surfaces_of(lesions, x_mm: np.ndarray, y_mm: np.ndarray) -> Surfaces:
    return find_surfaces(mean_eye(), lesions, x_mm, y_mm, BRUCH_MM)


def region_thickness(surfaces: Surfaces, region: str) -> np.ndarray:
    """Thickness of one region, in mm, (B-scan, A-scan)."""
    index = REGIONS.index(region)
    return surfaces.boundary_mm[index] - surfaces.boundary_mm[index - 1]
