from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.training.image_sets import LabeledImage, presence
from RetinaTriageLib.training.patient_split import limited, require_no_leak, split_by_patient


def image(number: int, patient: str, *, ill: bool) -> LabeledImage:
    return LabeledImage(Path(f"{number}.png"), f"{number}.png", (ill, not ill), patient)


def images(count: int = 60) -> list[LabeledImage]:
    """Three pictures a patient; every third patient is ill."""
    return [image(n, str(n // 3), ill=n // 3 % 3 == 0) for n in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_no_patient_is_in_two_parts(seed: int) -> None:
    parts = split_by_patient(images(), (0.2,) * 5, seed)
    patients = [{picture.patient for picture in part} for part in parts]
    assert sum(map(len, patients)) == len(set.union(*patients)) == 20
    assert sum(map(len, parts)) == 60


def test_classes_are_spread_evenly() -> None:
    parts = split_by_patient(images(90), (0.2,) * 5, 0)
    assert [presence(part).sum(axis=0).tolist() for part in parts] == [[6, 12]] * 5


def test_parts_have_their_shares() -> None:
    assert [len(part) for part in split_by_patient(images(), (0.8, 0.2), 0)] == [48, 12]


def test_other_seed_splits_otherwise() -> None:
    first, again, second = (split_by_patient(images(), (0.5, 0.5), seed) for seed in (1, 1, 2))
    assert first == again != second


def test_more_parts_than_patients_are_refused() -> None:
    with pytest.raises(InputError, match="Found 2 patients for 3 parts"):
        split_by_patient(images(6), (1 / 3,) * 3, 0)


def test_patient_in_two_parts_is_refused() -> None:
    parts = {"training": [image(0, "anna", ill=True)], "test": [image(1, "anna", ill=True)]}
    with pytest.raises(InputError, match=r"1 patients in both training and test \(anna\)"):
        require_no_leak(parts, {"0.png": "a", "1.png": "b"})


def test_same_picture_of_two_patients_is_refused() -> None:
    parts = {"training": [image(0, "anna", ill=True)], "test": [image(1, "bert", ill=True)]}
    with pytest.raises(InputError, match="same picture stands under two patients"):
        require_no_leak(parts, {"0.png": "a", "1.png": "a"})


def test_limited_data_has_as_many_of_each_class() -> None:
    drawn = limited(images(), 4, seed=3)
    assert presence(drawn).sum(axis=0).tolist() == [4, 4]
    assert np.unique([picture.name for picture in drawn]).size == 8
    assert len(limited(images(), 1000, seed=3)) == 60
