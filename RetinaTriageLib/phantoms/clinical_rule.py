"""The written rule that turns what an eye contains into referral, progression and treatment.

It is ours, made to be simple and complete; it restates no guideline. Urgency follows the order of
US 11,954,902: neovascular disease first, then what threatens central vision soon.
"""

from __future__ import annotations

from dataclasses import dataclass

from RetinaTriageLib.phantoms.eye import Disease
from RetinaTriageLib.phantoms.lesions import Deposit, Lesions


@dataclass(frozen=True)
class Truth:
    """What an observer with perfect sight would answer; indices follow ``outcomes.py``.

    Attributes
    ----------
    conditions : names, ("normal",) where there is none
    """

    referral: str
    conditions: tuple[str, ...]
    progression: str
    treatment: str


def judge_eye(diseases: tuple[Disease, ...], lesions: Lesions) -> Truth:
    """Answers for one eye.

    Referral: neovascularization is urgent; a full hole, edema, or a serous detachment that reaches
    the fovea are semi-urgent; the other conditions are routine, except drusen alone without a
    drusenoid PED wider than 350 µm, which are observed like a normal eye. Progression: rapid for
    neovascularization and full holes; slow for edema, atrophy, traction, large drusenoid PED and
    membranes; else stable. Treatment: anti-VEGF for neovascularization and edema, else surgery for
    a full hole, traction or a membrane that folds the surface by more than 20 µm, else none.
    """
    names = set(diseases)
    fluid_at_fovea = any(
        bump.kind is Deposit.SUBRETINAL_FLUID
        and (bump.center[0] / bump.radii[0]) ** 2 + (bump.center[1] / bump.radii[1]) ** 2 < 1
        for bump in lesions.bumps
    )
    large_drusen = any(
        bump.kind is Deposit.DRUSENOID and max(bump.radii) > 0.175 for bump in lesions.bumps
    )
    folding = lesions.membrane is not None and lesions.membrane.fold > 0.020
    central_serous = Disease.CENTRAL_SEROUS in names
    if Disease.CNV in names:
        referral = "urgent"
    elif names & {Disease.FULL_HOLE, Disease.EDEMA} or (central_serous and fluid_at_fovea):
        referral = "semi_urgent"
    elif names - {Disease.DRUSEN} or large_drusen:
        referral = "routine"
    else:
        referral = "observation"

    if names & {Disease.CNV, Disease.FULL_HOLE}:
        progression = "rapid"
    elif (
        names & {Disease.EDEMA, Disease.ATROPHY, Disease.TRACTION, Disease.MEMBRANE} or large_drusen
    ):
        progression = "slow"
    else:
        progression = "stable"

    if names & {Disease.CNV, Disease.EDEMA}:
        treatment = "anti_vegf"
    elif names & {Disease.FULL_HOLE, Disease.TRACTION} or folding:
        treatment = "surgery"
    else:
        treatment = "none"
    conditions = tuple(disease.value for disease in diseases) or ("normal",)
    return Truth(referral, conditions, progression, treatment)
