"""Draw an eye: a healthy one, or one with the lesions of a condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from RetinaTriageLib.phantoms.anatomy import Anatomy, draw_anatomy
from RetinaTriageLib.phantoms.draw_lesions import (
    add_edema,
    bump,
    draw_atrophy,
    draw_central_serous,
    draw_cyst,
    draw_drusen,
    draw_exudate,
    draw_hole,
    draw_hyaloid,
    draw_membrane,
    draw_neovascular,
    draw_rim_cysts,
)
from RetinaTriageLib.phantoms.lesions import Bump, Cyst, Deposit, Exudate, Lesions, Swelling


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
        bumps += draw_drusen(rng)
    if Disease.CNV in diseases:
        bumps += draw_neovascular(rng)
        if rng.random() < 0.6:
            add_edema(rng, swellings, cysts, height=0.12, cyst_count=12)
    if Disease.CENTRAL_SEROUS in diseases:
        bumps += draw_central_serous(rng)
    if Disease.EDEMA in diseases:
        add_edema(rng, swellings, cysts, height=0.25, cyst_count=80)
        exudates += [draw_exudate(rng) for _ in range(int(rng.integers(0, 50)))]
        if rng.random() < 0.25:
            bumps.append(bump(rng, Deposit.SUBRETINAL_FLUID, 0.3, (0.3, 0.9), (0.05, 0.2), 1.0))
    full, partial = Disease.FULL_HOLE in diseases, Disease.PARTIAL_HOLE in diseases
    hole = draw_hole(rng, full=full) if full or partial else None
    if full:
        cysts += draw_rim_cysts(rng)
    if Disease.TRACTION in diseases and rng.random() < 0.6:
        cysts += [draw_cyst(rng, (0.0, 0.0), 0.15) for _ in range(int(rng.integers(1, 5)))]
    count = int(rng.integers(1, 4)) if Disease.ATROPHY in diseases else 0
    lesions = Lesions(
        bumps=tuple(bumps),
        swellings=tuple(swellings),
        cysts=tuple(cysts),
        exudates=tuple(exudates),
        membrane=draw_membrane(rng) if Disease.MEMBRANE in diseases else None,
        hyaloid=draw_hyaloid(rng, traction=Disease.TRACTION in diseases),
        hole=hole,
        atrophies=tuple(draw_atrophy(rng) for _ in range(count)),
    )
    return Eye(anatomy, lesions, diseases)
