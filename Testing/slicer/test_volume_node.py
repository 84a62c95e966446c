from dataclasses import astuple
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import slicer
from example_result import SMALL, example_map, example_volume
from RetinaTriageSlicer.volume_node import DEVICE, LATERALITY, StatedGeometry, readVolumeNode
from volume_nodes import volume_node

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.volume import DeviceFamily, Laterality, OCTVolume, VoxelSpacing


def example() -> OCTVolume:
    return example_volume(SMALL, example_map(SMALL, 0))


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("flipped", [(), (0,), (1, 2), (0, 1, 2)])
def test_stored_order_does_not_change_the_scan(axes: tuple[int, ...], flipped: tuple[int, ...]):
    known = example()
    volume, _ = readVolumeNode(volume_node(known, axes=axes, flipped=flipped))
    signs = np.sign(np.diag(volume.directions[[0, 1, 2]] @ known.directions.T))
    voxels = volume.voxels[:: int(signs[2]), :, :: int(signs[0])]
    assert np.array_equal(voxels, known.voxels)
    assert np.allclose(astuple(volume.require_spacing()), astuple(known.require_spacing()))


@pytest.mark.parametrize("flipped", [(), (1,)])
def test_a_map_returns_to_the_places_of_its_voxels(flipped: tuple[int, ...]):
    node = volume_node(example(), axes=(2, 0, 1), flipped=flipped)
    volume, grid = readVolumeNode(node)
    assert np.array_equal(grid.toNode(volume.voxels), slicer.util.arrayFromVolume(node))


def test_oblique_scan_keeps_its_directions():
    volume, _ = readVolumeNode(volume_node(example(), turned_degrees=20))
    width = volume.directions[:, 0]
    assert np.degrees(np.arctan2(-width[1], -width[0])) == pytest.approx(20)


def test_unit_spacing_is_unknown_spacing():
    node = volume_node(example())
    node.SetSpacing(1, 1, 1)
    volume, _ = readVolumeNode(node)
    assert volume.spacing is None
    assert "state it in Scan geometry" in volume.assumed[0]


def test_stated_spacing_replaces_an_unknown_one():
    node = volume_node(example())
    node.SetSpacing(1, 1, 1)
    spacing = VoxelSpacing(0.12, 0.004, 0.012)
    volume, _ = readVolumeNode(node, StatedGeometry(spacing=spacing))
    assert volume.spacing == spacing
    assert volume.sources["spacing"] == "user"


def test_rows_towards_anterior_are_turned_and_said_so():
    node = slicer.util.addVolumeFromArray(example().voxels)
    node.SetSpacing(0.0577, 0.015, 0.4615)
    volume, grid = readVolumeNode(node)
    assert grid.depthReversed
    assert np.array_equal(volume.voxels, example().voxels[:, ::-1])
    assert any("depth was reversed" in sentence for sentence in volume.assumed)


def test_file_without_orientation_has_its_first_row_on_top(tmp_path: Path):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(example().voxels), tmp_path / "scan.mha")
    volume, _ = readVolumeNode(slicer.util.loadVolume(str(tmp_path / "scan.mha")))
    assert np.array_equal(volume.voxels, example().voxels)


def test_laterality_and_scanner_come_from_attributes():
    node = volume_node(example())
    node.SetAttribute(LATERALITY, "OS")
    node.SetAttribute(DEVICE, "cirrus")
    volume, _ = readVolumeNode(node)
    assert (volume.laterality, volume.device) == (Laterality.OS, DeviceFamily.CIRRUS)


def test_unknown_laterality_stays_unknown():
    volume, _ = readVolumeNode(volume_node(example()))
    assert volume.laterality is None


def test_wrong_laterality_is_refused():
    node = volume_node(example())
    node.SetAttribute(LATERALITY, "left")
    with pytest.raises(InputError, match="expected one of OD, OS"):
        readVolumeNode(node)


def test_node_without_voxels_is_refused():
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    with pytest.raises(InputError, match="empty holds no voxels"):
        readVolumeNode(node)


def test_label_map_is_refused():
    array = example_map(SMALL, 0)
    node = slicer.util.addVolumeFromArray(array, nodeClassName="vtkMRMLLabelMapVolumeNode")
    with pytest.raises(InputError, match="is a label map"):
        readVolumeNode(node)


def test_stated_bscan_axis_decides():
    cube = OCTVolume(
        np.arange(17 * 18 * 19, dtype=np.uint16).reshape(17, 18, 19),
        VoxelSpacing(0.012, 0.0119, 0.0121),
    )
    volume, grid = readVolumeNode(volume_node(cube, axes=(1, 0, 2)), StatedGeometry(bscanAxis=1))
    assert grid.axes[0] == 1
    assert volume.shape == (17, 18, 19)
