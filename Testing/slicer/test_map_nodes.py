from pathlib import Path

import numpy as np
import slicer
from example_result import example_result
from RetinaTriageSlicer.map_nodes import THICKNESS, UM, EnFaceMap, makeMapNode
from RetinaTriageSlicer.volume_node import readVolumeNode
from volume_nodes import volume_node

PARTLY_KNOWN = np.array([[np.nan, 178.09682], [250.0, 425.88375]], dtype=np.float32)


def test_values_of_an_opened_map_are_shown_and_gaps_are_not(tmp_path: Path):
    scan = volume_node(example_result().volume)
    _volume, grid = readVolumeNode(scan)
    thickness = EnFaceMap("retina", "Thickness", PARTLY_KNOWN, UM, THICKNESS, (100.0, 500.0))
    makeMapNode("thickness", thickness, grid, 16, scan)
    assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    display = slicer.util.getNode("thickness").GetDisplayNode()
    assert display.GetApplyThreshold()
    assert display.GetLowerThreshold() < 178 < 426 < display.GetUpperThreshold() < 1000
