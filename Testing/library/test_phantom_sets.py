from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from example_eye import SMALL

from RetinaTriageLib.labels.label_sets import UNKNOWN
from RetinaTriageLib.networks.classification import ClassificationConfig
from RetinaTriageLib.networks.classifier_input import DEFAULT_GRID
from RetinaTriageLib.phantoms.clinical_rule import Truth
from RetinaTriageLib.phantoms.eye import Disease
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.training import phantom_sets
from RetinaTriageLib.training.augment import CLIPPING
from RetinaTriageLib.training.grids import load_grid
from RetinaTriageLib.training.phantom_sets import (
    STACK_KINDS,
    answers,
    sample_path,
    without_black_bottom,
    write_grid,
    write_stack,
)
from RetinaTriageLib.training.sample_folder import sample_files
from RetinaTriageLib.training.stacks import load_stack


@pytest.fixture(autouse=True)
def small_rasters(monkeypatch):
    monkeypatch.setattr(phantom_sets, "_STACK_DEVICES", (SMALL,))


def test_stack_loads_back(tmp_path):
    path = write_stack(3, tmp_path)
    stack = load_stack(path)
    assert path == sample_path(3, tmp_path)
    assert stack.image.shape == stack.codes.shape == (6, 248, 96)
    assert stack.device == "spectralis"
    assert set(np.unique(stack.codes)) <= {*range(15), UNKNOWN}


def test_stack_of_a_seed_is_always_the_same(tmp_path):
    paths = [write_stack(7, tmp_path / name) for name in ("a", "b")]
    first, second = (load_stack(path) for path in paths)
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.codes, second.codes)


def test_bscans_of_a_stack_are_neighbors_inside_the_raster():
    tall = replace(SMALL, shape=(21, 248, 96))
    for seed in range(5):
        chosen = phantom_sets._near_fovea(seed, tall, None, np.random.default_rng(seed))
        assert chosen == tuple(range(chosen[0], chosen[0] + 6))
        assert 0 <= chosen[0] <= 15


def test_every_disease_comes_near_the_fovea_and_half_of_the_stacks_are_as_scans_are():
    drawn = {disease for kind in STACK_KINDS for disease in kind.diseases or ()}
    assert drawn == set(Disease)
    assert sum(not kind.near_fovea for kind in STACK_KINDS) * 2 == len(STACK_KINDS)


def test_grid_loads_back_with_answers(tmp_path):
    sample = load_grid(write_grid(2, tmp_path), ClassificationConfig())
    assert sample.grid.shape == (15, *DEFAULT_GRID.shape)
    assert set(sample.answers) == {"referral", "conditions", "progression", "treatment"}
    assert sample.answers["conditions"].sum() >= 1


def test_grids_are_of_every_scanner_in_coarse_and_fine_rasters(tmp_path, monkeypatch):
    asked = []

    def noted(seed, device, **options):
        asked.append(device)
        return make_phantom(seed, SMALL, **options)

    monkeypatch.setattr(phantom_sets, "make_phantom", noted)
    for seed in range(12):
        write_grid(seed, tmp_path)
    rasters = {(device.family.value, device.shape[0]) for device in asked}
    scanners = ("spectralis", "cirrus", "topcon")
    assert rasters == {(scanner, bscans) for scanner in scanners for bscans in (25, 49, 97)}
    assert {round(device.shape[2] * device.spacing.width_mm, 1) for device in asked} == {6.0}


def test_answers_follow_the_vocabulary():
    found = answers(Truth("urgent", ("cnv", "drusen"), "rapid", "anti_vegf"))
    assert found["referral"] == 0
    assert found["conditions"].tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    assert (found["progression"], found["treatment"]) == (2, 1)


def test_nothing_half_written_is_left(tmp_path):
    write_stack(1, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["phantom_000001.npz"]
    assert sample_files(tmp_path) == [tmp_path / "phantom_000001.npz"]


def test_black_fill_below_the_retina_gets_no_label():
    codes = np.full((1, 8, 3), CLIPPING, np.uint8)
    image = np.zeros_like(codes)
    image[0, :, 2] = 255
    known = without_black_bottom(image, codes)
    assert (known[0, :4] == CLIPPING).all()
    assert (known[0, 4:, :2] == UNKNOWN).all()
    assert (known[0, 4:, 2] == CLIPPING).all()
