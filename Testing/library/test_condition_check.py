from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
import pytest
from example_bundle import example_bundle
from PIL import Image

from RetinaTriageLib.cli import evaluate
from RetinaTriageLib.errors import InputError, OutputError
from RetinaTriageLib.evaluation.condition_check import (
    AnswerTable,
    answered_pictures,
    blocks_of,
    condition_check,
)
from RetinaTriageLib.evaluation.picture_scores import LabeledPicture, PictureScore
from RetinaTriageLib.outcomes import CONDITIONS
from RetinaTriageLib.result import Verdict

EDEMA = "macular_retinal_edema"


def write_set(folder: Path, answers: str = "1010") -> Path:
    """Pictures with a colored mark, and a table that names the last one first."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    rows = []
    for number, answer in enumerate(answers):
        pixels = np.repeat(rng.integers(256, size=(48, 64, 1), dtype=np.uint8), 3, axis=2)
        pixels[0, 0] = (255, 0, 0)
        name = f"{100 + number}.png"
        Image.fromarray(pixels).save(folder / "images" / name)
        rows.insert(0, {"file": name, "id": 100 + number, "eye": "left", "dme": answer, "dr": "-"})
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    parsed = parser.parse_args([str(word) for word in words])
    code: int = parsed.command(parsed)
    return code


def score(name: str, edema: float, fluid: float) -> PictureScore:
    raw = np.zeros(len(CONDITIONS.names))
    raw[CONDITIONS.names.index(EDEMA)] = edema
    scores = {CONDITIONS.name: raw}
    decided = {CONDITIONS.name: (EDEMA,) if edema >= 0.5 else ()}
    verdict = Verdict(scores, scores, {}, decided, "balanced")
    tissue_map = np.zeros((4, 4), np.uint8)
    return PictureScore(LabeledPicture(Path(name), ""), verdict, fluid, tissue_map, ())


def test_pictures_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = write_set(tmp_path, "100")
    found = answered_pictures(folder / "images", AnswerTable(folder / "labels.csv"))
    assert [one.order for one in found] == [100, 101, 102]
    assert [one.present for one in found] == [True, False, False]
    assert found[0].picture.label == "dme yes"


def test_figures_of_a_worked_example(tmp_path: Path) -> None:
    folder = write_set(tmp_path, "1010")
    pictures = answered_pictures(folder / "images", AnswerTable(folder / "labels.csv"))
    found = [
        score("a", 0.9, 0.1),
        score("b", 0.4, 0.0),
        score("c", 0.3, np.nan),
        score("d", 0.2, 0.05),
    ]
    check = condition_check(pictures, found, CONDITIONS, EDEMA, block=2)
    assert check.auc == 0.75  # of four pairs, the one of 0.3 and 0.4 stands wrong
    assert check.fluid_auc == (1 + 1 + 0.5 + 0) / 4
    assert check.blocks == ("0", "0", "1", "1")
    assert (check.sensitivity.value, check.specificity.value) == (0.5, 1.0)
    interval = check.interval(check.scores)
    assert interval.low <= check.auc <= interval.high


def test_pictures_of_one_number_share_a_block() -> None:
    assert blocks_of((1, 1, 1, 2, 3, 4), 2) == ("0", "0", "0", "1", "1", "2")


def test_command_writes_figures_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_set(tmp_path / "set")
    example_bundle(tmp_path / "bundle")
    words = (folder, "--bundle", tmp_path / "bundle", "--compute", "cpu", "--out", tmp_path / "out")
    assert run("condition", *words) == 0
    assert "4 pictures, 2 with the answer yes" in capsys.readouterr().out
    facts = json.loads((tmp_path / "out" / "condition.json").read_text(encoding="utf-8"))
    assert facts["present"] == 2
    assert 0 <= facts["auc"] <= 1
    assert (tmp_path / "out" / "roc.png").exists()
    with (tmp_path / "out" / "pictures.csv").open(encoding="utf-8") as file:
        assert [row["picture"] for row in csv.DictReader(file)] == [
            f"{100 + n}.png" for n in range(4)
        ]
    with pytest.raises(OutputError, match="holds something already"):
        run("condition", *words)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,id\n", "expected the columns file, dme, id"),
        ("file,id,dme\n100.png,x,1\n", "and a number"),
        ("file,id,dme\n100.png,1,2\n", "1 or 0"),
        ("file,id,dme\n7.png,1,1\n", r"Found no 7\.png"),
    ],
)
def test_unusable_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    folder = write_set(tmp_path)
    (folder / "labels.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        answered_pictures(folder / "images", AnswerTable(folder / "labels.csv"))
