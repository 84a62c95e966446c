from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from example_result import example_result, result_from_maps
from RetinaTriageSlicer import scene
from RetinaTriageSlicer.hierarchy import subjectHierarchy
from RetinaTriageSlicer.provenance import INPUT_ROLE, PREFIX
from RetinaTriageSlicer.scene import ResultNodes, findResults, removeResult, showResult
from RetinaTriageSlicer.thickness_colors import COLORS
from RetinaTriageSlicer.volume_node import ijkToRas, readVolumeNode
from shown_results import shown
from volume_nodes import volume_node

from RetinaTriageLib.result import TriageResult

CYST = "intraretinal_fluid"


def cyst_center(nodes: ResultNodes) -> np.ndarray:
    """Center of mass in RAS, in mm."""
    volume = nodes.volumeNode
    kji = np.argwhere(voxels_of(nodes.consensus, CYST, volume)).mean(0)
    return (ijkToRas(volume) @ [*kji[::-1], 1])[:3]


def voxels_of(node: Any, segment: str, volume: Any) -> np.ndarray:
    return slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, volume)


def test_one_segmentation_per_hypothesis_and_one_of_their_consensus():
    nodes, result, _ = shown()
    assert len(nodes.hypotheses) == len(result.hypotheses)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 4


def test_segment_ids_are_the_tissue_names_present_or_not():
    nodes, result, _ = shown()
    names = [tissue.name for tissue in result.vocabulary.tissues if tissue.label != 0]
    for node in (nodes.consensus, *nodes.hypotheses):
        assert list(node.GetSegmentation().GetSegmentIDs()) == names


def test_segments_share_one_layer():
    nodes, _, _ = shown()
    assert nodes.consensus.GetSegmentation().GetNumberOfLayers() == 1


def test_segments_hold_the_voxels_of_the_map():
    nodes, result, volume = shown()
    for node, hypothesis in zip(nodes.hypotheses, result.hypotheses, strict=True):
        cyst = voxels_of(node, CYST, volume)
        assert np.array_equal(cyst, hypothesis.tissue_map == 4)


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize(("flipped", "turned"), [((), 0.0), ((0, 1), 0.0), ((2,), 25.0)])
def test_result_overlays_however_the_scan_is_stored(axes: Any, flipped: Any, turned: float):
    plain, _, _ = shown(turned_degrees=turned)
    center, size = cyst_center(plain), _cyst_mm3(plain)
    slicer.mrmlScene.Clear(False)
    nodes, _, _ = shown(axes=axes, flipped=flipped, turned_degrees=turned)
    assert cyst_center(nodes) == pytest.approx(center, abs=1e-6)
    assert _cyst_mm3(nodes) == pytest.approx(size)


def test_result_follows_the_transform_of_its_volume():
    known = example_result()
    node = volume_node(known.volume)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    node.SetAndObserveTransformNodeID(transform.GetID())
    volume, grid = readVolumeNode(node)
    nodes = showResult(result_from_maps(volume, [known.consensus]), node, grid)
    moved = [nodes.consensus, *nodes.maps.values()]
    assert {one.GetTransformNodeID() for one in moved} == {transform.GetID()}


def test_reference_geometry_is_that_of_the_volume():
    nodes, _, volume = shown(axes=(2, 1, 0))
    image = slicer.vtkOrientedImageData()
    segmentation = nodes.consensus.GetSegmentation()
    text = segmentation.GetConversionParameter(
        slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    )
    slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, image)
    assert image.GetDimensions() == volume.GetImageData().GetDimensions()
    reference = nodes.consensus.GetNodeReference("referenceImageGeometryRef")
    assert reference is volume


def test_terminology_and_color_are_those_of_the_vocabulary():
    nodes, result, _ = shown()
    logic = slicer.modules.terminologies.logic()
    for tissue in result.vocabulary.tissues[1:]:
        segment = nodes.consensus.GetSegmentation().GetSegment(tissue.name)
        entry = slicer.vtkSlicerTerminologyEntry()
        assert logic.DeserializeTerminologyEntry(segment.GetTerminology(), entry)
        assert entry.GetTypeObject().GetCodeMeaning() == tissue.code.meaning
        assert segment.GetColor() == pytest.approx([level / 255 for level in tissue.color])


def test_all_nodes_stand_in_one_folder_beside_the_volume():
    nodes, _, volume = shown()
    tree = subjectHierarchy()
    folders = {tree.GetItemParent(tree.GetItemByDataNode(node)) for node in nodes.nodes}
    (folder,) = folders
    assert tree.GetItemName(folder) == "example_eye RetinaTriage"
    assert tree.GetItemParent(folder) == tree.GetItemParent(tree.GetItemByDataNode(volume))


def test_tables_carry_units():
    nodes, _, _ = shown()
    units = {
        (key, column): nodes.tables[key].GetColumnUnitLabel(column)
        for key, column in (
            ("tissues", "volume_nl"),
            ("tissues", "area_mm2"),
            ("etdrs", "thickness_um"),
            ("etdrs", "volume_mm3"),
        )
    }
    assert list(units.values()) == ["nL", "mm2", "um", "mm3"]


