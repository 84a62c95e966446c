"""From an eye to its surfaces: the depth of every boundary above a raster of A-scans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from RetinaTriageLib.phantoms.anatomy import (
    LAYERS,
    Anatomy,
    bruch_height_mm,
    choroid_thickness_mm,
    layer_thickness_mm,
)
from RetinaTriageLib.phantoms.fields import Array, dome, gaussian
from RetinaTriageLib.phantoms.lesions import Bump, Deposit, Lesions, patch_depth
from RetinaTriageLib.tissues import TISSUE_BY_NAME

REGIONS = ("vitreous", "erm", *LAYERS, "srf", "shrm", "rpe", "ped", "choroid", "sclera")
"""Regions along an A-scan, from the vitreous down; a boundary lies between neighbors."""

_PED_KINDS = (Deposit.DRUSENOID, Deposit.SEROUS, Deposit.FIBROVASCULAR)


@dataclass(frozen=True)
class Surfaces:
    """Boundaries of the regions over a raster (B-scan, A-scan).

    Attributes
    ----------
    boundary_mm : float array (boundary, B-scan, A-scan), depth below the top of the picture;
        boundary i lies between ``REGIONS[i]`` and ``REGIONS[i + 1]``
    ped_label : int array (B-scan, A-scan), tissue label of what lies in region "ped"
    hyaloid_mm : float array (boundary, B-scan, A-scan), front and rear of the detached hyaloid; NaN
        without one
    atrophy : float array (B-scan, A-scan), 0 healthy to 1 without pigment epithelium
    """

    x_mm: Array
    y_mm: Array
    boundary_mm: Array
    ped_label: Array
    hyaloid_mm: Array
    atrophy: Array

    def top_mm(self, region: str) -> Array:
        """Depth at which a region begins, in mm, (B-scan, A-scan)."""
        top: Array = self.boundary_mm[REGIONS.index(region) - 1]
        return top


def find_surfaces(
    anatomy: Anatomy, lesions: Lesions, x_mm: Array, y_mm: Array, bruch_depth_mm: float
) -> Surfaces:
    """Surfaces of one eye at positions on the retina, Bruch's membrane lying at the given depth."""
    shape = np.broadcast_shapes(x_mm.shape, y_mm.shape)
    thickness = layer_thickness_mm(anatomy, x_mm, y_mm)
    thickness |= {name: np.zeros(shape) for name in ("erm", "srf", "shrm", "ped")}
    _swell(thickness, lesions, x_mm, y_mm)
    ped_label = _deposit(thickness, lesions.bumps, x_mm, y_mm)
    atrophy = _waste(thickness, lesions, x_mm, y_mm)
    _cover(thickness, lesions, x_mm, y_mm)
    thickness["choroid"] = choroid_thickness_mm(anatomy, x_mm, y_mm)

    bruch = bruch_depth_mm - bruch_height_mm(anatomy, x_mm, y_mm)
    boundaries = np.empty((len(REGIONS) - 1, *shape))
    last = REGIONS.index("choroid") - 1
    boundaries[last] = bruch
    for index in range(last - 1, -1, -1):
        boundaries[index] = boundaries[index + 1] - thickness[REGIONS[index + 1]]
    boundaries[last + 1] = bruch + thickness["choroid"]
    hyaloid = _detach(lesions, x_mm, y_mm, boundaries[0], bruch)
    return Surfaces(x_mm, y_mm, boundaries, ped_label, hyaloid, atrophy)


def bump_height(bump: Bump, x_mm: Array, y_mm: Array) -> Array:
    """Height of one deposit, in mm; never negative."""
    base = dome(x_mm, y_mm, bump.center, bump.radii) ** bump.steepness
    rough = np.clip(1 + bump.roughness * bump.relief(x_mm, y_mm), 0.1, None)
    height: Array = bump.height * base * rough
    return height


def _swell(thickness: dict[str, Array], lesions: Lesions, x_mm: Array, y_mm: Array) -> None:
    """Thicken layers by edema, the cuff of a hole and the pull of the vitreous."""
    for swelling in lesions.swellings:
        bell = gaussian(x_mm, y_mm, swelling.center, swelling.sigma)
        thickness[swelling.layer] += swelling.height * bell
    if lesions.hole is not None:
        rim = gaussian(x_mm, y_mm, (0, 0), lesions.hole.radius + 0.35)
        thickness["inl"] += 0.5 * lesions.hole.cuff * rim
        thickness["onl"] += 0.5 * lesions.hole.cuff * rim
    if lesions.hyaloid is not None and lesions.hyaloid.pull > 0:
        peak = gaussian(x_mm, y_mm, (0, 0), 0.12 + lesions.hyaloid.attachment)
        thickness["ipl"] += 0.3 * lesions.hyaloid.pull * peak
        thickness["onl"] += 0.7 * lesions.hyaloid.pull * peak


