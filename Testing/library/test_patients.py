from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.training.patients import bootstrapped, patient_of, require_other_patients


def sample(path: Path, **facts: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    np.savez(path, **{name: np.array(fact) for name, fact in facts.items()})
    return path


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("phantom_000017", "phantom_000017"),
        ("duke_8_z04", "duke 8"),
        ("dukevolume_8_04", "duke 8"),
        ("own_8_z04", "own_8_z04"),
    ],
)
def test_files_of_ours_are_told_by_their_names(tmp_path: Path, name: str, patient: str) -> None:
    assert patient_of(sample(tmp_path / f"{name}.npz")) == patient


def test_stated_patient_counts(tmp_path: Path) -> None:
    assert patient_of(sample(tmp_path / "phantom_000001.npz", patient_id="12")) == "12"


def test_patient_of_a_scan_of_slicer_stands_in_the_json(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"patient": 7}))
    assert patient_of(tmp_path / "a.nrrd") == "7"
    assert patient_of(tmp_path / "b.nrrd") == "b"


def test_patient_on_both_sides_is_refused(tmp_path: Path) -> None:
    training = [sample(tmp_path / "a" / f"{n}.npz", patient_id=str(n)) for n in range(3)]
    held_out = [sample(tmp_path / "b" / "left.npz", patient_id="2")]
    with pytest.raises(InputError, match=r"Found 1 patients .* \(2\)"):
        require_other_patients(training, held_out)
    require_other_patients(training[:2], held_out)


def test_bootstrap_draws_whole_patients(tmp_path: Path) -> None:
    paths = [
        sample(tmp_path / f"{patient}{eye}.npz", patient_id=str(patient))
        for patient in range(40)
        for eye in "ab"
    ]
    counts = Counter(path.stem for path in bootstrapped(paths, seed=1))
    assert all(counts[f"{patient}a"] == counts[f"{patient}b"] for patient in range(40))
    assert 0 < sum(counts[f"{patient}a"] == 0 for patient in range(40)) < 25
    assert max(counts.values()) > 1


def test_draw_follows_from_the_seed_and_survives_new_files(tmp_path: Path) -> None:
    paths = [sample(tmp_path / f"{number}.npz") for number in range(20)]
    first = bootstrapped(paths[:10], seed=3)
    assert first == bootstrapped(paths[:10], seed=3)
    assert first != bootstrapped(paths[:10], seed=4)
    assert set(first) <= set(bootstrapped(paths, seed=3))


def test_draw_that_leaves_nobody_keeps_everybody(tmp_path: Path) -> None:
    path = sample(tmp_path / "only.npz")
    assert all(path in bootstrapped([path], seed) for seed in range(10))
