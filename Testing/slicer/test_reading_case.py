"""Cases of a cohort in the scene: the same nodes as of a run, without one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from cohort_steps import made_result, small_cohort
from example_result import SMALL, example_map, example_volume
from RetinaTriageSlicer.cohort_case import LoadedCase, loadCase, unloadCase
from RetinaTriageSlicer.scene import findResults, showResult
from RetinaTriageSlicer.shown_case import readCase
from RetinaTriageSlicer.volume_node import readVolumeNode
from volume_nodes import volume_node

from RetinaTriageLib.cohort.cohort_rows import read_cohort
from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.writers.volume_file import write_volume


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    return small_cohort(tmp_path)


def load(cohort: Path, at: int = 0, **options: Any) -> LoadedCase:
    options = {"scans": cohort.parent / "scans"} | options
    return loadCase(cohort, read_cohort(cohort).rows[at], **options)


def test_loaded_case_is_what_a_run_shows(cohort: Path):
    case = load(cohort, 1)
    result = made_result("Miller_two", 1)
    node = volume_node(result.volume)
    node.SetAttribute("RetinaTriage.Laterality", "OS")
    _volume, grid = readVolumeNode(node)
    shown = showResult(result, node, grid)
    assert case.nodes is not None
    assert list(case.nodes.tables) == list(shown.tables)
    assert list(case.nodes.maps) == list(shown.maps)
    for key, table in shown.tables.items():
        assert cells(case.nodes.tables[key]) == cells(table)
    found, expected = readCase(case.nodes, None), readCase(shown, None)
    for one, other in zip(case.nodes.tissueMaps, shown.tissueMaps, strict=True):
        assert np.array_equal(found.labels(one), expected.labels(other))


def test_scan_has_its_eye_side_and_distances(cohort: Path):
    volume, _grid = readVolumeNode(load(cohort).volumeNode)
    original = made_result("Miller_one", 0).volume
    assert (volume.laterality, volume.device) == (original.laterality, original.device)
    assert volume.spacing is not None
    assert np.allclose(volume.ijk_to_ras(), original.ijk_to_ras(), atol=1e-5)


def test_nothing_in_the_scene_names_the_patient(cohort: Path):
    path = next((cohort / "cases").glob("Miller_one*")) / "result.json"
    fields = json.loads(path.read_text())
    fields["volume"]["assumed"].append("Miller_one has no eye side.")
    fields["measurements"]["refused"].append("Miller_one is dark.")
    path.write_text(json.dumps(fields))
    case = load(cohort)
    assert case.nodes is not None
    for node in (case.volumeNode, *case.nodes.nodes):
        said = {node.GetAttribute(name) or "" for name in node.GetAttributeNames()}
        assert not any("Miller" in text for text in said)
    nodes = slicer.util.getNodes("*", useLists=True)
    names = [node.GetName() or "" for found in nodes.values() for node in found]
    assert not any("Miller" in name for name in names)
    assert "Miller" not in str(slicer.mrmlScene.GetSubjectHierarchyNode())


def test_maps_come_alone_where_the_scan_has_moved(cohort: Path, tmp_path: Path):
    case = load(cohort, scans=tmp_path / "elsewhere")
    assert case.volumeNode is None
    assert "no more where it was" in case.missing
    (result,) = findResults()
    assert result.volumeNode is None
    assert len(result.hypotheses) == 2


def test_other_scan_of_the_same_name_is_refused(cohort: Path):
    other = example_volume(SMALL, example_map(SMALL, 2))
    write_volume(other, cohort.parent / "scans" / "Miller_one.nrrd")
    case = load(cohort)
    assert case.volumeNode is None
    assert "not the scan that this case was made of" in case.missing


def test_broken_case_leaves_the_scene_as_it_was(cohort: Path):
    before = slicer.mrmlScene.GetNumberOfNodes()
    case = next(path for path in (cohort / "cases").iterdir() if "one" in path.name)
    (case / "hypothesis_2.seg.nrrd").write_bytes(b"broken")
    with pytest.raises(RetinaTriageError, match="hypothesis_2"):
        load(cohort)
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_unloading_leaves_nothing_behind(cohort: Path):
    assert unloadCase(load(cohort))  # what is made once, such as colors, stays
    before = slicer.mrmlScene.GetNumberOfNodes()
    assert unloadCase(load(cohort, 1))
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_case_with_an_edited_map_stays(cohort: Path):
    case = load(cohort)
    assert case.nodes is not None
    node = case.nodes.hypotheses[0]
    labels = slicer.util.arrayFromSegmentBinaryLabelmap(node, "rpe", case.volumeNode)
    labels[:, :5] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(labels, node, "rpe", case.volumeNode)
    assert not unloadCase(case)
    assert findResults() == (case.nodes,)


def test_looking_at_surfaces_is_no_edit(cohort: Path):
    case = load(cohort)
    assert case.nodes is not None
    case.nodes.consensus.CreateClosedSurfaceRepresentation()
    assert unloadCase(case)


def cells(table: Any) -> list[list[str]]:
    return [
        [table.GetCellText(row, column) for column in range(table.GetNumberOfColumns())]
        for row in range(table.GetNumberOfRows())
    ]
