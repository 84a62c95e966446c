from pathlib import Path

import numpy as np
import pytest
from example_image_bundle import example_image_bundle

from RetinaTriageLib.bscan_verdict import BscanVerdict
from RetinaTriageLib.errors import BundleError
from RetinaTriageLib.image_classes import Pooling
from RetinaTriageLib.inference.judge_images import judge_bscans
from RetinaTriageLib.progress import ignore_progress
from RetinaTriageLib.volume import OCTVolume
from RetinaTriageLib.worker.engine import TorchEngine
from RetinaTriageLib.worker.folder import ArrayFolder, create_private_folder
from RetinaTriageLib.worker.messages import JudgeBscansRequest
from RetinaTriageLib.worker.operations import (
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)


def volume() -> OCTVolume:
    voxels = np.random.default_rng(0).integers(0, 255, (3, 32, 24), dtype=np.uint8)
    return OCTVolume(voxels, None)


@pytest.fixture
def folder() -> ArrayFolder:
    made = ArrayFolder(create_private_folder(), "answer")
    yield made
    made.remove()


def test_engine_answers_with_the_verdict_of_the_bundle(tmp_path: Path) -> None:
    bundle = example_image_bundle(tmp_path / "b", attention=2)
    request = JudgeBscansRequest(volume(), tmp_path / "b", Pooling.ATTENTION, compute="cpu")
    verdict = TorchEngine().answer(request, ignore_progress)
    assert isinstance(verdict, BscanVerdict)
    expected = judge_bscans(request.volume, bundle, Pooling.ATTENTION)
    assert np.allclose(verdict.scores, expected.scores, atol=1e-6)


def test_request_and_answer_survive_the_way(tmp_path: Path, folder: ArrayFolder) -> None:
    bundle = example_image_bundle(tmp_path / "b")
    request = JudgeBscansRequest(volume(), tmp_path / "b")
    back = decode_request("judge_bscans", encode_request(request, folder), folder)
    assert back.bundle == request.bundle
    assert back.pooling is None
    verdict = judge_bscans(request.volume, bundle)
    same = decode_answer(request, encode_answer(request, verdict, folder), folder)
    assert same.task == verdict.task
    assert same.answer == verdict.answer
    assert np.array_equal(same.bscans, verdict.bscans)


def test_bundle_of_tissue_maps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="Found nothing"):
        TorchEngine().answer(JudgeBscansRequest(volume(), tmp_path / "none"), ignore_progress)
