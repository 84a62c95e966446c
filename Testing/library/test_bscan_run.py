import csv
import json
from pathlib import Path

import numpy as np
import pytest
from example_bundle import example_bundle
from example_image_bundle import example_image_bundle
from PIL import Image

from RetinaTriageLib.cli.main import main

SPACING = ["--spacing-um", "120", "4", "12"]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    example_image_bundle(tmp_path / "images")
    return tmp_path / "images"


def pictures(folder: Path, *sizes: tuple[int, int]) -> Path:
    folder.mkdir()
    random = np.random.default_rng(3)
    for number, size in enumerate(sizes):
        pixels = random.integers(0, 200, size).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"b{number}.png")
    return folder


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def run(*words: object) -> int:
    return main(["run", *map(str, words)])


def test_image_bundle_alone_judges_a_scan(
    tmp_path: Path, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = pictures(tmp_path / "scan", (40, 32), (40, 32), (40, 32))
    assert run(scan, "--bundle", images, "--out", tmp_path / "out", "--pdf") == 0
    rows = table(tmp_path / "out" / "bscan_scores.csv")
    assert [row["bscan"] for row in rows] == ["1", "2", "3", "volume"]
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Scores of 3 B-scans" in report
    assert (tmp_path / "out" / "report.pdf").stat().st_size > 1000
    assert "Maximum: each finding" in capsys.readouterr().out


def test_single_picture_needs_neither_spacing_nor_raster(tmp_path: Path, images: Path) -> None:
    scan = pictures(tmp_path / "scan", (33, 57))
    assert run(scan / "b0.png", "--bundle", images, "--out", tmp_path / "out") == 0
    fields = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert fields["kind"] == "whole_image"
    assert len(fields["bscan_classifier"]["bscans"]) == 1


def test_separate_pictures_of_any_size_get_a_row_each(tmp_path: Path, images: Path) -> None:
    folder = pictures(tmp_path / "folder", (40, 32), (17, 90))
    out = tmp_path / "out"
    assert run(folder, "--bundle", images, "--out", out, "--pictures") == 0
    rows = table(out / "picture_scores.csv")
    assert [row["picture"] for row in rows] == ["1", "2"]
    assert "file" not in rows[0]


def test_file_names_are_kept_if_asked_for(tmp_path: Path, images: Path) -> None:
    folder = pictures(tmp_path / "folder", (40, 32), (17, 90))
    out = tmp_path / "out"
    run(folder, "--bundle", images, "--out", out, "--pictures", "--keep-identifiers")
    assert [row["file"] for row in table(out / "picture_scores.csv")] == ["b0.png", "b1.png"]


def test_pictures_of_several_sizes_are_no_scan(
    tmp_path: Path, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = pictures(tmp_path / "folder", (40, 32), (17, 90))
    assert run(folder, "--bundle", images, "--out", tmp_path / "out") == 3
    assert "--pictures" in capsys.readouterr().err


def test_verdict_stands_beside_that_of_tissue_maps(tmp_path: Path, images: Path) -> None:
    scan = pictures(tmp_path / "scan", (32, 32), (32, 32))
    example_bundle(tmp_path / "maps")
    words = ["--bundle", tmp_path / "maps", "--bscan-bundle", images, "--pooling", "mean"]
    assert run(scan, *words, *SPACING, "--out", tmp_path / "out") == 0
    fields = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert fields["bscan_classifier"]["pooling"] == "mean"
    assert fields["verdicts"]["questions"][0]["question"] == "Referral urgency"
    assert {"verdicts.csv", "bscan_scores.csv"} <= set(fields["files"])
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "B-scan classifier beside the tissue maps" in report
    assert fields["verdicts"]["said"] in report


def test_referral_map_of_the_command_line_goes_before_that_of_the_bundle(
    tmp_path: Path, images: Path
) -> None:
    scan = pictures(tmp_path / "scan", (40, 32))
    everything = "CNV=semi_urgent,DRUSEN=semi_urgent,NORMAL=semi_urgent"
    words = ["--bundle", images, "--referral-map", everything]
    assert run(scan, *words, "--out", tmp_path / "out") == 0
    fields = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert fields["bscan_classifier"]["referral"] == "semi_urgent"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--referral-map", "CNV=soon"], "soon"),
        (["--nifti"], "--nifti"),
        (["--pooling", "mean", "--dicom-seg"], "--dicom-seg"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_the_work(
    tmp_path: Path, images: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    scan = pictures(tmp_path / "scan", (40, 32))
    assert run(scan, "--bundle", images, *words, "--out", tmp_path / "out") == 3
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_pooling_without_a_classifier_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = pictures(tmp_path / "scan", (40, 32))
    assert run(scan, "--pooling", "mean", "--out", tmp_path / "out") == 3
    assert "--bscan-bundle" in capsys.readouterr().err


def test_earlier_case_is_overwritten_only_if_asked(tmp_path: Path, images: Path) -> None:
    scan = pictures(tmp_path / "scan", (40, 32))
    words = [scan, "--bundle", images, "--out", tmp_path / "out"]
    assert [run(*words), run(*words), run(*words, "--overwrite")] == [0, 6, 0]


def test_bundle_check_understands_image_bundles(
    images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", "check", str(images)]) == 0
    assert "CNV (urgent)" in capsys.readouterr().out
