from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import pytest
from example_bundle import example_bundle
from PIL import Image

from RetinaTriageLib.cli import evaluate
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.picture_scores import pictures_of_folders, read_gray_picture


def write_picture(path: Path, colored: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    gray = np.random.default_rng(0).integers(256, size=(48, 64, 1), dtype=np.uint8)
    pixels = np.repeat(gray, 3, axis=2)
    pixels[0, :colored] = (255, 0, 0)
    Image.fromarray(pixels).save(path)
    return path


def test_classes_are_subfolders_in_order(tmp_path: Path) -> None:
    for name in ("NORMAL/2.png", "NORMAL/10.png", "CNV/1.png"):
        write_picture(tmp_path / name)
    found = [(one.label, one.path.name) for one in pictures_of_folders(tmp_path)]
    assert found == [("CNV", "1.png"), ("NORMAL", "2.png"), ("NORMAL", "10.png")]


def test_folder_without_classes_is_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "1.png")
    with pytest.raises(InputError, match="one for each class"):
        pictures_of_folders(tmp_path)


def test_few_colored_pixels_become_gray(tmp_path: Path) -> None:
    volume = read_gray_picture(write_picture(tmp_path / "a.png", colored=2))
    assert volume.shape == (1, 48, 64)
    assert volume.spacing is None
    with pytest.raises(InputError, match="is colored"):
        read_gray_picture(write_picture(tmp_path / "b.png", colored=60))


def test_command_writes_figure_and_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("CNV/1.png", "NORMAL/2.png"):
        write_picture(tmp_path / "set" / name)
    example_bundle(tmp_path / "bundle")
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    sheet, table = tmp_path / "sheet.png", tmp_path / "table.csv"
    words = ("pictures", tmp_path / "set", "--sheet", sheet, "--table", table)
    words += ("--bundle", tmp_path / "bundle", "--compute", "cpu")
    parsed = parser.parse_args([str(word) for word in words])
    assert parsed.command(parsed) == 0
    text = capsys.readouterr().out
    assert "Spacing unknown: nothing is measured." in text
    assert "CNV (1)" in text
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == ["CNV", "NORMAL"]
    assert 0 <= float(rows[0]["conditions_drusen_raw"]) <= 1
    assert "referral_decided" in rows[0]
    with Image.open(sheet) as picture:
        assert picture.width == 2 * 646 + 6
