"""Results in the scene, of scans that their nodes store in different ways."""

from __future__ import annotations

from typing import Any

import numpy as np
from example_result import example_result, result_from_maps
from RetinaTriageSlicer.scene import ResultNodes, showResult
from RetinaTriageSlicer.volume_node import readVolumeNode
from volume_nodes import volume_node

from RetinaTriageLib.result import TriageResult


def shown(**stored: Any) -> tuple[ResultNodes, TriageResult, Any]:
    """Example result in the scene, of a node that stores its scan in some way."""
    known = example_result()
    node = volume_node(known.volume, **stored)
    node.SetAttribute("RetinaTriage.Laterality", "OD")
    volume, grid = readVolumeNode(node)
    signs = np.sign(np.diag(known.volume.directions.T @ volume.directions)).astype(int)
    maps = [
        np.ascontiguousarray(h.tissue_map[:: signs[2], :, :: signs[0]]) for h in known.hypotheses
    ]
    result = result_from_maps(volume, maps)
    return showResult(result, node, grid), result, node