def test_score_table_holds_the_verdict():
    nodes, result, _ = shown()
    table = nodes.tables["scores"]
    scores = slicer.util.arrayFromTableColumn(table, "reweighted")
    assert scores[0] == pytest.approx(result.verdict.scores["referral"][0])
    assert table.GetCellText(0, 1) == "urgent"
    assert "Research use only" in table.GetDescription()


def test_measured_volume_is_that_of_the_segment():
    nodes, _, volume = shown()
    table = nodes.tables["tissues"]
    rows = range(table.GetNumberOfRows())
    row = next(r for r in rows if [table.GetCellText(r, c) for c in (0, 2)] == [CYST, "all"])
    voxel_mm3 = float(np.prod(volume.GetSpacing()))
    counted = voxels_of(nodes.consensus, CYST, volume).sum() * voxel_mm3
    assert float(slicer.util.arrayFromTableColumn(table, "volume_mm3")[row]) == pytest.approx(
        counted
    )


def test_thickness_map_covers_every_coronal_slice_of_the_scan():
    nodes, _, volume = shown()
    scan, mapped = np.zeros(6), np.zeros(6)
    volume.GetRASBounds(scan)
    nodes.maps["retina"].GetRASBounds(mapped)
    assert mapped == pytest.approx(scan)


def test_thickness_map_has_unit_and_legend():
    nodes, _, _ = shown()
    node = nodes.maps["retina"]
    assert node.GetVoxelValueUnits().GetCodeValue() == "um"
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(node)
    assert legend.GetTitleText() == "Retinal thickness (µm)"


def test_unmeasured_parts_have_no_nodes():
    known = example_result()
    node = volume_node(known.volume)  # laterality is unknown
    volume, grid = readVolumeNode(node)
    nodes = showResult(result_from_maps(volume, [known.consensus]), node, grid)
    assert "etdrs" not in nodes.tables
    assert "laterality is unknown" in nodes.consensus.GetAttribute(PREFIX + "Notes")


def test_every_node_says_where_it_comes_from():
    nodes, result, volume = shown()
    for node in nodes.nodes:
        assert node.GetAttribute(PREFIX + "BundleSha256") == result.provenance.bundle_sha256
        assert node.GetNodeReference(INPUT_ROLE) is volume


def test_saved_scene_has_everything_when_opened_again(tmp_path: Path):
    before, result, _ = shown(axes=(0, 2, 1))
    size = _cyst_mm3(before)
    assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
    slicer.mrmlScene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    (nodes,) = findResults()
    assert len(nodes.hypotheses) == len(result.hypotheses)
    assert set(nodes.tables) == set(before.tables)
    assert set(nodes.maps) == set(before.maps)
    assert nodes.volumeNode.GetName() == "example_eye"
    assert _cyst_mm3(nodes) == pytest.approx(size)
    assert nodes.tables["tissues"].GetColumnUnitLabel("volume_nl") == "nL"
    colors = nodes.maps["retina"].GetDisplayNode().GetColorNode()
    assert colors.GetNumberOfColors() == COLORS


def test_reopened_scene_keeps_legend_codes_provenance_and_folder(tmp_path: Path):
    before, result, _ = shown()
    cyst = before.consensus.GetSegmentation().GetSegment(CYST).GetTerminology()
    assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
    slicer.mrmlScene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    (nodes,) = findResults()
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(nodes.maps["retina"])
    assert legend.GetTitleText().startswith("Retinal thickness")
    assert nodes.consensus.GetSegmentation().GetSegment(CYST).GetTerminology() == cyst
    assert nodes.consensus.GetAttribute(PREFIX + "BundleSha256") == result.provenance.bundle_sha256
    tree = subjectHierarchy()
    folders = {tree.GetItemParent(tree.GetItemByDataNode(node)) for node in nodes.nodes}
    assert [tree.GetItemName(folder) for folder in folders] == ["example_eye RetinaTriage"]


def test_removed_result_leaves_the_scene_as_it_was():
    known = example_result()
    node = volume_node(known.volume)
    volume, grid = readVolumeNode(node)
    before = _scene_state()
    removeResult(showResult(result_from_maps(volume, [known.consensus]), node, grid))
    assert _scene_state() == before


def test_failure_half_way_leaves_the_scene_as_it_was(monkeypatch: pytest.MonkeyPatch):
    known = example_result()
    node = volume_node(known.volume)
    volume, grid = readVolumeNode(node)
    result = result_from_maps(volume, [known.consensus])
    before = _scene_state()
    monkeypatch.setattr(scene, "enFaceMaps", _fail)
    with pytest.raises(MemoryError):
        showResult(result, node, grid)
    assert _scene_state() == before


def _fail(_result: TriageResult) -> None:
    raise MemoryError


def _cyst_mm3(nodes: ResultNodes) -> float:
    volume = nodes.volumeNode
    return float(voxels_of(nodes.consensus, CYST, volume).sum() * np.prod(volume.GetSpacing()))


def _scene_state() -> tuple[list[str], int]:
    kinds = ("Segmentation", "Table", "ScalarVolume", "ColorLegendDisplay", "SegmentationDisplay")
    classes = [f"vtkMRML{kind}Node" for kind in kinds]
    nodes = [node.GetID() for kind in classes for node in slicer.util.getNodesByClass(kind)]
    items = vtk.vtkIdList()
    tree = subjectHierarchy()
    tree.GetItemChildren(tree.GetSceneItemID(), items, True)
    return nodes, items.GetNumberOfIds()
