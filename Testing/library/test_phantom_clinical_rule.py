from __future__ import annotations

import pytest
from example_eye import FLAT

from RetinaTriageLib.outcomes import CONDITIONS, PROGRESSION, REFERRAL, TREATMENT
from RetinaTriageLib.phantoms.clinical_rule import Truth, judge_eye
from RetinaTriageLib.phantoms.eye import Disease
from RetinaTriageLib.phantoms.lesions import Bump, Deposit, Lesions, Membrane

NOTHING = Lesions()


def fluid(center_mm: float) -> Lesions:
    """A dome of subretinal fluid, 1 mm in radius."""
    kind = Deposit.SUBRETINAL_FLUID
    return Lesions(bumps=(Bump(kind, (center_mm, 0.0), (1.0, 1.0), 0.2, 1.0, 0.0, FLAT),))


def druse(radius_mm: float) -> Lesions:
    bump = Bump(Deposit.DRUSENOID, (0.5, 0.0), (radius_mm, radius_mm), 0.1, 1.0, 0.0, FLAT)
    return Lesions(bumps=(bump,))


def membrane(fold_mm: float) -> Lesions:
    return Lesions(membrane=Membrane((0.0, 0.0), 1.0, 0.02, fold_mm, FLAT, FLAT))


@pytest.mark.parametrize(
    ("diseases", "lesions", "referral", "progression", "treatment"),
    [
        ((), NOTHING, "observation", "stable", "none"),
        ((Disease.DRUSEN,), druse(0.1), "observation", "stable", "none"),
        ((Disease.DRUSEN,), druse(0.2), "routine", "slow", "none"),
        ((Disease.CNV,), NOTHING, "urgent", "rapid", "anti_vegf"),
        ((Disease.CNV, Disease.FULL_HOLE), NOTHING, "urgent", "rapid", "anti_vegf"),
        ((Disease.EDEMA,), NOTHING, "semi_urgent", "slow", "anti_vegf"),
        ((Disease.FULL_HOLE,), NOTHING, "semi_urgent", "rapid", "surgery"),
        ((Disease.PARTIAL_HOLE,), NOTHING, "routine", "stable", "none"),
        ((Disease.CENTRAL_SEROUS,), fluid(0.9), "semi_urgent", "stable", "none"),
        ((Disease.CENTRAL_SEROUS,), fluid(1.1), "routine", "stable", "none"),
        ((Disease.TRACTION,), NOTHING, "routine", "slow", "surgery"),
        ((Disease.ATROPHY,), NOTHING, "routine", "slow", "none"),
        ((Disease.MEMBRANE,), membrane(0.01), "routine", "slow", "none"),
        ((Disease.MEMBRANE,), membrane(0.03), "routine", "slow", "surgery"),
    ],
)
def test_rule(diseases, lesions, referral, progression, treatment):
    conditions = tuple(disease.value for disease in diseases) or ("normal",)
    assert judge_eye(diseases, lesions) == Truth(referral, conditions, progression, treatment)


def test_every_answer_is_an_outcome_of_the_vocabulary():
    for disease in (None, *Disease):
        truth = judge_eye((disease,) if disease else (), NOTHING)
        assert set(truth.conditions) <= set(CONDITIONS.names)
        assert truth.referral in REFERRAL.names
        assert truth.progression in PROGRESSION.names
        assert truth.treatment in TREATMENT.names


def test_every_condition_can_be_drawn():
    assert {disease.value for disease in Disease} | {"normal"} == set(CONDITIONS.names)
