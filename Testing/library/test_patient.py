import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.patient import UNKNOWN_PATIENT, Patient, Sex, patient_vector


def test_unknown_patient_is_all_zeros():
    assert patient_vector(UNKNOWN_PATIENT).tolist() == [0.0] * 6


def test_acuity_of_zero_logmar_differs_from_unknown_acuity():
    assert patient_vector(Patient(visual_acuity_logmar=0.0)).tolist() == [0, 0, 0, 0, 0, 1]


def test_age_at_the_center_differs_from_unknown_age():
    assert patient_vector(Patient(age_years=65)).tolist() == [0, 1, 0, 0, 0, 0]


def test_sexes_are_opposite():
    female, male = (patient_vector(Patient(sex=sex)) for sex in (Sex.FEMALE, Sex.MALE))
    assert female[2:4].tolist() == [-1, 1]
    assert male[2:4].tolist() == [1, 1]


@pytest.mark.parametrize("age", [-1, 130, float("nan")])
def test_impossible_age_is_refused(age):
    with pytest.raises(InputError, match="0 to 120 years"):
        Patient(age_years=age)


def test_snellen_denominator_as_logmar_is_refused_with_the_conversion():
    with pytest.raises(InputError, match=r"20/40 is 0\.3"):
        Patient(visual_acuity_logmar=40)
