"""A healthy macula: thickness of every layer, the pit, vessels, disc and the shape of the eye.

Positions are mm from the fovea: ``x_mm`` towards the nose, ``y_mm`` towards superior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from RetinaTriageLib.phantoms.fields import Array, SmoothField, smooth_field

LAYERS = ("rnfl", "gcl", "ipl", "inl", "opl", "onl", "is", "ez", "os", "iz")
"""Layers of the neurosensory retina, from the inner limiting membrane outwards."""

# Mean layer thickness in µm: fovea (1 mm disc) | 1-3 mm S N I T | 3-6 mm S N I T, from the table of
# 6 mm macular rasters in PMC6042244; the photoreceptor row is split by the band positions of a
# Spectralis line scan. The first number is the foveal center, where the inner layers run out.
_TABLE_UM: dict[str, tuple[float, ...]] = {
    "rnfl": (2.0, 10.8, 23.4, 20.1, 24.5, 16.8, 37.5, 46.1, 38.9, 19.2),
    "gcl": (0.0, 12.3, 52.0, 50.1, 51.3, 46.7, 36.6, 40.5, 34.0, 36.9),
    "ipl": (5.0, 18.3, 41.2, 42.3, 40.9, 41.0, 29.7, 31.2, 27.8, 32.6),
    "inl": (5.0, 15.3, 39.8, 38.5, 40.5, 36.5, 32.3, 35.1, 32.1, 33.9),
    "opl": (14.0, 23.5, 32.9, 31.9, 36.2, 31.1, 26.2, 28.2, 27.0, 26.4),
    "onl": (105.0, 88.4, 67.5, 72.5, 60.5, 70.0, 58.2, 55.9, 49.6, 55.8),
    "is": (29.0, 25.0, 22.0, 22.0, 22.0, 22.0, 21.0, 21.0, 21.0, 21.0),
    "ez": (12.0, 13.0, 14.0, 14.0, 14.0, 14.0, 14.0, 14.0, 13.5, 14.0),
    "os": (26.0, 18.0, 14.0, 14.5, 13.5, 14.0, 13.0, 13.0, 12.5, 13.0),
    "iz": (15.0, 16.5, 16.5, 17.0, 16.4, 17.5, 17.5, 17.6, 17.1, 18.3),
    "rpe": (18.0, 17.5, 16.2, 16.3, 15.4, 15.1, 14.3, 14.2, 13.7, 13.5),
}
_RADII_MM = (0.0, 0.36, 1.15, 2.25, 4.0)
# The knot at 1.15 mm is the peak of the inner ring; by these factors it lies above the ring's mean.
_PEAKS = {"gcl": 1.16, "ipl": 1.09, "inl": 1.04, "opl": 1.04}
_OUTER_KNOT = 0.985  # and that of the outer ring below it, as the ring begins thicker
_QUADRANTS = {"S": np.pi / 2, "N": 0.0, "I": -np.pi / 2, "T": np.pi}

DISC_CENTER_MM = (4.3, 0.5)
DISC_RADIUS_MM = 0.85


@dataclass(frozen=True)
class Vessel:
    """One retinal vessel as a chain of points (n, 2) in mm, with its radius in mm."""

    points_mm: Array
    radius_mm: float


@dataclass(frozen=True)
class Anatomy:
    """One healthy eye. Thickness factors belong to ``LAYERS`` and, last, the RPE."""

    factors: Array
    pit_width: float
    variation: tuple[SmoothField, ...]
    tilt: tuple[float, float]
    curvature_per_mm: tuple[float, float]
    wobble: SmoothField
    wobble_mm: float
    choroid_mm: float
    choroid_variation: SmoothField
    vessels: tuple[Vessel, ...]
    disc: bool


def draw_anatomy(rng: np.random.Generator) -> Anatomy:
    """Draw an eye with natural variation."""
    rows = len(LAYERS) + 1
    common = rng.normal(0, 0.05)
    return Anatomy(
        factors=np.exp(common + rng.normal(0, 0.08, rows)),
        pit_width=float(np.clip(np.exp(rng.normal(0, 0.15)), 0.5, 1.9)),
        variation=tuple(smooth_field(rng, 0.8) for _ in range(rows)),
        tilt=(float(rng.normal(0, 0.045)), float(rng.normal(0, 0.03))),
        curvature_per_mm=(float(rng.normal(0.008, 0.012)), float(rng.normal(0.008, 0.01))),
        wobble=smooth_field(rng, 1.4),
        wobble_mm=float(rng.uniform(0, 0.02)),
        choroid_mm=float(rng.uniform(0.13, 0.38)),
        choroid_variation=smooth_field(rng, 0.9),
        vessels=_draw_vessels(rng),
        disc=bool(rng.random() < 0.7),
    )


def layer_thickness_mm(anatomy: Anatomy, x_mm: Array, y_mm: Array) -> dict[str, Array]:
    """Thickness of every layer and of the RPE at positions on the retina, in mm."""
    radius = np.hypot(x_mm, y_mm)
    angle = np.arctan2(y_mm, x_mm)
    shares = {q: np.clip(np.cos(angle - at), 0, None) ** 2 for q, at in _QUADRANTS.items()}
    radii = np.array(_RADII_MM) * np.array([1, anatomy.pit_width, anatomy.pit_width, 1, 1])
    thickness: dict[str, Array] = {}
    for row, (layer, values) in enumerate(_TABLE_UM.items()):
        total = np.zeros(np.broadcast_shapes(x_mm.shape, y_mm.shape))
        peak = _PEAKS.get(layer, 1.0)
        for share, inner, outer in zip(shares.values(), values[2:6], values[6:], strict=True):
            knots = (values[0], values[1], inner * peak, outer * _OUTER_KNOT, outer * 0.93)
            total += share * PchipInterpolator(radii, knots, extrapolate=True)(
                np.clip(radius, 0, 4)
            )
        varied = 1 + 0.04 * anatomy.variation[row](x_mm, y_mm)
        thickness[layer] = np.clip(total * anatomy.factors[row] * varied, 0, None) / 1000
    thickness["rnfl"] += nerve_fibers_mm(x_mm, y_mm) * anatomy.factors[0]
    if anatomy.disc:
        _thin_at_disc(thickness, x_mm, y_mm)
    return thickness


def disc_distance_mm(x_mm: Array, y_mm: Array) -> Array:
    """Distance from the rim of the optic disc; negative inside."""
    return np.hypot(x_mm - DISC_CENTER_MM[0], y_mm - DISC_CENTER_MM[1]) - DISC_RADIUS_MM


def nerve_fibers_mm(x_mm: Array, y_mm: Array) -> Array:
    """Thickness that the nerve fiber layer gains near the disc, on top of the table."""
    arcuate = 0.55 + 0.45 * np.tanh((np.abs(y_mm) - 0.6) / 0.8)
    near = np.exp(-np.clip(disc_distance_mm(x_mm, y_mm), 0, None) / 0.9)
    outside = np.clip((np.hypot(x_mm, y_mm) - 2.3) / 0.8, 0, 1)
    gain: Array = 0.11 * arcuate * near * outside
    return gain


def bruch_height_mm(anatomy: Anatomy, x_mm: Array, y_mm: Array) -> Array:
    """Height of Bruch's membrane over its place at the fovea, in mm, towards the vitreous."""
    tilted = anatomy.tilt[0] * x_mm + anatomy.tilt[1] * y_mm
    bent = anatomy.curvature_per_mm[0] * x_mm**2 + anatomy.curvature_per_mm[1] * y_mm**2
    return tilted + bent + anatomy.wobble_mm * anatomy.wobble(x_mm, y_mm)


