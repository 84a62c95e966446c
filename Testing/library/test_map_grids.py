from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_bundle import CLASSIFICATION, example_bundle
from slicer_scan import SHAPE, write_pair, write_scan, write_segments

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.classifier_input import ClassifierGrid, grid_from_labels
from RetinaTriageLib.outcomes import CONDITIONS, REFERRAL
from RetinaTriageLib.phantoms.devices import SPECTRALIS, with_bscans
from RetinaTriageLib.training.answered_cases import answer_arrays, folder_cases, phantom_cases
from RetinaTriageLib.training.cli import add_train_commands
from RetinaTriageLib.training.grids import load_grid
from RetinaTriageLib.training.map_errors import TRUE_MAP
from RetinaTriageLib.training.map_grids import manual_grids
from RetinaTriageLib.training.patients import patient_of
from RetinaTriageLib.volume import VoxelSpacing


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_train_commands(parser.add_subparsers(required=True))
    options = parser.parse_args(["grids", *words])
    return int(options.command(options))


def test_every_segmenter_gives_a_map_with_the_answers(tmp_path: Path) -> None:
    write_pair(tmp_path / "scans" / "a.nrrd", referral="urgent", patient="7")
    example_bundle(tmp_path / "bundle", segmenters=2)
    words = (str(tmp_path / "scans"), "--bundle", str(tmp_path / "bundle"), "--device", "cpu")
    assert run(*words, "--out", str(tmp_path / "grids")) == 0
    paths = sorted((tmp_path / "grids").iterdir())
    assert [path.name for path in paths] == ["a_segmenter0.npz", "a_segmenter1.npz"]
    first, second = (load_grid(path, CLASSIFICATION) for path in paths)
    assert first.grid.shape == (15, 4, 16, 16)
    assert (first.grid != second.grid).any()
    assert first.answers["referral"] == REFERRAL.names.index("urgent")
    assert patient_of(paths[0]) == patient_of(paths[1]) == "7"


def test_maps_that_are_there_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pair(tmp_path / "scans" / "a.nrrd", referral="urgent")
    example_bundle(tmp_path / "bundle")
    words = (str(tmp_path / "scans"), "--bundle", str(tmp_path / "bundle"), "--device", "cpu")
    for _ in range(2):
        run(*words, "--out", str(tmp_path / "grids"))
    first, again = capsys.readouterr().out.splitlines()
    assert "1 new tissue maps of 1 scans" in first
    assert "0 new tissue maps of 1 scans" in again


def test_automatic_map_of_a_phantom_lies_beside_the_true_one(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle", segmenters=1)
    words = ("--phantoms", "1", "--bscans", "13", "--bundle", str(tmp_path / "bundle"))
    assert run(*words, "--device", "cpu", "--out", str(tmp_path / "grids")) == 0
    (path,) = (tmp_path / "grids").iterdir()
    (case,) = phantom_cases(1, 0, with_bscans(SPECTRALIS, 13))
    scan = case.load()
    grid = ClassifierGrid((0.24, 0.016, 0.048), (4, 16, 16))  # that of the bundle
    expected = grid_from_labels(scan.codes, scan.volume.spacing, grid)
    with np.load(path) as file:
        np.testing.assert_allclose(file[TRUE_MAP] / 255, expected, atol=1 / 255)


def test_line_scan_lends_its_errors_to_no_raster(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle", segmenters=1)
    words = ("--phantoms", "1", "--bscans", "1", "--bundle", str(tmp_path / "bundle"))
    assert run(*words, "--device", "cpu", "--out", str(tmp_path / "grids")) == 0
    (path,) = (tmp_path / "grids").iterdir()
    rows = load_grid(path, CLASSIFICATION).grid.any(axis=(0, 2, 3))
    assert np.flatnonzero(rows).tolist() == [2]  # of four
    with np.load(path) as file:
        assert TRUE_MAP not in file


def test_drawn_maps_need_the_tissue_of_every_voxel(tmp_path: Path) -> None:
    write_pair(tmp_path / "a.nrrd", referral="urgent")
    (case,) = folder_cases(tmp_path)
    with pytest.raises(InputError, match="voxels of unknown tissue"):
        manual_grids(case.load())


def test_drawn_map_becomes_a_grid(tmp_path: Path) -> None:
    scan = tmp_path / "scans" / "a.nrrd"
    write_scan(scan)
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 8:] = 1
    write_segments(scan, labels, {1: {"Name": "Neurosensory retina"}})
    scan.with_suffix(".json").write_text(
        '{"conditions": {"drusen": true}, "background": "vitreous_subhyaloid"}'
    )
    run(str(scan.parent), "--maps", "manual", "--out", str(tmp_path / "grids"))
    sample = load_grid(tmp_path / "grids" / "a.npz", CLASSIFICATION)
    assert sample.grid[3].any()
    assert set(np.flatnonzero(sample.grid.any(axis=(1, 2, 3)))) == {0, 3}
    assert sample.answers["conditions"][CONDITIONS.names.index("drusen")] == 1
    assert (sample.answers["conditions"] == -1).sum() == len(CONDITIONS.names) - 1


def test_phantom_is_a_case_of_its_seed() -> None:
    small = replace(SPECTRALIS, shape=(3, 96, 64), spacing=VoxelSpacing.from_um(240, 11.6, 60))
    (case,) = phantom_cases(1, 12, small)
    scan = case.load()
    assert (case.name, case.patient) == ("phantom_000012", "phantom_000012")
    assert set(scan.answers) == {"referral", "conditions", "progression", "treatment"}
    assert manual_grids(scan)[""].shape[0] == 15


def test_unknown_answers_are_left_out() -> None:
    assert answer_arrays({"referral": {}, "conditions": {}}) == {}


def test_folder_without_answers_is_refused(tmp_path: Path) -> None:
    write_scan(tmp_path / "a.nrrd")
    with pytest.raises(InputError, match="Found no scan with answers"):
        folder_cases(tmp_path)


def test_command_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Found no data"):
        run("--out", str(tmp_path))
