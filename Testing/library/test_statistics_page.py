from __future__ import annotations

import re
from pathlib import Path

import pytest

from RetinaTriageLib.evaluation.diagnostic import ClassFigures, StudyOptions
from RetinaTriageLib.evaluation.diagnostic_study import diagnostic_study
from RetinaTriageLib.evaluation.score_table import read_scores

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"


def figures_of_the_example(tmp_path: Path, *, patients: bool) -> ClassFigures:
    found = re.search(r"```csv\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    path = tmp_path / "scores.csv"
    path.write_text(found[1] if patients else re.sub(r",(p\d|patient),", ",", found[1]))
    return diagnostic_study(read_scores(path), StudyOptions(positive="dme")).classes[0]


def test_example_of_the_page_gives_its_figures(tmp_path: Path) -> None:
    dme = figures_of_the_example(tmp_path, patients=True)
    assert dme.decided.counts.cells == (4, 1, 1, 4)
    assert dme.auc.value == pytest.approx(0.96)
    assert (dme.decided.positive.value, dme.decided.negative.value) == pytest.approx((4, 0.25))
    assert dme.decided.positive.low == pytest.approx(0.326, abs=5e-4)
    assert dme.decided.positive.high == pytest.approx(49.1, abs=0.05)
    balanced = dme.operating[1]
    assert balanced.threshold == pytest.approx(0.35)
    assert balanced.apparent.balanced.value == pytest.approx(0.9)
    assert balanced.cross_fitted is not None
    assert balanced.cross_fitted.sensitivity.value == balanced.cross_fitted.specificity.value == 0.8
    assert dme.reliability.brier == pytest.approx(0.1012)


def test_example_without_patients_has_the_interval_of_the_formula(tmp_path: Path) -> None:
    ratio = figures_of_the_example(tmp_path, patients=False).decided.positive
    assert (ratio.low, ratio.high) == pytest.approx((0.657, 24.4), rel=2e-3)
