from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_bundle import example_bundle
from fake_worker import LIMIT_SECONDS
from same_fields import assert_same

from RetinaTriageLib.bundle import load_bundle
from RetinaTriageLib.errors import BundleError, DeviceError, InputError
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.inference.ensemble import judge_map
from RetinaTriageLib.networks.patient import Patient, Sex
from RetinaTriageLib.pipeline import TriageOptions, triage
from RetinaTriageLib.progress import Progress, ignore_progress
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.volume import DeviceFamily, Laterality, OCTVolume, VoxelSpacing
from RetinaTriageLib.worker.client import WorkerClient
from RetinaTriageLib.worker.engine import TorchEngine
from RetinaTriageLib.worker.errors import WorkerMemoryError
from RetinaTriageLib.worker.messages import (
    BundleFact,
    CheckBundleRequest,
    DeviceList,
    DevicesRequest,
    Judgement,
    JudgeRequest,
    PatientFacts,
    RunOptions,
    TriageRequest,
)
from RetinaTriageLib.worker.warm_bundle import BundleShelf

SPACING = VoxelSpacing.from_um(120, 4, 12)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    example_bundle(tmp_path / "bundle", segmenters=2, classifiers=2)
    return tmp_path / "bundle"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> TorchEngine:
    monkeypatch.setattr("RetinaTriageLib.inference.allocator.keep_freed_memory", lambda: False)
    made = TorchEngine()
    made.info()
    return made


def example_volume() -> OCTVolume:
    voxels = np.random.default_rng(3).integers(0, 255, (5, 30, 22), dtype=np.uint8)
    return OCTVolume(voxels, SPACING, Laterality.OD, DeviceFamily.CIRRUS)


def without_seconds(result: TriageResult) -> TriageResult:
    return replace(result, provenance=replace(result.provenance, seconds={}))


def test_worker_answers_as_the_library_does(bundle: Path) -> None:
    volume, heard = example_volume(), list[Progress]()
    request = TriageRequest(volume, bundle, RunOptions(compute="cpu"))
    with WorkerClient(sys.executable, start_seconds=LIMIT_SECONDS) as client:
        first = client.submit(request, on_progress=heard.append).wait(LIMIT_SECONDS)
        pid = client.info.pid if client.info is not None else None
        second = client.submit(request).wait(LIMIT_SECONDS)
        judged = client.submit(JudgeRequest(first.consensus, SPACING, bundle)).wait(LIMIT_SECONDS)
        assert client.info is not None
        assert client.info.pid == pid
        assert client.info.devices.devices[-1].compute == "cpu"
    expected = without_seconds(triage(volume, bundle, TriageOptions(compute="cpu")))
    assert_same(without_seconds(first), expected)
    assert_same(without_seconds(second), expected)
    assert [opinion.classifier for opinion in judged.opinions] == ["classifier0", "classifier1"]
    assert Progress("segment", 10, 10) in heard


def test_networks_are_built_once(bundle: Path) -> None:
    shelf = BundleShelf()
    warm = shelf.get(bundle)
    assert shelf.get(bundle) is warm
    assert warm.segmentation_networks() is warm.segmentation_networks()
    assert warm.classification_networks() is warm.classification_networks()
    assert warm.lesion_namer() is warm.lesion_namer()
    shelf.clear()
    assert shelf.get(bundle) is not warm


def test_changed_bundle_is_loaded_and_checked_again(bundle: Path) -> None:
    shelf = BundleShelf()
    shelf.get(bundle)
    manifest = bundle / "bundle.json"
    manifest.write_text(manifest.read_text().replace("Trained on nothing.", "Trained anew."))
    assert shelf.get(bundle).manifest.trained_on == "Trained anew."
    (bundle / "segmenter0.safetensors").write_bytes(b"")
    manifest.write_text(manifest.read_text() + "\n")
    with pytest.raises(BundleError, match="cut off"):
        shelf.get(bundle)


def test_judging_is_that_of_the_library(engine: TorchEngine, bundle: Path) -> None:
    volume, facts = example_volume(), PatientFacts(age_years=80, sex="F")
    tissue_map = np.full(volume.shape, 3, np.uint8)
    found = engine.answer(JudgeRequest(tissue_map, SPACING, bundle, facts, "cpu"), ignore_progress)
    assert isinstance(found, Judgement)
    expected = judge_map(
        tissue_map,
        volume,
        load_bundle(bundle),
        compute=choose_compute("cpu"),
        patient=Patient(80, Sex.FEMALE),
    )
    assert_same(found.opinions, expected)
    referral = np.mean([opinion.scores["referral"] for opinion in expected], axis=0)
    np.testing.assert_allclose(found.verdict.raw["referral"], referral)


def test_bundle_is_checked(engine: TorchEngine, bundle: Path) -> None:
    facts = engine.answer(CheckBundleRequest(bundle), ignore_progress)
    assert BundleFact("trained on", "Trained on nothing.") in facts  # type: ignore[operator]
    with pytest.raises(BundleError, match="Found nothing at"):
        engine.answer(CheckBundleRequest(bundle / "gone"), ignore_progress)


def test_cpu_is_always_a_device(engine: TorchEngine) -> None:
    found = engine.answer(DevicesRequest(), ignore_progress)
    assert isinstance(found, DeviceList)
    assert found.devices[-1].compute == "cpu"
    assert "CPU" in found.devices[-1].title


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (RunOptions(operating_point="lucky"), "operating point 'lucky'; expected one of high-"),
        (RunOptions(classifier_input="raw"), "classifier input 'raw'; expected one of most-likely"),
        (RunOptions(patient=PatientFacts(sex="X")), "sex 'X'; expected one of F, M"),
        (RunOptions(patient=PatientFacts(age_years=900)), "Found age 900 years"),
        (RunOptions(compute="abacus"), "Found device 'abacus'"),
        (RunOptions(slab_bscans=0), "Found a slab of 0 B-scans"),
    ],
)
def test_unusable_options_are_refused(
    engine: TorchEngine, bundle: Path, options: RunOptions, match: str
) -> None:
    with pytest.raises(InputError, match=match):
        engine.answer(TriageRequest(example_volume(), bundle, options), ignore_progress)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("CUDA out of memory."), DeviceError("Found too little memory.")],
)
def test_lack_of_memory_frees_what_was_kept(
    engine: TorchEngine, bundle: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error from (MemoryError() if isinstance(error, DeviceError) else None)

    monkeypatch.setattr("RetinaTriageLib.pipeline.triage", fail)
    with pytest.raises(WorkerMemoryError, match="memory"):
        engine.answer(TriageRequest(example_volume(), bundle), ignore_progress)
    assert engine._shelf is not None
    assert engine._shelf._bundle is None
