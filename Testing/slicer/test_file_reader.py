"""OCT files of scanners, read by the module's file reader."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scan_makers  # noqa: F401 - makes `makers` importable
import slicer
from makers.heidelberg import write_e2e, write_heidelberg_xml, write_vol
from makers.scan import NAMES, made_scan
from makers.topcon import write_fda
from RetinaTriageSlicer.loaded_scan import makeScanNode
from RetinaTriageSlicer.scan_formats import confidence, extensions
from RetinaTriageSlicer.volume_node import ijkToRas, readVolumeNode

from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.volume import OCTVolume

WRITERS = {
    "vol": lambda folder: write_vol(folder / "a.vol", made_scan()),
    "e2e": lambda folder: write_e2e(folder / "a.E2E", made_scan()),
    "fda": lambda folder: write_fda(folder / "a.fda", made_scan(superior_first=True)),
    "xml": lambda folder: write_heidelberg_xml(folder / "a", made_scan()) / "export.xml",
}


class Parent:
    """The C++ side of a scripted file reader."""

    def __init__(self) -> None:
        self.loadedNodes: list[str] = []
        self._messages = slicer.vtkMRMLMessageCollection()

    def userMessages(self) -> Any:
        return self._messages


def load(module: Any, path: Path, **properties: Any) -> tuple[bool, Parent]:
    parent = Parent()
    reader = sys.modules[module.name].RetinaTriageFileReader(parent)
    return reader.load({"fileName": str(path), **properties}), parent


@pytest.mark.parametrize("made", WRITERS)
def test_scans_of_scanners_are_ours(made: str, tmp_path: Path):
    assert confidence(WRITERS[made](tmp_path)) > 0.5


@pytest.mark.parametrize("name", ["a.xml", "a.vol", "a.img", "a.oct", "a.nrrd", "a.dcm"])
def test_other_files_are_left_to_others(name: str, tmp_path: Path):
    (tmp_path / name).write_bytes(b"<html>something else</html>")
    assert confidence(tmp_path / name) == 0


def test_formats_are_listed_as_the_file_dialog_wants_them():
    assert "Topcon OCT (*.fda)" in extensions()


@pytest.mark.parametrize("made", WRITERS)
def test_node_holds_the_scan_where_it_lies(made: str, module: Any, tmp_path: Path):
    path = WRITERS[made](tmp_path)
    done, parent = load(module, path)
    assert done
    node = slicer.mrmlScene.GetNodeByID(parent.loadedNodes[0])
    found, expected = readVolumeNode(node)[0], read_volume(path)
    np.testing.assert_array_equal(found.voxels, expected.voxels)
    np.testing.assert_allclose(found.directions, expected.directions, atol=1e-9)
    if expected.spacing is None:  # .E2E files state no lateral spacing
        assert found.spacing is None
    else:
        np.testing.assert_allclose(found.ijk_to_ras(), expected.ijk_to_ras(), atol=1e-9)
    assert (found.laterality, found.device) == (expected.laterality, expected.device)
    assert found.sources.get("spacing") == expected.sources.get("spacing")


@pytest.mark.parametrize("made", ["vol", "xml"])
def test_bscans_lie_on_the_localizer_where_the_device_put_them(
    made: str, module: Any, tmp_path: Path
):
    path = WRITERS[made](tmp_path)
    scan, localizer = (
        slicer.mrmlScene.GetNodeByID(one) for one in load(module, path)[1].loadedNodes
    )
    stored = read_volume(path).record.localizer
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(localizer)[0], stored.pixels)
    bscans, _, widths = slicer.util.arrayFromVolume(scan).shape
    for at, bscan in ((0, 0), (1, bscans - 1)):
        place = ijkToRas(scan) @ [at * (widths - 1), 0, bscan, 1]
        column, row, _, _ = np.linalg.inv(ijkToRas(localizer)) @ place
        expected = stored.bscan_ends_mm[bscan, at] / stored.spacing_mm[::-1] - 0.5
        np.testing.assert_allclose((column, row), expected, atol=0.02)


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize("made", WRITERS)
def test_slicer_loads_a_dropped_file_by_itself(made: str, tmp_path: Path):
    node = slicer.util.loadNodeFromFile(WRITERS[made](tmp_path), properties={})
    assert node.GetAttribute("RetinaTriage.Laterality") == "OD"


@pytest.mark.usefixtures("module")
def test_scan_of_a_number_is_loaded_by_a_script(tmp_path: Path):
    path = write_e2e(tmp_path / "a.E2E", made_scan(), made_scan((2, 16, 20)))
    node = slicer.util.loadNodeFromFile(path, "RetinalOctFile", {"series": 2, "name": "eye"})
    assert slicer.util.arrayFromVolume(node).shape == (2, 16, 20)
    assert node.GetName() == "eye"


@pytest.mark.usefixtures("module")
def test_reason_of_a_refusal_reaches_the_script(tmp_path: Path):
    (tmp_path / "a.vol").write_bytes(b"HSF-OCT-103" + bytes(100))
    with pytest.raises(RuntimeError, match=r"a\.vol"):
        slicer.util.loadNodeFromFile(tmp_path / "a.vol", properties={})


def test_node_names_no_patient(module: Any, tmp_path: Path):
    _, parent = load(module, WRITERS["e2e"](tmp_path))
    node = slicer.mrmlScene.GetNodeByID(parent.loadedNodes[0])
    said = [node.GetName(), *(node.GetAttribute(name) for name in node.GetAttributeNames())]
    assert not any(name in text for text in said for name in NAMES)


def test_all_scans_of_a_file_are_loaded_unless_one_is_chosen(module: Any, tmp_path: Path):
    path = write_e2e(tmp_path / "a.E2E", made_scan(), made_scan((2, 16, 20)))
    assert len(load(module, path)[1].loadedNodes) == 2
    _, parent = load(module, path, series=2)
    node = slicer.mrmlScene.GetNodeByID(parent.loadedNodes[0])
    assert slicer.util.arrayFromVolume(node).shape == (2, 16, 20)


def test_damaged_file_is_refused_with_its_reason(module: Any, tmp_path: Path):
    path = tmp_path / "a.vol"
    path.write_bytes(b"HSF-OCT-103" + bytes(100))
    done, parent = load(module, path)
    assert not done
    assert "a.vol" in parent.userMessages().GetNthMessageText(0)
    assert slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") == []


def test_unknown_spacing_stays_unknown():
    scan = made_scan()
    node = makeScanNode(OCTVolume(scan.voxels, None, assumed=("Spacing is unknown.",)))
    assert readVolumeNode(node)[0].spacing is None
    assert node.GetAttribute("RetinaTriage.Assumed") == "Spacing is unknown."
