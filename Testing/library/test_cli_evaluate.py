from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from example_bundle import example_bundle
from PIL import Image

from RetinaTriageLib.cli import evaluate
from RetinaTriageLib.errors import InputError


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    parsed = parser.parse_args([str(word) for word in words])
    code: int = parsed.command(parsed)
    return code


def bundle(folder: Path) -> Path:
    example_bundle(folder)
    return folder


def write_picture(path: Path, shape: tuple[int, int] = (32, 40)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)).save(path)


def test_labeled_set_is_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = np.random.default_rng(0).integers(256, size=(2, 32, 40), dtype=np.uint8)
    (tmp_path / "set").mkdir()
    np.savez(tmp_path / "set" / "a.npz", image=image, codes=np.full_like(image, 3), referral=1)
    words = (tmp_path / "set", "--bundle", bundle(tmp_path / "bundle"), "--compute", "cpu")
    assert run("labeled", *words, "--spacing-um", 120, 4, 12, "--out", tmp_path / "out") == 0
    text = capsys.readouterr().out
    assert "neurosensory_retina" in text
    assert "Ensemble, referral" in text
    assert (tmp_path / "out" / "evaluation.html").exists()


def test_fluid_is_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_picture(tmp_path / "set" / "images" / "a.png")
    (tmp_path / "set" / "fluid").mkdir()
    Image.new("L", (40, 32)).save(tmp_path / "set" / "fluid" / "a.png")
    words = (tmp_path / "set", "--bundle", bundle(tmp_path / "bundle"), "--compute", "cpu")
    sheet = tmp_path / "sheet.png"
    spacing = ("--spacing-um", 120, 4, 12)
    assert run("fluid", *words, *spacing, "--sheet", sheet, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["pooled_dice"] is None or facts["pooled_dice"] == 0
    assert len(facts["false_fluid_nl"]) == 1
    assert sheet.exists()


def test_pictures_of_different_size_are_scans_by_themselves(tmp_path: Path) -> None:
    write_picture(tmp_path / "set" / "a.png")
    write_picture(tmp_path / "set" / "b.png", (48, 64))
    words = (tmp_path / "set", "--bundle", bundle(tmp_path / "bundle"), "--compute", "cpu")
    assert run("contact-sheet", *words, "--separate", "--out", tmp_path / "sheet.png") == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width == 2 * 646 + 6


def test_folder_and_phantoms_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="either a folder"):
        run("labeled", tmp_path, "--phantoms", 2)
    with pytest.raises(InputError, match="either a folder"):
        run("labeled")


def test_phantoms_need_a_first_seed() -> None:
    with pytest.raises(InputError, match="a first seed that no training used"):
        run("labeled", "--phantoms", 2)
