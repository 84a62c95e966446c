from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.training import cli, real_cli
from RetinaTriageLib.training.schedule import Schedule


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


def test_options_reach_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = []
    monkeypatch.setattr(cli, "train_classification", lambda plan, *_, **__: plans.append(plan))
    words = "--seed 3 --resampling bootstrap --schedule staircase --tensorboard --minutes 5"
    more = "--class-weights 0.5 3 --smoothing 0.1 --penalty-share 0.5 --patience 4 --device cuda"
    cli.run_classification(parsed("classification", "a", "--out", "b", *f"{words} {more}".split()))
    (plan,) = plans
    assert (plan.bootstrap_seed, plan.class_weight_limits) == (3, (0.5, 3.0))
    assert (plan.smoothing, plan.penalty_share, plan.device) == (0.1, 0.5, "cuda")
    assert plan.optimization.schedule is Schedule.STAIRCASE
    assert (plan.optimization.minutes, plan.optimization.patience) == (5, 4)
    assert plan.optimization.tensorboard


def test_falling_class_weights_are_refused() -> None:
    with pytest.raises(InputError, match="--class-weights 3 2"):
        cli.run_segmentation(parsed("segmentation", "a", "--out", "b", "--class-weights", "3", "2"))


def test_real_bscans_of_validation_patients_lie_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(_data: Path, folder: Path) -> dict[str, int]:
        folder.mkdir(parents=True)
        for name in ("duke_1_z01", "duke_8_z01", "duke_9_z02", "dukevolume_1_z05"):
            (folder / f"{name}.npz").touch()
        return {"duke": 3, "dukevolume": 1}

    monkeypatch.setattr(real_cli, "write_all", write)
    options = parsed("real-stacks", "data", "--out", str(tmp_path))
    options.command(options)
    assert sorted(path.stem for path in (tmp_path / "held_out").iterdir()) == [
        "duke_8_z01",
        "duke_9_z02",
    ]
    assert len(list((tmp_path / "train").iterdir())) == 2
