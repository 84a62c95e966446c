"""Draw an eye: a healthy one, or one with the lesions of a condition, in literature sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from RetinaTriageLib.phantoms.anatomy import Anatomy, draw_anatomy
from RetinaTriageLib.phantoms.fields import smooth_field
from RetinaTriageLib.phantoms.lesions import (
    Atrophy,
    Bump,
    Cyst,
    Deposit,
    Exudate,
    Hole,
    Hyaloid,
    Lesions,
    Membrane,
    Point,
    Swelling,
)


class Disease(Enum):
    """What an eye is drawn with; an eye may have several."""

    CNV = "cnv"
    EDEMA = "macular_retinal_edema"
    FULL_HOLE = "full_macular_hole"
    PARTIAL_HOLE = "partial_macular_hole"
    CENTRAL_SEROUS = "central_serous_retinopathy"
    TRACTION = "vitreomacular_traction"
    ATROPHY = "geographic_atrophy"
    DRUSEN = "drusen"
    MEMBRANE = "epiretinal_membrane"


@dataclass(frozen=True)
class Eye:
    """One synthetic eye."""

    anatomy: Anatomy
    lesions: Lesions
    diseases: tuple[Disease, ...]


# Pairs seen together in clinics; they keep a network from learning one lesion an eye.
_COMPANIONS: dict[Disease, tuple[Disease, ...]] = {
    Disease.CNV: (Disease.DRUSEN, Disease.ATROPHY),
    Disease.EDEMA: (Disease.MEMBRANE,),
    Disease.ATROPHY: (Disease.DRUSEN,),
    Disease.MEMBRANE: (Disease.PARTIAL_HOLE, Disease.EDEMA),
    Disease.DRUSEN: (Disease.MEMBRANE,),
}


def diseases_named(names: Sequence[str] | None) -> tuple[Disease, ...] | None:
    """Diseases by their names, each once; None, which stands for a draw, stays None.

    Examples
    --------
    >>> diseases_named(["drusen"])
    (<Disease.DRUSEN: 'drusen'>,)
    """
    return None if names is None else tuple(Disease(name) for name in dict.fromkeys(names))


def draw_diseases(rng: np.random.Generator) -> tuple[Disease, ...]:
    """Nothing in two of eleven eyes, else one disease and sometimes a companion."""
    choice = int(rng.integers(0, 11))
    if choice >= len(Disease):
        return ()
    first = list(Disease)[choice]
    companions = _COMPANIONS.get(first, ())
    if companions and rng.random() < 0.35:
        return (first, companions[int(rng.integers(len(companions)))])
    return (first,)


def draw_eye(rng: np.random.Generator, diseases: tuple[Disease, ...]) -> Eye:
    """Draw an eye with the given diseases; free parts such as a detached hyaloid vary by chance."""
    anatomy = draw_anatomy(rng)
    bumps: list[Bump] = []
    swellings: list[Swelling] = []
    cysts: list[Cyst] = []
    exudates: list[Exudate] = []
    if Disease.DRUSEN in diseases:
        bumps += _draw_drusen(rng)
    if Disease.CNV in diseases:
        bumps += _draw_neovascular(rng)
        if rng.random() < 0.6:
            _add_edema(rng, swellings, cysts, height=0.12, cyst_count=12)
    if Disease.CENTRAL_SEROUS in diseases:
        bumps += _draw_central_serous(rng)
    if Disease.EDEMA in diseases:
        _add_edema(rng, swellings, cysts, height=0.25, cyst_count=80)
        exudates += [_draw_exudate(rng) for _ in range(int(rng.integers(0, 50)))]
        if rng.random() < 0.25:
            bumps.append(_bump(rng, Deposit.SUBRETINAL_FLUID, 0.3, (0.3, 0.9), (0.05, 0.2), 1.0))
    full, partial = Disease.FULL_HOLE in diseases, Disease.PARTIAL_HOLE in diseases
    hole = _draw_hole(rng, full=full) if full or partial else None
    if full:
        cysts += _draw_rim_cysts(rng)
    if Disease.TRACTION in diseases and rng.random() < 0.6:
        cysts += [_draw_cyst(rng, (0.0, 0.0), 0.15) for _ in range(int(rng.integers(1, 5)))]
    count = int(rng.integers(1, 4)) if Disease.ATROPHY in diseases else 0
    lesions = Lesions(
        bumps=tuple(bumps),
        swellings=tuple(swellings),
        cysts=tuple(cysts),
        exudates=tuple(exudates),
        membrane=_draw_membrane(rng) if Disease.MEMBRANE in diseases else None,
        hyaloid=_draw_hyaloid(rng, traction=Disease.TRACTION in diseases),
        hole=hole,
        atrophies=tuple(_draw_atrophy(rng) for _ in range(count)),
    )
    return Eye(anatomy, lesions, diseases)


def _place(rng: np.random.Generator, spread_mm: float) -> Point:
    return float(rng.normal(0, spread_mm)), float(rng.normal(0, spread_mm))


def _bump(
    rng: np.random.Generator,
    kind: Deposit,
    spread_mm: float,
    radius_mm: Point,
    height_mm: Point,
    steepness: float,
    roughness: float = 0.0,
) -> Bump:
    radius = rng.uniform(*radius_mm)
    return Bump(
        kind,
        _place(rng, spread_mm),
        (float(radius * rng.uniform(0.8, 1.25)), float(radius * rng.uniform(0.8, 1.25))),
        float(rng.uniform(*height_mm)),
        steepness,
        roughness,
        smooth_field(rng, max(0.25 * radius, 0.05)),
    )


def _draw_drusen(rng: np.random.Generator) -> list[Bump]:
    """Draw drusen: bases of 117, 156, 227 and 296 µm by class, up to large drusenoid PED."""
    bumps = []
    for _ in range(int(rng.integers(4, 70))):
        radius = float(np.clip(rng.lognormal(np.log(0.1), 0.45), 0.03, 0.4))
        height = float(np.clip(radius * rng.uniform(0.3, 1.1), 0.018, 0.22))
        bumps.append(
            _bump(rng, Deposit.DRUSENOID, 1.1, (radius, radius), (height, height), 1.3, 0.05)
        )
    for _ in range(int(rng.integers(0, 4))):
        bumps.append(_bump(rng, Deposit.DRUSENOID, 0.5, (0.2, 0.7), (0.08, 0.25), 1.2, 0.08))
    return bumps


def _draw_neovascular(rng: np.random.Generator) -> list[Bump]:
    """Draw fibrovascular or serous PED (height 374 ± 197 µm), material and fluid above it."""
    bumps = []
    center_spread = 0.5
    if rng.random() < 0.85:
        bumps.append(
            _bump(rng, Deposit.FIBROVASCULAR, center_spread, (0.4, 1.6), (0.05, 0.3), 0.9, 0.25)
        )
    if rng.random() < 0.4:
        bumps.append(_bump(rng, Deposit.SEROUS, center_spread, (0.35, 1.2), (0.12, 0.5), 0.8))
    if rng.random() < 0.6:
        bumps.append(
            _bump(
                rng, Deposit.SUBRETINAL_MATERIAL, center_spread, (0.25, 1.0), (0.04, 0.22), 1.0, 0.3
            )
        )
    if rng.random() < 0.6 or not bumps:
        for _ in range(int(rng.integers(1, 3))):
            bumps.append(_bump(rng, Deposit.SUBRETINAL_FLUID, 0.7, (0.4, 1.5), (0.04, 0.22), 1.0))
    return bumps


def _draw_central_serous(rng: np.random.Generator) -> list[Bump]:
    """Draw a dome of fluid: 298 ± 93 µm high acute, 193 ± 71 µm chronic, base near 3.2 mm."""
    height = float(np.clip(rng.normal(0.24, 0.09), 0.06, 0.5))
    bumps = [_bump(rng, Deposit.SUBRETINAL_FLUID, 0.4, (0.9, 1.9), (height, height), 1.0)]
    if rng.random() < 0.5:
        bumps.append(_bump(rng, Deposit.SEROUS, 0.5, (0.12, 0.4), (0.03, 0.15), 0.8))
    return bumps


def _add_edema(
    rng: np.random.Generator,
    swellings: list[Swelling],
    cysts: list[Cyst],
    *,
    height: float,
    cyst_count: int,
) -> None:
    """Add thickening and clusters of cysts; a large central cyst in some eyes."""
    for _ in range(int(rng.integers(1, 4))):
        center = _place(rng, 0.5)
        sigma = float(rng.uniform(0.35, 1.0))
        layer = str(rng.choice(["inl", "opl", "onl"]))
        swellings.append(Swelling(layer, center, sigma, float(rng.uniform(0.1, 1) * height)))
        for _ in range(int(rng.integers(cyst_count // 8, cyst_count))):
            cysts.append(_draw_cyst(rng, center, 0.8 * sigma))
    if rng.random() < 0.4:
        swellings.append(Swelling("onl", (0.0, 0.0), 0.4, float(rng.uniform(0.4, 1) * height)))
        wide, deep = rng.uniform(0.08, 0.28), rng.uniform(0.06, 0.17)
        cysts.append(Cyst(_place(rng, 0.1), float(rng.uniform(0.4, 0.65)), (wide, wide, deep)))


def _draw_cyst(rng: np.random.Generator, near: Point, spread_mm: float) -> Cyst:
    wide = float(np.clip(rng.lognormal(np.log(0.06), 0.55), 0.018, 0.3))
    deep = float(np.clip(wide * rng.uniform(0.35, 1.3), 0.014, 0.13))
    x, y = _place(rng, spread_mm)
    along = wide * rng.uniform(0.8, 1.8)
    level = float(rng.choice([rng.uniform(0.25, 0.5), rng.uniform(0.5, 0.85)]))
    return Cyst((near[0] + x, near[1] + y), level, (wide, float(along), deep))


def _draw_rim_cysts(rng: np.random.Generator) -> list[Cyst]:
    cysts = []
    for _ in range(int(rng.integers(4, 22))):
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.8)
        center = (float(distance * np.cos(angle)), float(distance * np.sin(angle)))
        cysts.append(_draw_cyst(rng, center, 0.03))
    return cysts


def _draw_exudate(rng: np.random.Generator) -> Exudate:
    return Exudate(_place(rng, 1.2), float(rng.uniform(0.3, 0.95)), float(rng.uniform(0.006, 0.03)))


def _draw_membrane(rng: np.random.Generator) -> Membrane:
    return Membrane(
        center=_place(rng, 0.5),
        radius=float(rng.uniform(1.0, 2.8)),
        thickness=float(rng.uniform(0.012, 0.030)),
        fold=float(rng.uniform(0.004, 0.035)),
        folds=smooth_field(rng, float(rng.uniform(0.05, 0.15))),
        outline=smooth_field(rng, 0.8),
    )


def _draw_hyaloid(rng: np.random.Generator, *, traction: bool) -> Hyaloid | None:
    if not traction and rng.random() < 0.6:
        return None
    attachment = float(rng.uniform(0.05, 0.75)) if traction else 0.0
    return Hyaloid(
        gap=float(rng.uniform(0.08, 0.5)),
        thickness=float(rng.uniform(0.008, 0.018)),
        waves=smooth_field(rng, 1.5),
        attachment=attachment,
        pull=float(rng.uniform(0.05, 0.25)) if traction else 0.0,
        brightness=float(rng.uniform(0.26, 0.5)),
    )


def _draw_hole(rng: np.random.Generator, *, full: bool) -> Hole:
    """Draw a hole; full ones are ≤ 250, 250-400 or > 400 µm wide at the narrowest."""
    return Hole(
        radius=float(rng.uniform(0.06, 0.36) if full else rng.uniform(0.12, 0.4)),
        flare=float(rng.uniform(0.1, 0.45)),
        depth=1.0 if full else float(rng.uniform(0.35, 0.7)),
        cuff=float(rng.uniform(0.08, 0.2) if full else rng.uniform(0.05, 0.14)),
        outline=smooth_field(rng, 0.25),
    )


def _draw_atrophy(rng: np.random.Generator) -> Atrophy:
    return Atrophy(_place(rng, 0.8), float(rng.uniform(0.2, 1.3)), smooth_field(rng, 0.5))
