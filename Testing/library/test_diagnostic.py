from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_study import CLASSES, IMAGES, example_scores
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    precision_score,
    recall_score,
    roc_auc_score,
)

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.diagnostic import StudyOptions
from RetinaTriageLib.evaluation.diagnostic_readers import Position, read_readers
from RetinaTriageLib.evaluation.diagnostic_study import DiagnosticStudy, diagnostic_study
from RetinaTriageLib.evaluation.diagnostic_subgroups import subgroups
from RetinaTriageLib.operating_points import OperatingPoint

FAST = StudyOptions(draws=200)


def example_study() -> DiagnosticStudy:
    return diagnostic_study(example_scores(), FAST)


def test_figures_of_several_classes_equal_scikit_learns() -> None:
    table, study = example_scores(), example_study()
    actual, decided = table.actual, table.scores.argmax(axis=1)
    assert study.overall is not None
    assert study.overall.confusion.tolist() == confusion_matrix(actual, decided).tolist()
    assert study.overall.accuracy.value == pytest.approx(accuracy_score(actual, decided))
    assert study.overall.balanced_accuracy.value == pytest.approx(
        balanced_accuracy_score(actual, decided)
    )
    areas = [one.auc.value for one in study.classes]
    assert np.mean(areas) == pytest.approx(roc_auc_score(actual, table.scores, multi_class="ovr"))
    recalls = [one.decided.sensitivity.value for one in study.classes]
    assert recalls == pytest.approx(recall_score(actual, decided, average=None))
    precisions = [one.decided.ppv.value for one in study.classes]
    assert precisions == pytest.approx(precision_score(actual, decided, average=None))


def test_balanced_point_has_the_largest_youden_index() -> None:
    table, study = example_scores(), example_study()
    for at, one in enumerate(study.classes):
        points = {found.point: found for found in one.operating}
        best = points[OperatingPoint.BALANCED].apparent.balanced.value
        for threshold in np.unique(table.scores[:, at]):
            said, truth = table.scores[:, at] >= threshold, table.truth[:, at]
            youden = said[truth].mean() + (~said)[~truth].mean() - 1
            assert youden <= 2 * best - 1 + 1e-9
        assert points[OperatingPoint.HIGH_SENSITIVITY].apparent.sensitivity.value >= 0.95
        assert points[OperatingPoint.HIGH_SPECIFICITY].apparent.specificity.value >= 0.95


def test_thresholds_of_noise_look_better_than_they_are() -> None:
    apparent, crossed = [], []
    for seed in range(6):
        study = diagnostic_study(example_scores(seed, shift=0.2), StudyOptions(draws=100))
        for found in (point for one in study.classes for point in one.operating):
            if found.point is OperatingPoint.BALANCED and found.cross_fitted is not None:
                apparent.append(found.apparent.balanced.value)
                crossed.append(found.cross_fitted.balanced.value)
    assert np.mean(apparent) > np.mean(crossed) + 0.05


def test_one_class_is_told_where_it_is_named() -> None:
    study = diagnostic_study(example_scores(), replace(FAST, positive="dme"))
    assert [one.name for one in study.classes] == ["dme"]


def test_threshold_decides_for_the_positive_of_two_classes() -> None:
    table = example_scores()
    q = np.clip(table.scores[:, :1], 0, 1)
    two = replace(
        table,
        classes=("cnv", "other"),
        truth=np.column_stack((table.truth[:, 0], ~table.truth[:, 0])),
        scores=np.column_stack((q, 1 - q)),
    )
    study = diagnostic_study(two, replace(FAST, positive="cnv", threshold=0.2))
    assert study.classes[0].decided.counts.true_positive == (q[two.truth[:, 0]] >= 0.2).sum()


def test_threshold_for_three_exclusive_classes_is_refused() -> None:
    with pytest.raises(InputError, match="3 exclusive classes"):
        diagnostic_study(example_scores(), replace(FAST, threshold=0.3))


def test_images_of_one_class_only_are_refused() -> None:
    table = example_scores()
    with pytest.raises(InputError, match="one kind only"):
        diagnostic_study(table.chosen(table.truth[:, 0]), FAST)


def test_unknown_positive_class_is_refused() -> None:
    with pytest.raises(InputError, match="drusen"):
        diagnostic_study(example_scores(), replace(FAST, positive="drusen"))


def test_unknown_patients_are_said_to_be_so() -> None:
    study = diagnostic_study(replace(example_scores(), patients=None), FAST)
    assert any("takes images as independent" in note for note in study.notes)


