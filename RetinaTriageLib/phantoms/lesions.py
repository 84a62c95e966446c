"""Lesions as shapes: what each adds to, takes from or bends in a healthy retina.

All lengths are mm. Sizes are drawn in ``eye.py`` from the literature figures named there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from RetinaTriageLib.phantoms.fields import Array, SmoothField

Point = tuple[float, float]


class Deposit(Enum):
    """What lifts the retina or the pigment epithelium."""

    SUBRETINAL_FLUID = "subretinal_fluid"
    SUBRETINAL_MATERIAL = "subretinal_hyperreflective_material"
    DRUSENOID = "drusenoid_ped"
    SEROUS = "serous_ped"
    FIBROVASCULAR = "fibrovascular_ped"


@dataclass(frozen=True)
class Bump:
    """Deposit under the retina or under the pigment epithelium.

    Attributes
    ----------
    radii : half axes of the elliptical base
    steepness : exponent of the dome; 1 is a paraboloid, below 1 steeper walls
    roughness : strength of ``relief`` on its surface, 0 smooth
    """

    kind: Deposit
    center: Point
    radii: Point
    height: float
    steepness: float
    roughness: float
    relief: SmoothField


@dataclass(frozen=True)
class Swelling:
    """Thickening of one layer by edema."""

    layer: str
    center: Point
    sigma: float
    height: float


@dataclass(frozen=True)
class Cyst:
    """Ellipsoid of fluid in the retina.

    Attributes
    ----------
    level : where its middle lies between the ganglion cells (0) and the photoreceptors (1)
    radii : half axes along (x, y, depth)
    """

    center: Point
    level: float
    radii: tuple[float, float, float]


@dataclass(frozen=True)
class Exudate:
    """Small bright deposit in the retina; it belongs to the neurosensory retina."""

    center: Point
    level: float
    radius: float


@dataclass(frozen=True)
class Membrane:
    """Epiretinal membrane over a patch, with traction folds of the surface below it."""

    center: Point
    radius: float
    thickness: float
    fold: float
    folds: SmoothField
    outline: SmoothField


@dataclass(frozen=True)
class Hyaloid:
    """Detached rear face of the vitreous.

    Attributes
    ----------
    gap : its height over the retina far from any attachment
    attachment : radius around the fovea in which it still sticks, 0 where it is free
    pull : height to which it draws the fovea up
    """

    gap: float
    thickness: float
    waves: SmoothField
    attachment: float
    pull: float
    brightness: float


@dataclass(frozen=True)
class Hole:
    """Macular hole around the fovea.

    Attributes
    ----------
    radius : at its narrowest
    flare : how much wider it is at the inner surface
    depth : share of the retina that is missing, 1 for a full-thickness hole
    cuff : thickening of its rim
    """

    radius: float
    flare: float
    depth: float
    cuff: float
    outline: SmoothField


@dataclass(frozen=True)
class Atrophy:
    """Geographic atrophy: no pigment epithelium and a collapsed outer retina in a patch."""

    center: Point
    radius: float
    outline: SmoothField


@dataclass(frozen=True)
class Lesions:
    """All lesions of one eye."""

    bumps: tuple[Bump, ...] = ()
    swellings: tuple[Swelling, ...] = ()
    cysts: tuple[Cyst, ...] = ()
    exudates: tuple[Exudate, ...] = ()
    membrane: Membrane | None = None
    hyaloid: Hyaloid | None = None
    hole: Hole | None = None
    atrophies: tuple[Atrophy, ...] = ()


def patch_depth(
    x_mm: Array, y_mm: Array, center: Point, radius: float, outline: SmoothField
) -> Array:
    """Distance inside an irregular patch, in mm; negative outside."""
    distance: Array = ((x_mm - center[0]) ** 2 + (y_mm - center[1]) ** 2) ** 0.5
    return radius * (1 + 0.25 * outline(x_mm, y_mm)) - distance
