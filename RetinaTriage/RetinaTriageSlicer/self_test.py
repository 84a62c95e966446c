"""Self test of the module, for Reload and Test: seconds where torch is missing, else a minute."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest
from slicer.util import arrayFromVolume, updateVolumeFromArray

from RetinaTriageSlicer.logic import RetinaTriageLogic

BSCANS = 3  # of the sample scan, around its fovea, so that a run takes seconds


class RetinaTriageTest(ScriptedLoadableModuleTest):
    """Runs on the sample scan that comes with the module, without network and GPU."""

    def setUp(self) -> None:
        """Start with an empty scene."""
        slicer.mrmlScene.Clear(False)

    def runTest(self, **_options: Any) -> None:
        """Run all tests."""
        for check in (
            self.test_parametersAreKeptInTheScene,
            self.test_sampleScanIsUnderstood,
            self.test_badInputIsRefusedWithoutADialog,
            self.test_sampleScanIsRun,
        ):
            self.setUp()
            check()
        self.delayDisplay("All tests passed")

    def test_parametersAreKeptInTheScene(self) -> None:
        """A bundle chosen in the panel is found again in the parameter node."""
        RetinaTriageLogic().getParameterNode().bundlePath = "bundle.zip"
        assert RetinaTriageLogic().getParameterNode().bundlePath == "bundle.zip"

    def test_sampleScanIsUnderstood(self) -> None:
        """Axes, spacing and eye of the sample scan are those that it was drawn with."""
        from RetinaTriageSlicer.sample_data import loadSample
        from RetinaTriageSlicer.volume_node import readVolumeNode

        volume, _grid = readVolumeNode(loadSample())
        assert volume.shape == (25, 496, 512)
        assert round(volume.require_spacing().bscan_mm, 4) == 0.244
        assert volume.laterality.value == "OD"

    def test_badInputIsRefusedWithoutADialog(self) -> None:
        """An empty volume raises an error that names it, and adds nothing."""
        from RetinaTriageLib.errors import InputError

        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
        before = slicer.mrmlScene.GetNumberOfNodes()
        with self.assertRaisesRegex(InputError, "empty holds no voxels"):  # noqa: PT027 - Slicer has no pytest
            RetinaTriageLogic().process(node)
        assert slicer.mrmlScene.GetNumberOfNodes() == before

    def test_sampleScanIsRun(self) -> None:
        """A part of the sample scan gives a result, where all packages are installed."""
        from RetinaTriageSlicer.sample_data import loadSample

        logic = RetinaTriageLogic()
        if not all(need.fits for need in logic.needs()):
            self.delayDisplay("Packages are missing, so no network was run")
            return
        node = loadSample()
        middle = node.GetImageData().GetDimensions()[2] // 2
        updateVolumeFromArray(node, arrayFromVolume(node)[middle - 1 : middle - 1 + BSCANS].copy())
        try:
            nodes = logic.process(node, compute="cpu")
        finally:
            logic.close()
        assert nodes.volumeNode == node
        assert nodes.tables["scores"].GetNumberOfRows() > 0
