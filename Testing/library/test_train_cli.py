from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from RetinaTriageLib.training import cli


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cli.add_train_commands(parser.add_subparsers(required=True))
    return parser.parse_args(words)


def test_folders_carry_their_weights() -> None:
    options = parsed("segmentation", "phantoms=3", "duke", "--out", "run")
    assert [folder.weight for folder in options.data] == [3.0, 1.0]
    assert options.data[0].path == Path("phantoms")


def test_weight_that_is_no_number_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("segmentation", "phantoms=many", "--out", "run")
    assert "number above 0" in capsys.readouterr().err


def test_commands_name_their_function() -> None:
    assert parsed("segmentation", "a", "--out", "b").command is cli.run_segmentation
    assert parsed("classification", "a", "--out", "b").command is cli.run_classification
