"""Surfaces in the 3D view, and what is written as files."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from RetinaTriageSlicer.scene import findResults
from test_maps_section import show_visit

from RetinaTriageLib.labels.slicer_pairs import read_codes
from RetinaTriageLib.readers.registry import read_volume


@pytest.fixture
def tools(panel: Any) -> Any:
    """Sections with the result of one visit."""
    nodes = show_visit("my scan", 0)
    panel.ui.inputSelector.setCurrentNode(nodes.volumeNode)
    panel.enter()
    return panel.tools


def visible(node: Any) -> set[str]:
    display = node.GetDisplayNode()
    ids = node.GetSegmentation().GetSegmentIDs()
    return {one for one in ids if display.GetSegmentVisibility3D(one)}


def test_presets_choose_what_is_drawn(tools: Any):
    tools.surfaces.drawButton.click()
    (nodes,) = findResults()
    assert "neurosensory_retina" in visible(nodes.consensus)
    assert "choroid_outer" not in visible(nodes.consensus)
    tools.surfaces.presetBox.setCurrentIndex(0)
    assert visible(nodes.consensus) == {"intraretinal_fluid", "subretinal_fluid"}
    tools.surfaces.presetBox.setCurrentIndex(2)
    assert "choroid_outer" in visible(nodes.consensus)


def test_depth_is_stretched_in_the_3d_view_alone(tools: Any):
    (nodes,) = findResults()
    tools.surfaces.drawButton.click()
    tools.surfaces.stretch.setValue(5)
    view = slicer.app.layoutManager().threeDWidget(0).mrmlViewNode()
    camera = slicer.modules.cameras.logic().GetViewActiveCameraNode(view).GetCamera()
    matrix = slicer.util.arrayFromVTKMatrix(camera.GetModelTransformMatrix())
    assert np.allclose(np.diag(matrix)[:3], (1, 5, 1))
    assert nodes.consensus.GetParentTransformNode() is None
    tools.surfaces.stretch.setValue(1)
    matrix = slicer.util.arrayFromVTKMatrix(camera.GetModelTransformMatrix())
    assert np.allclose(matrix, np.eye(4))


def test_files_are_written_into_a_folder_of_their_own(tools: Any, tmp_path: Path):
    tools.export.folderEdit.currentPath = str(tmp_path)
    tools.export.pairCheck.checked = True
    tools.export.writeButton.click()
    written = {path.name for path in (tmp_path / "my_scan").iterdir()}
    assert {"report.html", "report.pdf", "scores.csv", "tissues.csv", "view_Red.png"} <= written
    assert {"my_scan.nrrd", "my_scan.seg.nrrd"} <= written
    assert "Wrote" in tools.export.label.text
    assert "torch" not in sys.modules


def test_nothing_is_overwritten(tools: Any, tmp_path: Path):
    (tmp_path / "my_scan").mkdir()
    tools.export.folderEdit.currentPath = str(tmp_path)
    for check in (tools.export.htmlCheck, tools.export.pdfCheck, tools.export.viewCheck):
        check.checked = False
    tools.export.writeButton.click()
    assert list((tmp_path / "my_scan").iterdir()) == []
    assert (tmp_path / "my_scan_2" / "scores.csv").is_file()


def test_training_pair_holds_the_map_as_it_was_corrected(tools: Any, tmp_path: Path):
    (nodes,) = findResults()
    case_map = nodes.hypotheses[0]
    cyst = slicer.util.arrayFromSegmentBinaryLabelmap(
        case_map, "intraretinal_fluid", nodes.volumeNode
    )
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        np.zeros_like(cyst), case_map, "intraretinal_fluid", nodes.volumeNode
    )
    export = tools.export
    export.folderEdit.currentPath = str(tmp_path)
    for check in (export.htmlCheck, export.pdfCheck, export.viewCheck, export.tableCheck):
        check.checked = False
    export.pairCheck.checked = True
    export.mapBox.setCurrentIndex(export.mapBox.findText(case_map.GetName()))
    export.writeButton.click()
    scan = tmp_path / "my_scan" / "my_scan.nrrd"
    codes = read_codes(read_volume(scan), scan)
    assert cyst.any()
    assert not (codes == 4).any()
    assert (codes == 3).any()


def test_missing_folder_is_asked_for(tools: Any):
    tools.export.folderEdit.currentPath = ""
    tools.export.writeButton.click()
    assert tools.export.label.text == "Choose the folder to write into."