def test_scores_that_are_no_probabilities_are_said_to_be_so() -> None:
    table = example_scores()
    study = diagnostic_study(replace(table, scores=table.scores / 2), FAST)
    assert any("add up to 0.500" in note for note in study.notes)


def test_subgroups_part_all_images() -> None:
    study = diagnostic_study(example_scores(), FAST, subgroups=["sex", "age"])
    for column, parts in (("sex", 2), ("age", 4)):
        found = [one for one in study.subgroups if one.column == column and one.name == "cnv"]
        assert len(found) == parts
        assert sum(one.images for one in found) == IMAGES
        assert sum(one.present for one in found) == IMAGES // 3
        assert sum(one.patients or 0 for one in found) == 30


def test_cells_without_a_value_are_a_subgroup() -> None:
    table = replace(example_scores(), columns={"sex": ("",) * 5 + ("f",) * 85})
    assert {value: int(inside.sum()) for value, inside in subgroups(table, "sex")} == {
        "f": 85,
        "unknown": 5,
    }


@pytest.mark.parametrize(("column", "problem"), [("iris", "no column 'iris'"), ("id", "90 values")])
def test_unusable_subgroups_are_refused(column: str, problem: str) -> None:
    table = example_scores()
    table = replace(table, columns={"id": table.files})
    with pytest.raises(InputError, match=problem):
        diagnostic_study(table, FAST, subgroups=[column])


def test_second_model_is_compared_on_the_same_images() -> None:
    better, worse = example_scores(shift=2.5), example_scores(shift=0.5)
    turned = worse.chosen(np.ones(IMAGES, np.bool_))
    turned = replace(turned, files=turned.files[::-1], truth=turned.truth[::-1])
    turned = replace(turned, scores=turned.scores[::-1])
    study = diagnostic_study(better, FAST, other=turned)
    expected = [roc_auc_score(worse.truth[:, at], worse.scores[:, at]) for at in range(3)]
    assert [found.delong.second.value for found in study.comparisons] == pytest.approx(expected)
    assert all(found.by_patient.low > 0 for found in study.comparisons)


def test_second_model_with_other_files_is_refused() -> None:
    table = example_scores()
    with pytest.raises(InputError, match="same files"):
        diagnostic_study(table, FAST, other=table.chosen(np.arange(IMAGES) > 3))


def test_points_of_readers_lie_above_or_below_the_curve(tmp_path: Path) -> None:
    path = tmp_path / "readers.csv"
    path.write_text(
        "reader,class,sensitivity,specificity\nexpert,cnv,1,0.999\nnovice,cnv,0.2,0.5\n"
    )
    table = example_scores()
    readers = read_readers(path, table, CLASSES, FAST)
    expert, novice = diagnostic_study(table, FAST, readers=readers).reader_comparisons
    assert (expert.position, novice.position) == (Position.ABOVE, Position.BELOW)
    assert novice.outside
    assert novice.interval.low <= novice.model_sensitivity <= novice.interval.high


def test_answers_of_readers_become_points_and_agreement(tmp_path: Path) -> None:
    path, table = tmp_path / "readers.csv", example_scores()
    said = ["cnv" if row % 10 == 0 else table.classes[table.actual[row]] for row in range(60)]
    lines = [f"{table.files[row]},first,{said[row]}" for row in range(60)]
    path.write_text("\n".join(["file,reader,answer", *lines]))
    readers = read_readers(path, table, CLASSES, FAST)
    cnv = readers.points[0]
    false = sum(said[row] == "cnv" and table.actual[row] != 0 for row in range(60))
    assert cnv.sensitivity == 1
    assert cnv.specificity == pytest.approx(1 - false / (table.actual[:60] != 0).sum())
    assert readers.agreements[0].truth.observed.count == 60 - false
    assert diagnostic_study(table, FAST, readers=readers).reader_comparisons[0].point == cnv


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("reader,class,sensitivity,specificity\na,cnv,97,99\n", "not percent"),
        ("reader,class,sensitivity,specificity\na,amd,0.9,0.9\n", "unknown classes"),
        ("reader,sensitivity,specificity\na,0.9,0.9\n", "without a column class"),
        ("file,reader,answer\nnowhere,a,cnv\n", "unknown files"),
        ("file,reader,answer\nimage 1,a,amd\n", "other answers"),
        ("file,reader,answer\nimage 1,a,cnv\nimage 1,a,dme\n", "answered twice"),
    ],
)
def test_unusable_readers_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "readers.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=problem):
        read_readers(path, example_scores(), CLASSES, FAST)
