import pytest

from RetinaTriageLib.outcomes import (
    CONDITIONS,
    OUTCOME_HEADS,
    PROGRESSION,
    REFERRAL,
    TREATMENT,
)


def test_referrals_go_from_urgent_to_observation():
    assert REFERRAL.names == ("urgent", "semi_urgent", "routine", "observation")


def test_conditions_follow_the_patent():
    assert CONDITIONS.names == (
        "normal",
        "cnv",
        "macular_retinal_edema",
        "full_macular_hole",
        "partial_macular_hole",
        "central_serous_retinopathy",
        "vitreomacular_traction",
        "geographic_atrophy",
        "drusen",
        "epiretinal_membrane",
    )


def test_progression_and_treatment_have_their_least_answers():
    assert PROGRESSION.names == ("stable", "slow", "rapid")
    assert {"none", "anti_vegf", "surgery"} <= set(TREATMENT.names)


def test_conditions_may_occur_together_and_others_not():
    assert [head.name for head in OUTCOME_HEADS if not head.exclusive] == ["conditions"]


@pytest.mark.parametrize("head", OUTCOME_HEADS, ids=lambda head: head.name)
def test_names_and_definitions_of_a_head_are_unique(head):
    assert len(set(head.names)) == len(head.outcomes)
    assert len({outcome.definition for outcome in head.outcomes}) == len(head.outcomes)


def test_codes_are_unique_snomed_numbers():
    codes = [o.code for head in OUTCOME_HEADS for o in head.outcomes if o.code is not None]
    assert len(set(codes)) == len(codes)
    assert all(code.isdigit() for code in codes)


def test_what_has_no_documented_code_has_none():
    uncoded = {outcome.name for outcome in CONDITIONS.outcomes if outcome.code is None}
    assert uncoded == {"normal", "geographic_atrophy"}
