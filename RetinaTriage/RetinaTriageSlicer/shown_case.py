"""The case that the panel shows: nodes of a result with the scan and the tissue maps behind them.

Everything is read from the scene, so it works for a scene that was saved and opened again, and
without torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from RetinaTriageLib.tissues import TISSUES, Tissue
from RetinaTriageLib.volume import LabelArray, OCTVolume
from RetinaTriageSlicer.browser_scan import mapScan
from RetinaTriageSlicer.bundle_of_result import findBundle
from RetinaTriageSlicer.edited_map import mergedLabels
from RetinaTriageSlicer.node_grid import NodeGrid
from RetinaTriageSlicer.parameters import BundleChoice, RetinaTriageParameterNode
from RetinaTriageSlicer.provenance import PREFIX
from RetinaTriageSlicer.run_settings import bundlePath
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.volume_node import StatedGeometry, readVolumeNode


@dataclass(frozen=True)
class ShownCase:
    """A result of the scene with its scan.

    Attributes
    ----------
    bundle : folder or zip of the bundle that made the result; None where it is not at hand
    """

    nodes: ResultNodes
    volume: OCTVolume
    grid: NodeGrid
    tissues: tuple[Tissue, ...]
    bundle: Path | None

    @property
    def volumeNode(self) -> Any:
        """Volume node of the scan."""
        return self.nodes.volumeNode

    def labels(self, segmentationNode: Any) -> LabelArray:
        """Tissue map of a segmentation of this scan, uint8 array (B-scan, depth, width)."""
        return tissueLabels(segmentationNode, self.volumeNode, self.grid, self.tissues)


def readCase(nodes: ResultNodes, parameters: RetinaTriageParameterNode | None) -> ShownCase:
    """Read the scan of a result as the run took it: eye side, distances and axes as it states.

    Raises
    ------
    RetinaTriageError
        If the volume cannot be read.
    """
    scan = mapScan(nodes.consensus)
    stated = StatedGeometry(
        spacing=scan.spacing, laterality=scan.place.laterality, bscanAxis=scan.grid.axes[0]
    )
    volume, grid = readVolumeNode(nodes.volumeNode, stated)
    return ShownCase(nodes, volume, grid, TISSUES, bundleOf(nodes, parameters))


def bundleOf(nodes: ResultNodes, parameters: RetinaTriageParameterNode | None) -> Path | None:
    """Path of the bundle that made a result, where it is the chosen one or a shipped one."""
    chosen = None
    if parameters is not None and (
        parameters.bundleChoice is BundleChoice.SHIPPED or parameters.bundlePath.strip()
    ):
        chosen = bundlePath(parameters)
    return findBundle(nodes.consensus.GetAttribute(PREFIX + "BundleSha256") or "", chosen)


def bundleName(nodes: ResultNodes) -> str:
    """Name of the bundle that made a result, as the result states it."""
    return nodes.consensus.GetAttribute(PREFIX + "Bundle") or _("unknown")


def tissueLabels(
    segmentationNode: Any, volumeNode: Any, grid: NodeGrid, tissues: tuple[Tissue, ...]
) -> LabelArray:
    """Tissue map of a segmentation, uint8 array (B-scan, depth, width); the rest is label 0.

    Segments are told by their ids, which are names of tissues; where they overlap, the one farther
    down in Slicer's list wins.
    """
    labels = {tissue.name: tissue.label for tissue in tissues}
    ids = segmentationNode.GetSegmentation().GetSegmentIDs()
    reference = slicer.vtkSlicerSegmentationsModuleLogic.CreateOrientedImageDataFromVolumeNode(
        volumeNode, segmentationNode.GetParentTransformNode()
    )
    reference.UnRegister(None)  # it is ours, as Slicer's own code says
    known = {name: labels[name] for name in ids if name in labels}
    return grid.fromNode(mergedLabels(segmentationNode, known, reference))
