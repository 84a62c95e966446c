import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_image_bundle import CLASSES
from example_result import example_result
from jsonschema import validate

from RetinaTriageLib.bscan_verdict import BscanVerdict, ImageOrigin, ImageTask, volume_verdict
from RetinaTriageLib.image_classes import Head, Pooling
from RetinaTriageLib.writers.bscan_tables import write_bscan_scores, write_picture_scores
from RetinaTriageLib.writers.case_folder import write_case
from RetinaTriageLib.writers.result_json import result_fields, result_schema

ORIGIN = ImageOrigin("example 1.0", "0" * 64, "Any.", "Nothing.", "0", "0", "CPU", 0.0)
TASK = ImageTask(CLASSES, Head.SOFTMAX)
SCORES = np.array([[0.1, 0.1, 0.8], [0.1, 0.8, 0.1]])


def verdict(pooling: Pooling = Pooling.ATTENTION) -> BscanVerdict:
    return volume_verdict(TASK, SCORES, pooling, ORIGIN)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_bscans_are_rows_and_the_volume_is_the_last(tmp_path: Path) -> None:
    write_bscan_scores(verdict(), tmp_path / "t.csv")
    found = rows(tmp_path / "t.csv")
    assert [row["bscan"] for row in found] == ["1", "2", "volume"]
    assert found[1]["probability_DRUSEN"] == "0.8"
    assert found[1]["decided"] == "DRUSEN"
    assert found[1]["referral"] == "routine"
    assert float(found[0]["weight"]) + float(found[1]["weight"]) == pytest.approx(1)


def test_weights_stay_empty_where_nothing_was_weighted(tmp_path: Path) -> None:
    write_bscan_scores(verdict(Pooling.MAXIMUM), tmp_path / "t.csv")
    assert {row["weight"] for row in rows(tmp_path / "t.csv")} == {""}


def test_file_names_of_pictures_are_written_only_if_they_are_kept(tmp_path: Path) -> None:
    write_picture_scores(TASK, SCORES, None, tmp_path / "bare.csv")
    write_picture_scores(TASK, SCORES, ["a.png", "b.png"], tmp_path / "named.csv")
    assert "file" not in rows(tmp_path / "bare.csv")[0]
    assert [row["file"] for row in rows(tmp_path / "named.csv")] == ["a.png", "b.png"]


def test_result_with_a_bscan_verdict_fits_the_schema() -> None:
    fields = json.loads(
        json.dumps(result_fields(replace(example_result(), bscan_verdict=verdict())))
    )
    validate(fields, result_schema())
    assert fields["bscan_classifier"]["scores"]["DRUSEN"] > 0.5
    assert fields["verdicts"]["agree"] is False
    assert "Routine" in fields["verdicts"]["said"]


def test_result_without_one_has_no_such_fields() -> None:
    assert not {"bscan_classifier", "verdicts"} & set(result_fields(example_result()))


def test_case_folder_holds_both_verdicts_as_tables(tmp_path: Path) -> None:
    result = replace(example_result(), bscan_verdict=verdict())
    tables = write_case(result, tmp_path / "case").tables
    assert rows(tables["verdicts"])[0]["agree"] == "no"
    assert len(rows(tables["bscan_scores"])) == 3
