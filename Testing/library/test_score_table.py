from __future__ import annotations

from pathlib import Path

import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.penalty_table import read_penalty
from RetinaTriageLib.evaluation.score_table import ScoreColumns, read_scores
from RetinaTriageLib.evaluation.scored_images import ScoreTable

GOOD = """file,patient,truth,cnv,normal,sex
a.png,p1,cnv,0.9,0.1,f
b.png,p1,normal,0.2,0.8,f
c.png,p2,normal,0.4,0.6,m
"""


def read(tmp_path: Path, text: str, columns: ScoreColumns | None = None) -> ScoreTable:
    path = tmp_path / "scores.csv"
    path.write_text(text, encoding="utf-8")
    return read_scores(path, columns)


def test_columns_that_truths_name_are_classes_and_others_subgroups(tmp_path: Path) -> None:
    table = read(tmp_path, GOOD)
    assert table.classes == ("cnv", "normal")
    assert table.exclusive
    assert table.truth.tolist() == [[True, False], [False, True], [False, True]]
    assert table.scores[0].tolist() == [0.9, 0.1]
    assert table.patients == ("p1", "p1", "p2")
    assert table.columns == {"sex": ("f", "f", "m")}


def test_table_of_a_spreadsheet_with_a_mark_and_blanks_is_read(tmp_path: Path) -> None:
    table = read(
        tmp_path, "\ufeff" + GOOD.replace(",", " , ").replace("\n", "\r\n") + "\r\n,,,,,\r\n"
    )
    assert table.files == ("a.png", "b.png", "c.png")


def test_table_of_transfer_training_is_read(tmp_path: Path) -> None:
    import numpy as np

    from RetinaTriageLib.training.image_sets import ImageSet, LabeledImage
    from RetinaTriageLib.training.transfer_job import Scored
    from RetinaTriageLib.training.transfer_scores import write_scores

    images = tuple(
        LabeledImage(tmp_path / name, name, present, patient)
        for name, present, patient in (
            ("cnv/a.png", (True, False), "p1"),
            ("normal/b.png", (False, True), "p2"),
        )
    )
    scored = Scored(images, np.array([[0.75, 0.25], [0.5, 0.5]]), "two pictures")
    write_scores(tmp_path / "scores.csv", ImageSet(("cnv", "normal"), images), scored)
    table = read_scores(tmp_path / "scores.csv")
    assert (table.classes, table.patients) == (("cnv", "normal"), ("p1", "p2"))
    assert table.scores.tolist() == scored.probabilities.tolist()


def test_unknown_patients_make_every_image_its_own(tmp_path: Path) -> None:
    table = read(tmp_path, GOOD.replace("patient,", "").replace("p1,", "").replace("p2,", ""))
    assert table.patients is None
    assert table.groups == table.files


def test_one_score_with_yes_and_no(tmp_path: Path) -> None:
    table = read(tmp_path, "file,truth,score\na,1,0.8\nb,0,0.3\nc,no,0.1\n")
    assert (table.classes, table.exclusive) == (("score",), False)
    assert table.truth[:, 0].tolist() == [True, False, False]


def test_several_truths_of_an_image(tmp_path: Path) -> None:
    text = "file,truth,drusen,cnv\na,drusen;cnv,0.8,0.9\nb,drusen,0.7,0.1\nc,,0.1,0.1\n"
    table = read(tmp_path, text)
    assert not table.exclusive
    assert table.truth.tolist() == [[True, True], [True, False], [False, False]]


def test_referrals_of_a_cohort_with_truths_apart(tmp_path: Path) -> None:
    (tmp_path / "cohort.csv").write_text(
        "case_id,referral,referral_urgent,referral_urgent_spread,referral_routine,device\n"
        "x,urgent,0.7,0.1,0.3,Cirrus\ny,routine,0.2,0.1,0.8,Cirrus\nz,routine,0.2,0.1,0.8,Cirrus\n"
    )
    (tmp_path / "truths.csv").write_text("case_id,truth\ny,routine\nx,urgent\n")
    columns = ScoreColumns(file="case_id", prefix="referral_")
    table = read_scores(tmp_path / "cohort.csv", columns, tmp_path / "truths.csv")
    assert table.classes == ("urgent", "routine")
    assert table.files == ("x", "y")
    assert table.columns["device"] == ("Cirrus", "Cirrus")
    assert "1 of 3 rows are left out" in table.notes[0]


def test_class_without_an_image_keeps_its_scores(tmp_path: Path) -> None:
    text = "file,truth,cnv,dme,normal\na,cnv,0.2,0.5,0.3\nb,normal,0.1,0.2,0.7\n"
    table = read(tmp_path, text)
    assert table.classes == ("cnv", "dme", "normal")
    assert table.truth.sum(axis=0).tolist() == [1, 0, 1]
    assert "No image is of the class dme" in table.notes[0]


def test_numbers_that_may_be_scores_are_noted(tmp_path: Path) -> None:
    table = read(
        tmp_path, GOOD.replace("sex", "acuity").replace(",f", ",0.4").replace(",m", ",0.9")
    )
    assert table.classes == ("cnv", "normal")
    assert "Numbers of acuity" in table.notes[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "0 lines"),
        ("file,truth,cnv\n", "1 lines"),
        (GOOD.replace(",", ";"), "semicolons"),
        (GOOD.replace("sex", "cnv"), "columns cnv"),
        (GOOD.replace("file,", "image,"), "no column file"),
        (GOOD.replace("truth", "class"), "no column truth"),
        (GOOD.replace("b.png", "a.png"), r"files that come twice .*a\.png"),
        (GOOD.replace("c.png", ""), "rows without a file"),
        (GOOD.replace("p2", ""), "rows without a patient"),
        (GOOD.replace("0.9", ""), r"scores of cnv .*'' in row 1"),
        (GOOD.replace("0.9", "nan"), r"scores of cnv .*'nan'"),
        (GOOD.replace("0.9", "90"), r"no number in 0\.\.1 .*'90'"),
        (GOOD.replace("0.9", '"0,9"'), r"scores of cnv .*'0,9'"),
        (GOOD.replace("p1,normal", "p1,dme"), "truths that are no class .*dme"),
        (GOOD.replace("p1,cnv", "p1,"), "rows without a truth"),
        (GOOD.replace(",0.1,f", ",0.1"), "line 2"),
        ("file,truth,score\na,maybe,0.8\nb,0,0.1\n", "'maybe'"),
        ("file,truth,other\na,x,0.8\nb,y,0.1\n", "no column of scores"),
    ],
)
def test_unusable_tables_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read(tmp_path, text)


def test_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_scores(tmp_path / "absent.csv")
    (tmp_path / "scores.csv").write_bytes(b"\xff\xfe\x00f")
    with pytest.raises(InputError, match="UTF-8"):
        read_scores(tmp_path / "scores.csv")


def test_penalties_come_in_the_order_of_the_classes(tmp_path: Path) -> None:
    path = tmp_path / "penalties.csv"
    path.write_text("actual,normal,cnv\nnormal,0,1\ncnv,4,0\n")
    assert read_penalty(path, ("cnv", "normal")).tolist() == [[0, 4], [1, 0]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("actual,normal\nnormal,0\n", "no column cnv"),
        ("actual,normal,cnv\nnormal,0,1\n", "rows of other classes"),
        ("actual,normal,cnv\nnormal,0,x\ncnv,4,0\n", "no number"),
        ("actual,normal,cnv\nnormal,0,1\ncnv,4,2\n", "diagonal"),
    ],
)
def test_unusable_penalties_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "penalties.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=problem):
        read_penalty(path, ("cnv", "normal"))
