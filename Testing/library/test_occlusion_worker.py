"""Occlusion test through the worker's engine and its messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_bundle import example_bundle
from example_image_bundle import example_image_bundle
from same_fields import assert_same

from RetinaTriageLib.explain.bundle_occlusion import occlude_bscan
from RetinaTriageLib.explain.lone_bscan import lone_bscan
from RetinaTriageLib.explain.occlusion_map import OcclusionBox, OcclusionMap
from RetinaTriageLib.explain.picture_occlusion import OcclusionPlan
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.progress import ignore_progress
from RetinaTriageLib.volume import OCTVolume, VoxelSpacing
from RetinaTriageLib.worker.engine import TorchEngine
from RetinaTriageLib.worker.folder import ArrayFolder
from RetinaTriageLib.worker.messages import OccludeRequest
from RetinaTriageLib.worker.operations import (
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)


def bscan() -> OCTVolume:
    voxels = np.random.default_rng(3).integers(0, 255, (3, 30, 22), dtype=np.uint8)
    return lone_bscan(OCTVolume(voxels, VoxelSpacing.from_um(120, 4, 12)), 1)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> TorchEngine:
    monkeypatch.setattr("RetinaTriageLib.inference.allocator.keep_freed_memory", lambda: False)
    made = TorchEngine()
    made.info()
    return made


@pytest.mark.parametrize(
    ("make", "score"), [(example_bundle, "referral.urgent"), (example_image_bundle, "CNV")]
)
def test_engine_answers_as_the_library_does(
    engine: TorchEngine, make: Any, score: str, tmp_path: Path
) -> None:
    bundle = make(tmp_path / "bundle")
    box = OcclusionBox(20, 20, 0.25)
    request = OccludeRequest(bscan(), score, tmp_path / "bundle", compute="cpu", box=box)
    found = engine.answer(request, ignore_progress)
    plan = OcclusionPlan(box=box)
    assert_same(found, occlude_bscan(bscan(), bundle, score, plan, compute=choose_compute("cpu")))


def test_request_and_answer_survive_their_message(tmp_path: Path) -> None:
    request = OccludeRequest(bscan(), "CNV", Path("bundle"), box=OcclusionBox(8, 8, 0.5))
    arrays = ArrayFolder(tmp_path, "request")
    assert_same(decode_request("occlude", encode_request(request, arrays), arrays), request)
    drop = np.linspace(0, 1, 30 * 22, dtype=np.float32).reshape(30, 22)
    answer = OcclusionMap(0.8, drop, drop > 0.5, 7)
    assert_same(decode_answer(request, encode_answer(request, answer, arrays), arrays), answer)
