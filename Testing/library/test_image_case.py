import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_image_bundle import CLASSES
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from RetinaTriageLib.bscan_verdict import BscanVerdict, ImageOrigin, ImageTask, volume_verdict
from RetinaTriageLib.image_classes import Head, Pooling
from RetinaTriageLib.volume import OCTVolume
from RetinaTriageLib.writers.image_case import image_result_schema, save_image_case, save_pictures
from RetinaTriageLib.writers.pictures_page import JudgedPictures, pictures_page
from RetinaTriageLib.writers.result_json import result_schema

ORIGIN = ImageOrigin("example 1.0", "0" * 64, "Any.", "Nothing.", "0", "0", "CPU", 0.0)
TASK = ImageTask(CLASSES, Head.SOFTMAX)
SCORES = np.array([[0.1, 0.1, 0.8], [0.1, 0.8, 0.1]])
PICTURES = [np.zeros((16, 32), np.uint8), np.zeros((300, 200), np.uint16)]


def volume(name: str = "eye") -> OCTVolume:
    return OCTVolume(np.arange(1024).astype(np.uint8).reshape(2, 16, 32), None, name=name)


def verdict(task: ImageTask = TASK) -> BscanVerdict:
    return volume_verdict(task, SCORES, Pooling.MAXIMUM, ORIGIN)


def result(folder: Path) -> Any:
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


@pytest.fixture
def schema() -> Draft202012Validator:
    known = Registry().with_resource(
        "urn:retina-triage:result:1.0", Resource.from_contents(result_schema())
    )
    return Draft202012Validator(image_result_schema(), registry=known)


def test_result_of_a_volume_fits_its_schema(tmp_path: Path, schema: Draft202012Validator) -> None:
    save_image_case(volume(), verdict(), tmp_path / "case", pdf=True)
    schema.validate(result(tmp_path / "case"))
    assert result(tmp_path / "case")["files"] == [
        "bscan_scores.csv",
        "report.html",
        "report.pdf",
        "result.json",
    ]


def test_result_of_pictures_fits_its_schema(tmp_path: Path, schema: Draft202012Validator) -> None:
    save_pictures(JudgedPictures(TASK, SCORES, ORIGIN, PICTURES), tmp_path / "case")
    schema.validate(result(tmp_path / "case"))
    assert [row["classes"] for row in result(tmp_path / "case")["pictures"]] == [
        ["NORMAL"],
        ["DRUSEN"],
    ]


def test_page_shows_every_picture_with_its_scores_and_referral() -> None:
    page = pictures_page(JudgedPictures(TASK, SCORES, ORIGIN, PICTURES, ["<a>.png", "b.png"]))
    assert page.count("data:image/jpeg;base64,") == 2
    assert "✓ 0.800" in page
    assert "&lt;a&gt;.png" in page
    assert "<a>.png" not in page


def test_names_of_a_bundle_cannot_write_into_the_page(tmp_path: Path) -> None:
    evil = replace(CLASSES[0], title="<script>alert(1)</script>")
    task = replace(TASK, classes=(evil, *CLASSES[1:]))
    save_image_case(volume("<b>name</b>"), verdict(task), tmp_path / "case")
    page = (tmp_path / "case" / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "<b>name</b>" not in page


def test_equal_results_make_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_image_case(volume(), verdict(), tmp_path / name, pdf=True)
    for file in result(tmp_path / "a")["files"]:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
