"""Pictures of cases: what they show, and cases that cannot be shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_result import SMALL, example_result
from PIL import Image

from RetinaTriageLib.cohort.stored_map import read_map
from RetinaTriageLib.cohort.thumbnails import ENFACE_WIDTH, GAP, HEIGHT, thumbnail, write_thumbnail
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.writers.case_folder import write_case


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return write_case(example_result(), tmp_path / "eye").folder


def test_picture_shows_fluid_in_its_color(case: Path):
    side = thumbnail(case)[:, ENFACE_WIDTH + GAP :]
    yellow = np.array(TISSUE_BY_NAME["intraretinal_fluid"].color)
    assert (np.abs(side.astype(int) - yellow).max(axis=2) < 10).any()


def test_line_lies_where_the_bscan_was_taken(case: Path):
    labels = read_map(case).labels
    bscan = int(np.isin(labels, (4, 5, 8, 9, 10)).sum(axis=(1, 2)).argmax())
    (row,) = np.flatnonzero((thumbnail(case)[:, :ENFACE_WIDTH] == (255, 210, 60)).all(2).all(1))
    assert row == HEIGHT - 1 - int((bscan + 0.5) / len(labels) * HEIGHT)


def test_file_is_small_and_of_one_size(case: Path):
    path = write_thumbnail(case)
    assert Image.open(path).size == (266, 96)
    assert path.stat().st_size < 30_000


def test_scan_of_unknown_spacing_has_a_picture(tmp_path: Path):
    result = example_result(replace(SMALL, spacing_known=False))
    folder = write_case(result, tmp_path / "eye").folder
    assert write_thumbnail(folder).exists()


def test_stored_map_is_the_written_one(case: Path):
    result = example_result()
    found = read_map(case, "hypothesis_2")
    assert np.array_equal(found.labels, result.hypotheses[1].tissue_map)
    assert np.allclose(found.ijk_to_ras, result.volume.ijk_to_ras())


@pytest.mark.parametrize("name", ["consensus.seg.nrrd", "maps.npz", "result.json"])
def test_broken_file_is_named(case: Path, name: str):
    (case / name).write_bytes(b"broken")
    with pytest.raises(InputError, match=name.partition(".")[0]):
        thumbnail(case)
