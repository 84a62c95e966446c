from __future__ import annotations

import argparse
import json

import numpy as np
import pytest
from example_eye import SMALL

from RetinaTriageLib.cli import phantom
from RetinaTriageLib.errors import InputError, OutputError
from RetinaTriageLib.phantoms import devices
from RetinaTriageLib.phantoms.eye import Disease
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.training import phantom_sets


@pytest.fixture(autouse=True)
def small_rasters(monkeypatch):
    monkeypatch.setattr(devices, "SCANNERS", {"spectralis": SMALL})
    monkeypatch.setattr(phantom_sets, "_STACK_DEVICES", (SMALL,))


def command(*words: object) -> int:
    parser = argparse.ArgumentParser()
    phantom.add_arguments(parser)
    parsed = parser.parse_args([*map(str, words)])
    return parsed.command(parsed)


def test_volume_is_read_back_with_its_geometry(tmp_path):
    out = tmp_path / "new" / "a.nrrd"
    assert command("volume", "--seed", 1, "--disease", "drusen", "--out", out) == 0
    made = make_phantom(1, SMALL, diseases=(Disease.DRUSEN,))
    found = read_volume(out)
    assert np.array_equal(found.voxels, made.volume.voxels)
    assert found.require_spacing().depth_mm == pytest.approx(SMALL.spacing.depth_mm)
    assert found.directions == pytest.approx(made.volume.directions)


def test_tissue_map_and_truth_lie_beside_the_volume(tmp_path):
    import SimpleITK

    command("volume", "--seed", 1, "--disease", "drusen", "--out", tmp_path / "a.nrrd")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.nrrd", "a.seg.nrrd"]
    truth = json.loads((tmp_path / "a.json").read_text())
    assert (truth["seed"], truth["conditions"]) == (1, ["drusen"])
    labels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "a.seg.nrrd")))
    assert 8 in np.unique(labels)


def test_volume_that_is_there_is_kept_unless_told(tmp_path):
    out = tmp_path / "a.nrrd"
    out.write_text("mine")
    with pytest.raises(OutputError, match="--overwrite"):
        command("volume", "--seed", 1, "--out", out)
    assert out.read_text() == "mine"
    command("volume", "--seed", 1, "--out", out, "--overwrite")
    assert out.read_bytes()[:4] == b"NRRD"


def test_set_goes_on_where_it_stopped(tmp_path, capsys):
    command("grids", "--count", 1, "--out", tmp_path)
    command("grids", "--count", 2, "--out", tmp_path)
    assert "1 samples written, 1 kept" in capsys.readouterr().out
    command("stacks", "--count", 1, "--first-seed", 8, "--out", tmp_path / "stacks")
    assert (tmp_path / "stacks" / "phantom_000008.npz").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("volume", "--seed", "-1", "--out", "a.nrrd"), "Found seed -1"),
        (("volume", "--seed", "1", "--out", "a.png"), "a name like phantom.nrrd"),
        (("volume", "--seed", "1", "--out", "a.seg.nrrd"), "a name like phantom.nrrd"),
        (("volume", "--seed", "1", "--bscans", "1", "--out", "a.nrrd"), "at least 2"),
        (("grids", "--count", "0", "--out", "grids"), "at least 1"),
        (("compare", "scan", "--out", "figure.pdf"), "a name like figure.png"),
    ],
)
def test_unusable_option_is_named(words, message):
    with pytest.raises(InputError, match=message):
        command(*words)
