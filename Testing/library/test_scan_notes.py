from __future__ import annotations

from dataclasses import replace

import numpy as np
from example_bundle import example_manifest

from RetinaTriageLib.bundle_manifest import LineScans
from RetinaTriageLib.calibration import Calibration
from RetinaTriageLib.inference.scan_notes import scan_notes
from RetinaTriageLib.volume import DeviceFamily, OCTVolume, VoxelSpacing


def test_points_of_line_scans_take_the_warning_back() -> None:
    voxels = np.random.default_rng(3).integers(0, 255, (1, 30, 22), dtype=np.uint8)
    bscan = OCTVolume(voxels, VoxelSpacing.from_um(120, 4, 12), device=DeviceFamily.CIRRUS)
    own = replace(example_manifest(), line_scans=LineScans(Calibration()))
    (warned,) = scan_notes(bscan, example_manifest(), None)
    (noted,) = scan_notes(bscan, own, None)
    assert "what is called may be wrong" in warned
    assert "operating points are those of such scans" in noted
    assert "what is called may be wrong" not in noted
