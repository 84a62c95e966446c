from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from example_bands import banded_bscans, banded_codes
from test_classification_loop import healthy_and_wet
from test_train_cli import parsed

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.training import scikit, tree_cli
from RetinaTriageLib.training.scikit import scikit_ensembles

SPACING = ("--spacing-um", "spectralis=3.87,11.5")


def bands(folder: Path) -> str:
    folder.mkdir()
    np.savez(folder / "a.npz", image=banded_bscans(), codes=banded_codes())
    return str(folder)


def test_forest_is_trained_and_its_dice_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("forest-segmentation", bands(tmp_path / "bands"), "--out", str(tmp_path / "run"))
    options = parsed(*words, *SPACING, "--trees", "2", "--held-out", str(tmp_path / "bands"))
    assert options.command(options) == 0
    assert "bands:rpe 0.9" in capsys.readouterr().out


def test_graph_search_is_counted(tmp_path: Path) -> None:
    folder = bands(tmp_path / "bands")
    words = ("graph-search-segmentation", folder, "--out", str(tmp_path / "run"))
    assert tree_cli.run_graph_search(parsed(*words, *SPACING)) == 0
    assert (tmp_path / "run" / "best.safetensors").exists()


def test_boosted_trees_are_trained(tmp_path: Path) -> None:
    folder = healthy_and_wet(tmp_path / "maps").path
    words = ("boosted-classification", str(folder), "--out", str(tmp_path / "run"))
    assert tree_cli.run_boosted(parsed(*words, "--rounds", "2", "--copies", "0")) == 0
    assert (tmp_path / "run" / "best.safetensors").exists()


@pytest.mark.parametrize("text", ["3.87,11.5", "spectralis=3.87", "spectralis=3870,11.5"])
def test_spacing_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("forest-segmentation", "a", "--out", "b", "--spacing-um", text)
    assert "expected DEVICE=DEPTH,WIDTH" in capsys.readouterr().err


def test_missing_scikit_learn_is_answered_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(scikit, "import_module", absent)
    with pytest.raises(InputError, match="pip install scikit-learn"):
        scikit_ensembles()
