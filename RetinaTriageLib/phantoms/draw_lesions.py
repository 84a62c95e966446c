"""Draw lesions of an eye, one kind at a time, in literature sizes; lengths are in mm."""

from __future__ import annotations

import numpy as np

from RetinaTriageLib.phantoms.fields import smooth_field
from RetinaTriageLib.phantoms.lesions import (
    Atrophy,
    Bump,
    Cyst,
    Deposit,
    Exudate,
    Hole,
    Hyaloid,
    Membrane,
    Point,
    Swelling,
)


def _place(rng: np.random.Generator, spread_mm: float) -> Point:
    return float(rng.normal(0, spread_mm)), float(rng.normal(0, spread_mm))


def bump(
    rng: np.random.Generator,
    kind: Deposit,
    spread_mm: float,
    radius_mm: Point,
    height_mm: Point,
    steepness: float,
    roughness: float = 0.0,
) -> Bump:
    """Draw a bump of a kind, of a size in a range, somewhere around the fovea."""
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


def draw_drusen(rng: np.random.Generator) -> list[Bump]:
    """Draw drusen: bases of 117, 156, 227 and 296 µm by class, up to large drusenoid PED."""
    bumps = []
    for _ in range(int(rng.integers(4, 70))):
        radius = float(np.clip(rng.lognormal(np.log(0.1), 0.45), 0.03, 0.4))
        height = float(np.clip(radius * rng.uniform(0.3, 1.1), 0.018, 0.22))
        bumps.append(
            bump(rng, Deposit.DRUSENOID, 1.1, (radius, radius), (height, height), 1.3, 0.05)
        )
    for _ in range(int(rng.integers(0, 4))):
        bumps.append(bump(rng, Deposit.DRUSENOID, 0.5, (0.2, 0.7), (0.08, 0.25), 1.2, 0.08))
    return bumps


def draw_neovascular(rng: np.random.Generator) -> list[Bump]:
    """Draw fibrovascular or serous PED (height 374 ± 197 µm), material and fluid above it."""
    bumps = []
    center_spread = 0.5
    if rng.random() < 0.85:
        bumps.append(
            bump(rng, Deposit.FIBROVASCULAR, center_spread, (0.4, 1.6), (0.05, 0.3), 0.9, 0.25)
        )
    if rng.random() < 0.4:
        bumps.append(bump(rng, Deposit.SEROUS, center_spread, (0.35, 1.2), (0.12, 0.5), 0.8))
    if rng.random() < 0.6:
        bumps.append(
            bump(
                rng, Deposit.SUBRETINAL_MATERIAL, center_spread, (0.25, 1.0), (0.04, 0.22), 1.0, 0.3
            )
        )
    if rng.random() < 0.6 or not bumps:
        for _ in range(int(rng.integers(1, 3))):
            bumps.append(bump(rng, Deposit.SUBRETINAL_FLUID, 0.7, (0.4, 1.5), (0.04, 0.22), 1.0))
    return bumps


def draw_central_serous(rng: np.random.Generator) -> list[Bump]:
    """Draw a dome of fluid: 298 ± 93 µm high acute, 193 ± 71 µm chronic, base near 3.2 mm."""
    height = float(np.clip(rng.normal(0.24, 0.09), 0.06, 0.5))
    bumps = [bump(rng, Deposit.SUBRETINAL_FLUID, 0.4, (0.9, 1.9), (height, height), 1.0)]
    if rng.random() < 0.5:
        bumps.append(bump(rng, Deposit.SEROUS, 0.5, (0.12, 0.4), (0.03, 0.15), 0.8))
    return bumps


def add_edema(
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
            cysts.append(draw_cyst(rng, center, 0.8 * sigma))
    if rng.random() < 0.4:
        swellings.append(Swelling("onl", (0.0, 0.0), 0.4, float(rng.uniform(0.4, 1) * height)))
        wide, deep = rng.uniform(0.08, 0.28), rng.uniform(0.06, 0.17)
        cysts.append(Cyst(_place(rng, 0.1), float(rng.uniform(0.4, 0.65)), (wide, wide, deep)))


def draw_cyst(rng: np.random.Generator, near: Point, spread_mm: float) -> Cyst:
    """Draw a cyst near a place."""
    wide = float(np.clip(rng.lognormal(np.log(0.06), 0.55), 0.018, 0.3))
    deep = float(np.clip(wide * rng.uniform(0.35, 1.3), 0.014, 0.13))
    x, y = _place(rng, spread_mm)
    along = wide * rng.uniform(0.8, 1.8)
    level = float(rng.choice([rng.uniform(0.25, 0.5), rng.uniform(0.5, 0.85)]))
    return Cyst((near[0] + x, near[1] + y), level, (wide, float(along), deep))


def draw_rim_cysts(rng: np.random.Generator) -> list[Cyst]:
    """Draw the cysts around a full hole."""
    cysts = []
    for _ in range(int(rng.integers(4, 22))):
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.8)
        center = (float(distance * np.cos(angle)), float(distance * np.sin(angle)))
        cysts.append(draw_cyst(rng, center, 0.03))
    return cysts


def draw_exudate(rng: np.random.Generator) -> Exudate:
    """Draw a hard exudate."""
    return Exudate(_place(rng, 1.2), float(rng.uniform(0.3, 0.95)), float(rng.uniform(0.006, 0.03)))


def draw_membrane(rng: np.random.Generator) -> Membrane:
    """Draw an epiretinal membrane."""
    return Membrane(
        center=_place(rng, 0.5),
        radius=float(rng.uniform(1.0, 2.8)),
        thickness=float(rng.uniform(0.012, 0.030)),
        fold=float(rng.uniform(0.004, 0.035)),
        folds=smooth_field(rng, float(rng.uniform(0.05, 0.15))),
        outline=smooth_field(rng, 0.8),
    )


def draw_hyaloid(rng: np.random.Generator, *, traction: bool) -> Hyaloid | None:
    """Draw a posterior hyaloid that is detached, or pulls; None where it is not seen."""
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


def draw_hole(rng: np.random.Generator, *, full: bool) -> Hole:
    """Draw a hole; full ones are ≤ 250, 250-400 or > 400 µm wide at the narrowest."""
    return Hole(
        radius=float(rng.uniform(0.06, 0.36) if full else rng.uniform(0.12, 0.4)),
        flare=float(rng.uniform(0.1, 0.45)),
        depth=1.0 if full else float(rng.uniform(0.35, 0.7)),
        cuff=float(rng.uniform(0.08, 0.2) if full else rng.uniform(0.05, 0.14)),
        outline=smooth_field(rng, 0.25),
    )


def draw_atrophy(rng: np.random.Generator) -> Atrophy:
    """Draw an area of atrophy."""
    return Atrophy(_place(rng, 0.8), float(rng.uniform(0.2, 1.3)), smooth_field(rng, 0.5))
