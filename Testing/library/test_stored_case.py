"""Case folders read back: the same result, and folders that are no more what they were."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_case import example_case
from example_result import SMALL, example_result
from same_fields import assert_same

from RetinaTriageLib.cohort.stored_case import read_fields, stored_case
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.writers.case_folder import write_case
from RetinaTriageLib.writers.result_json import result_fields


def written(result: TriageResult, parent: Path) -> Path:
    return write_case(result, parent / "eye").folder


@pytest.mark.parametrize("spacing_known", [True, False])
def test_result_survives_its_folder(tmp_path: Path, spacing_known: bool):  # noqa: FBT001
    result = example_result(replace(SMALL, spacing_known=spacing_known))
    found = stored_case(written(result, tmp_path), result.volume)
    assert_same(found, with_notes_of(found, result))


def test_vocabulary_of_another_bundle_survives(tmp_path: Path):
    result = example_case()
    found = stored_case(written(result, tmp_path), result.volume)
    assert result_fields(found) == result_fields(result)


def test_scan_of_another_shape_is_refused(tmp_path: Path):
    result = example_result()
    other = replace(result.volume, voxels=result.volume.voxels[:, :, :-1])
    with pytest.raises(InputError, match="replaced by another one"):
        stored_case(written(result, tmp_path), other)


@pytest.mark.parametrize("name", ["result.json", "maps.npz", "hypothesis_2.seg.nrrd"])
def test_missing_file_is_named(tmp_path: Path, name: str):
    result = example_result()
    folder = written(result, tmp_path)
    (folder / name).unlink()
    with pytest.raises(InputError, match=name.partition(".")[0]):
        stored_case(folder, result.volume)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"volume": {"shape": {"bscan": 1}}}'])
def test_broken_json_is_refused(tmp_path: Path, text: str):
    result = example_result()
    folder = written(result, tmp_path)
    (folder / "result.json").write_text(text)
    with pytest.raises(InputError, match=r"result\.json"):
        stored_case(folder, result.volume)


def test_fields_are_those_of_the_file(tmp_path: Path):
    folder = written(example_result(), tmp_path)
    assert read_fields(folder) == json.loads((folder / "result.json").read_text())


def with_notes_of(found: TriageResult, result: TriageResult) -> TriageResult:
    """Result with the note that the folder adds on how it was written."""
    provenance = replace(result.provenance, notes=found.provenance.notes)
    assert set(result.provenance.notes) <= set(found.provenance.notes)
    assert np.array_equal(found.consensus, result.consensus)
    return replace(result, provenance=provenance)
