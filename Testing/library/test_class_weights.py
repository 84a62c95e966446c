from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from RetinaTriageLib.networks.classification import ClassificationConfig
from RetinaTriageLib.training.class_weights import (
    FILE_NAME,
    UNIFORM,
    answer_weights,
    class_weights,
    kept_weights,
)
from RetinaTriageLib.training.grids import GridLibrary
from RetinaTriageLib.training.processes import ALONE

CONFIG = ClassificationConfig(growth=2, blocks=(1,))


def answered(folder: Path) -> GridLibrary:
    """Nine observations and one urgent case with drusen; nothing is known of other conditions."""
    for number in range(10):
        conditions = np.full(10, -1, np.int8)
        conditions[8] = number == 0
        np.savez(
            folder / f"{number}.npz",
            grid=np.zeros((15, 2, 4, 4), np.uint8),
            referral=np.array(0 if number == 0 else 3),
            conditions=conditions,
        )
    return GridLibrary(folder, CONFIG)


def test_rare_classes_weigh_more_within_limits() -> None:
    weights = class_weights(np.array([1, 400, 10_000]), (0.5, 6.0))
    assert weights[0] == 6.0
    assert weights[2] == pytest.approx(np.sqrt(10_401 / 3 / 10_000))


def test_rare_answers_weigh_more(tmp_path: Path) -> None:
    weights = answer_weights([answered(tmp_path)], CONFIG.heads, (0.5, 8.0))
    assert weights["referral"][0] == pytest.approx(np.sqrt(2.5 / 1))
    assert weights["referral"][3] == pytest.approx(np.sqrt(2.5 / 9))
    assert weights["conditions"][8] == pytest.approx(np.sqrt(9))


def test_nobody_counts_where_all_weigh_alike(tmp_path: Path) -> None:
    library = answered(tmp_path)
    for path in library.files:
        path.unlink()
    assert answer_weights([library], CONFIG.heads, UNIFORM) == {}


def test_resumed_run_keeps_its_weights(tmp_path: Path) -> None:
    assert kept_weights(tmp_path, ALONE, lambda: [1.0, 2.0]) == [1.0, 2.0]
    assert kept_weights(tmp_path, ALONE, lambda: [9.0]) == [1.0, 2.0]
    assert json.loads((tmp_path / FILE_NAME).read_text()) == [1.0, 2.0]
