from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_study import example_scores, write_example

from RetinaTriageLib.cli.main import main
from RetinaTriageLib.evaluation.diagnostic import StudyOptions
from RetinaTriageLib.evaluation.diagnostic_page import study_page
from RetinaTriageLib.evaluation.diagnostic_study import diagnostic_study
from RetinaTriageLib.evaluation.diagnostic_tables import TABLES

FAST = StudyOptions(draws=100)
ONE_CLASS = StudyOptions(positive="dme", draws=100)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_command_writes_a_report_and_every_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_example(tmp_path / "scores.csv", example_scores())
    write_example(tmp_path / "other.csv", example_scores(shift=1.0))
    (tmp_path / "readers.csv").write_text(
        "file,reader,answer\n" + "".join(f"image {n},A,cnv\n" for n in range(30))
    )
    out = tmp_path / "out"
    words = ["evaluate", "classification", str(tmp_path / "scores.csv"), "--out", str(out)]
    words += ["--readers", str(tmp_path / "readers.csv"), "--compare", str(tmp_path / "other.csv")]
    assert main([*words, "--subgroups", "sex", "age", "--draws", "100"]) == 0
    assert {path.name for path in out.iterdir()} == {"report.html", *TABLES}
    assert "Research use only" in capsys.readouterr().out
    study = diagnostic_study(example_scores(), FAST)
    written = rows(out / "classes.csv")
    assert [row["class"] for row in written] == ["cnv", "dme", "normal"]
    assert float(written[0]["auc"]) == pytest.approx(study.classes[0].auc.value)
    assert sum(row["right"] == "1" for row in rows(out / "decisions.csv")) == round(
        float(rows(out / "overall.csv")[0]["value"]) * 90
    )


def test_page_loads_nothing_and_says_research_use() -> None:
    text = study_page(diagnostic_study(example_scores(), ONE_CLASS, subgroups=["sex"]))
    assert "Research use only" in text
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "")
    for title in ("ROC curves", "Operating points", "Calibration", "Subgroups"):
        assert title in text


def test_names_of_the_data_are_escaped() -> None:
    table = replace(example_scores(), classes=("<b>", "dme", "normal"), source="<script>")
    text = study_page(diagnostic_study(table, ONE_CLASS))
    assert "<script>" not in text
    assert "<b>" not in text


def test_complete_separation_and_absent_classes_are_shown() -> None:
    table = example_scores(shift=40.0)
    keep = ~table.truth[:, 1]
    study = diagnostic_study(table.chosen(keep), FAST)
    text = study_page(study)
    assert "1.000 (–)" in text
    assert "dme: images of one kind only (0 with, 60 without it)" in text
    assert "0.5 was added" in text


def test_classes_that_stand_alone_have_no_confusion_matrix() -> None:
    table = replace(example_scores(), exclusive=False, patients=None)
    study = diagnostic_study(table, ONE_CLASS)
    assert study.overall is None
    assert "bootstrap of images" in study_page(study)
    assert np.isfinite(study.classes[0].decided.sensitivity.value)


def test_used_folder_is_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("kept")
    words = ["evaluate", "classification", "absent.csv", "--out", str(tmp_path / "out")]
    assert main(words) == 6
    assert "holds something" in capsys.readouterr().err


def test_unusable_table_ends_with_the_code_of_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scores.csv").write_text("file,truth,cnv\na,cnv,2\n")
    words = ["evaluate", "classification", str(tmp_path / "scores.csv")]
    assert main([*words, "--out", str(tmp_path / "out")]) == 3
    assert "0..1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