def _deposit(
    thickness: dict[str, Array], bumps: tuple[Bump, ...], x_mm: Array, y_mm: Array
) -> Array:
    """Pile up deposits; the photoreceptors over them get thinner. Label of the highest PED."""
    label = np.full(thickness["ped"].shape, TISSUE_BY_NAME["drusenoid_ped"].label)
    for bump in bumps:
        height = bump_height(bump, x_mm, y_mm)
        if bump.kind in _PED_KINDS:
            higher = height > thickness["ped"]
            label[higher] = TISSUE_BY_NAME[bump.kind.value].label
            thickness["ped"] = np.maximum(thickness["ped"], height)
        elif bump.kind is Deposit.SUBRETINAL_FLUID:
            thickness["srf"] = np.maximum(thickness["srf"], height)
        else:
            thickness["shrm"] = np.maximum(thickness["shrm"], height)
    lifted = thickness["ped"] + thickness["shrm"]
    thickness["onl"] -= np.minimum(0.45 * thickness["onl"], 0.4 * lifted)
    for band in ("os", "iz", "ez"):
        thickness[band] *= np.exp(-lifted / 0.12)
    thickness["rpe"] *= np.exp(-thickness["shrm"] / 0.3)
    return label


def _waste(thickness: dict[str, Array], lesions: Lesions, x_mm: Array, y_mm: Array) -> Array:
    """Collapse the outer retina where the pigment epithelium is gone; degree of atrophy 0..1."""
    degree: Array = np.zeros(thickness["rpe"].shape)
    collapse: Array = degree.copy()
    for atrophy in lesions.atrophies:
        inside = patch_depth(x_mm, y_mm, atrophy.center, atrophy.radius, atrophy.outline)
        degree = np.maximum(degree, np.clip(inside / 0.08, 0, 1))
        collapse = np.maximum(collapse, np.clip((inside + 0.1) / 0.4, 0, 1))
    thickness["rpe"] *= 1 - degree
    for band in ("is", "ez", "os", "iz"):
        thickness[band] *= 1 - 0.95 * degree
    thickness["onl"] *= 1 - 0.75 * collapse
    return degree


def _cover(thickness: dict[str, Array], lesions: Lesions, x_mm: Array, y_mm: Array) -> None:
    """Lay an epiretinal membrane on the retina, fold the surface and fill the pit below it."""
    if lesions.membrane is None:
        return
    membrane = lesions.membrane
    inside = patch_depth(x_mm, y_mm, membrane.center, membrane.radius, membrane.outline)
    patch = np.clip(inside / 0.15, 0, 1)
    thickness["erm"] += membrane.thickness * patch
    ripples = np.clip(membrane.folds(x_mm, y_mm), -1, 2) + 1
    thickness["rnfl"] += membrane.fold * ripples * patch
    thickness["inl"] += 2.0 * membrane.fold * patch


def _detach(lesions: Lesions, x_mm: Array, y_mm: Array, ilm_mm: Array, bruch_mm: Array) -> Array:
    """Front and rear depth of the detached hyaloid, in mm; NaN where it lies on the retina."""
    hyaloid = lesions.hyaloid
    if hyaloid is None:
        return np.full((2, *ilm_mm.shape), np.nan)
    calm = bruch_mm - 0.33 - hyaloid.gap * (1 + 0.25 * hyaloid.waves(x_mm, y_mm))
    rear = np.minimum(calm, ilm_mm - 0.02)
    if hyaloid.attachment > 0:
        away = np.clip(np.hypot(x_mm, y_mm) - hyaloid.attachment, 0, None)
        stuck = np.exp(-away / 0.8)
        rear = stuck * ilm_mm + (1 - stuck) * rear
    front = rear - hyaloid.thickness
    free = rear < ilm_mm - 0.004
    faces: Array = np.where(free, np.stack([front, rear]), np.nan)
    return faces
