"""How one synthetic eye is pictured: brightness, contrast, noise and opacities of a volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.phantoms.devices import SPECTRALIS, DeviceProfile
from RetinaTriageLib.phantoms.fields import SmoothField, smooth_field
from RetinaTriageLib.phantoms.surfaces import REGIONS

FloatImage = npt.NDArray[np.float32]

# Display gray 0..1 of each region on a Spectralis, in the order of REGIONS, read off averaged line
# scans; 0 is lit by the noise floor alone. That of "ped" follows from its kind, below by label.
# Reflectivity is the tissue's own: the Spectralis' root turns these grays into it for any scanner,
# so that a scanner with another root differs in display and noise, not in what tissue reflects.
_GRAY = {
    "vitreous": 0.0,
    "erm": 0.80,
    "rnfl": 0.60,
    "gcl": 0.43,
    "ipl": 0.45,
    "inl": 0.34,
    "opl": 0.41,
    "onl": 0.235,
    "is": 0.30,
    "ez": 0.72,
    "os": 0.50,
    "iz": 0.66,
    "srf": 0.08,
    "shrm": 0.58,
    "rpe": 0.78,
    "ped": 0.45,
    "choroid": 0.41,
    "sclera": 0.40,
}
_PED_GRAY = {8: 0.44, 9: 0.14, 10: 0.47}

PURE_BLACK = 1.2  # a black level from which vitreous and depth have no gray of their own


@dataclass(frozen=True)
class Exposure:
    """How one eye is pictured: drawn once a volume, so that its B-scans agree.

    Attributes
    ----------
    raw : raw reflectivity of each region, then of cyst, exudate and hyaloid
    ped_raw : raw reflectivity of each kind of PED, by tissue label
    speckle : relative standard deviation of the intensity
    floor, black : mean raw noise, and the share of it that the display takes off
    choroid_decay : per mm
    texture, lumens, sclera : log contrast of the choroid, of its large vessels, of the sclera
    reflex : gain of the inner limiting membrane where it mirrors light, by ``reflex_field``
    opacity : A-scan regions with lost signal, as (center x, center y, radius, depth of loss)
    """

    raw: FloatImage
    ped_raw: dict[int, float]
    speckle: float
    floor: float
    black: float
    gain: float
    choroid_decay: float
    texture: float
    lumens: float
    sclera: float
    illumination: SmoothField
    illumination_strength: float
    vessel_shadow: float
    reflex: float
    reflex_field: SmoothField
    opacity: tuple[tuple[float, float, float, float], ...]


def draw_exposure(rng: np.random.Generator, device: DeviceProfile) -> Exposure:
    """Draw brightness, contrast, noise and opacities for one volume."""
    gray = np.array([*_GRAY.values(), rng.uniform(0.06, 0.2), 0.85, rng.uniform(0.26, 0.5)])
    jitter = np.exp(rng.normal(0, 0.09, gray.shape))
    contrast = rng.uniform(0.8, 1.25)
    gray = np.clip(gray * jitter, 0, 0.97) ** contrast
    gray[REGIONS.index("srf")] *= rng.uniform(0.5, 1.8)
    frames = rng.uniform(*device.frames)
    opacity: tuple[tuple[float, float, float, float], ...] = ()
    if rng.random() < 0.15:
        opacity = tuple(
            (rng.normal(0, 1.5), rng.normal(0, 1.5), rng.uniform(0.3, 1.2), rng.uniform(2, 6))
            for _ in range(int(rng.integers(1, 4)))
        )
    return Exposure(
        raw=(gray**SPECTRALIS.root).astype(np.float32),
        ped_raw={
            label: float((value * np.exp(rng.normal(0, 0.2))) ** SPECTRALIS.root)
            for label, value in _PED_GRAY.items()
        },
        speckle=float(1.5 / np.sqrt(frames)),
        floor=float(rng.uniform(*device.noise_floor) ** device.root),
        black=_draw_black(rng),
        gain=float(np.exp(rng.normal(0, 0.5))),
        choroid_decay=float(rng.uniform(11, 26)),
        texture=float(rng.uniform(0.25, 0.7)),
        lumens=float(rng.uniform(0, 1.1)),
        sclera=float(rng.uniform(-1.0, 1.5)),
        illumination=smooth_field(rng, 1.2),
        illumination_strength=float(rng.uniform(0.1, 0.45)),
        vessel_shadow=float(rng.uniform(0.03, 0.35)),
        reflex=float(rng.uniform(0.5, 4.0)) if rng.random() < 0.6 else 0.0,
        reflex_field=smooth_field(rng, 0.5),
        opacity=opacity,
    )


def _draw_black(rng: np.random.Generator) -> float:
    """Share of the noise that a display takes off; above ``PURE_BLACK`` nothing of it is seen."""
    kind = rng.random()
    if kind < 0.55:
        return float(rng.uniform(0, 0.7))
    return float(rng.uniform(0.7, 1.4) if kind < 0.9 else rng.uniform(1.4, 3.0))