def choroid_thickness_mm(anatomy: Anatomy, x_mm: Array, y_mm: Array) -> Array:
    """Thickness of the choroid, in mm; it thins towards the disc."""
    varied = 1 + 0.15 * anatomy.choroid_variation(x_mm, y_mm) - 0.08 * x_mm
    return np.clip(anatomy.choroid_mm * varied, 0.04, None)


def vessel_reach(anatomy: Anatomy, x_mm: Array, y_mm: Array) -> tuple[Array, Array]:
    """Relative distance to the nearest vessel axis (1 on its wall), and its radius in mm."""
    shape = np.broadcast_shapes(x_mm.shape, y_mm.shape)
    nearest, radius = np.full(shape, np.inf), np.zeros(shape)
    for vessel in anatomy.vessels:
        squared = np.full(shape, np.inf)
        for px, py in vessel.points_mm:
            squared = np.minimum(squared, (x_mm - px) ** 2 + (y_mm - py) ** 2)
        relative = np.sqrt(squared) / vessel.radius_mm
        closer = relative < nearest
        nearest, radius = np.minimum(nearest, relative), np.where(closer, vessel.radius_mm, radius)
    return nearest, radius


def _thin_at_disc(thickness: dict[str, Array], x_mm: Array, y_mm: Array) -> None:
    """Let all layers but the nerve fibers run out at the rim of the disc."""
    distance = disc_distance_mm(x_mm, y_mm)
    remains = np.clip(distance / 0.25, 0, 1)
    for layer in thickness:
        if layer != "rnfl":
            thickness[layer] *= remains
    cup = np.clip(1 + distance / (DISC_RADIUS_MM * 0.9), 0, 1)
    rim = 0.42 * np.exp(-np.clip(distance, 0, None) / 0.16)
    nerve = np.where(distance < 0, 0.1 + 0.32 * cup**1.5, rim)
    thickness["rnfl"] = np.where(distance < 0, nerve, np.maximum(thickness["rnfl"], nerve))


def _draw_vessels(rng: np.random.Generator) -> tuple[Vessel, ...]:
    """Draw arcades from the disc and small branches towards the fovea."""
    vessels = []
    for _ in range(int(rng.integers(7, 14))):
        up = rng.choice((-1.0, 1.0))
        reach, lift = rng.uniform(2.5, 7.5), rng.uniform(0.7, 3.2)
        t = np.linspace(0, 1, 260)
        x = DISC_CENTER_MM[0] - reach * t
        y = up * lift * np.sin(np.pi * np.clip(t * rng.uniform(0.5, 1.1), 0, 1)) + 0.3
        y += 0.06 * np.sin(t * rng.uniform(8, 25) + rng.uniform(0, 6))
        away = np.hypot(x, y) > 0.45
        if away.sum() > 3:
            vessels.append(Vessel(np.stack([x, y], axis=1)[away], float(rng.uniform(0.012, 0.055))))
    return tuple(vessels)
