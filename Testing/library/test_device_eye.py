from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from example_bundle import example_bundle

from RetinaTriageLib.evaluation.device_eye import (
    DeviceEye,
    device_eye,
    eye_checks,
    eyes_json,
    eyes_text,
)
from RetinaTriageLib.evaluation.device_table import DeviceComparison
from RetinaTriageLib.evaluation.ensemble_runs import EnsembleRuns
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.inference.ensemble import EnsembleOutput
from RetinaTriageLib.measures.etdrs_grid import SECTORS
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.volume import (
    DeviceRecord,
    DeviceThicknessTable,
    Laterality,
    OCTVolume,
    VoxelSpacing,
)

TABLE = dict.fromkeys(SECTORS, 300.0)


def eye(name: str, drusen: float, drusenoid_nl: float, *, healthy: bool) -> DeviceEye:
    comparison = DeviceComparison(name, TABLE, TABLE, 8.0, 8.0, ("ours", "theirs"))
    return DeviceEye(comparison, drusen, drusen, drusenoid_nl, 0.5, "observation", healthy)


def test_healthy_eyes_are_told_from_the_others() -> None:
    eyes = [eye("amd", 0.6, 50, healthy=False), eye("well", 0.2, 3, healthy=True)]
    assert [check.holds for check in eye_checks(eyes)] == [True, True, True, True]
    assert "holds: drusen score" in eyes_text(eyes)


def test_what_does_not_hold_is_said() -> None:
    worse = replace(eye("well", 0.7, 3, healthy=True), fluid_nl=1.5, referral="routine")
    checks = list(eye_checks([eye("amd", 0.6, 50, healthy=False), worse]))
    assert [check.holds for check in checks] == [False, True, False, False]
    assert checks[2].found == "at most 1.50 nl"


def test_nothing_is_checked_without_healthy_eyes() -> None:
    eyes = [replace(eye("amd", 0.6, 50, healthy=False), healthy=None)]
    assert eyes_json(eyes)["checks"] == []


def test_volumes_and_scores_are_those_of_the_ensemble(tmp_path: pytest.TempPathFactory) -> None:
    shape, spacing = (27, 32, 140), VoxelSpacing(0.24, 0.01, 0.047)
    consensus = np.full(shape, 11, np.uint8)
    consensus[:, :2], consensus[:, 2:30] = 0, 3
    consensus[0, 10, :10], consensus[0, 25, :4] = 4, 8
    voxels = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    record = DeviceRecord(thickness_table=DeviceThicknessTable(TABLE, 8.0, (13.0, 69.5), "lines"))
    volume = OCTVolume(voxels, spacing, Laterality.OD, name="eye", record=record)
    runs = EnsembleRuns(example_bundle(tmp_path / "bundle"), choose_compute("cpu"))
    opinions = runs.run(replace(volume, voxels=voxels[:3])).opinions
    output = EnsembleOutput((consensus,), consensus, opinions, "cpu", ())
    found = device_eye(volume, output, runs)
    assert found.fluid_nl == pytest.approx(10 * 0.24 * 10 * 0.047)
    assert found.drusenoid_nl == pytest.approx(4 * 0.24 * 10 * 0.047)
    verdict = runs.verdict(output, OperatingPoint.BALANCED)
    assert found.referral == verdict.decisions["referral"][0]
    assert found.comparison.ours_um["C0"] == pytest.approx(280, abs=0.1)
