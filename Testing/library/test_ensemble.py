from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from example_bundle import (
    SEGMENTATION,
    example_bundle,
    example_manifest,
    example_weights,
    random_network,
)

from RetinaTriageLib.bundle import Bundle, save_bundle
from RetinaTriageLib.bundle_manifest import SpacingLimits
from RetinaTriageLib.errors import CancelledError, DeviceError, InputError
from RetinaTriageLib.inference import ensemble
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.ensemble import judge_map, run_ensemble
from RetinaTriageLib.inference.segment import most_likely, segment
from RetinaTriageLib.networks.classifier_input import ClassifierInput
from RetinaTriageLib.networks.gray import normalize
from RetinaTriageLib.networks.patient import Patient
from RetinaTriageLib.networks.segmentation import SegmentationNetwork
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.volume import DeviceFamily, OCTVolume, VoxelSpacing

CPU = Compute("cpu", "float32", 1, "test CPU")
SPACING = VoxelSpacing.from_um(120, 4, 12)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return example_bundle(tmp_path / "bundle", segmenters=3, classifiers=2)


def example_volume(bscans: int = 7) -> OCTVolume:
    voxels = np.random.default_rng(3).integers(0, 255, (bscans, 30, 22), dtype=np.uint8)
    return OCTVolume(voxels, SPACING, device=DeviceFamily.CIRRUS)


def test_answers_are_s_maps_and_s_times_c_opinions(bundle: Bundle) -> None:
    output = run_ensemble(example_volume(), bundle, compute=CPU)
    assert [tissue_map.shape for tissue_map in output.tissue_maps] == [(7, 30, 22)] * 3
    assert output.consensus.dtype == np.uint8
    assert [[o.classifier for o in own] for own in output.opinions] == [
        ["classifier0", "classifier1"]
    ] * 3
    assert output.compute == "test CPU"
    assert output.notes == ()


def test_maps_are_those_of_the_networks_on_the_whole_volume(bundle: Bundle) -> None:
    volume = example_volume()
    output = run_ensemble(volume, bundle, compute=CPU)
    gray = torch.from_numpy(normalize(volume.voxels))[None]
    mean = torch.zeros(15, *volume.shape)
    for network, tissue_map in zip(bundle.segmentation_networks(), output.tissue_maps, strict=True):
        probabilities = network(gray, "cirrus")[0].softmax(dim=0)
        mean += probabilities / 3
        assert (probabilities.argmax(dim=0).numpy() == tissue_map).mean() > 0.9999
    assert (mean.argmax(dim=0).numpy() == output.consensus).mean() > 0.9999


@pytest.mark.parametrize("source", ClassifierInput)
def test_result_does_not_depend_on_the_slab(bundle: Bundle, source: ClassifierInput) -> None:
    volume = example_volume()
    whole, *others = (
        run_ensemble(volume, bundle, compute=CPU, slab_bscans=slab, classifier_input=source)
        for slab in (99, 1, 2, 3, 4)
    )
    for other in others:
        np.testing.assert_array_equal(other.tissue_maps, whole.tissue_maps)
        np.testing.assert_array_equal(other.consensus, whole.consensus)
        assert_same_opinions(other.opinions, whole.opinions)


def assert_same_opinions(found, expected) -> None:
    for ours, theirs in zip(sum(found, ()), sum(expected, ()), strict=True):
        assert ours.classifier == theirs.classifier
        for head in theirs.scores:
            np.testing.assert_allclose(ours.scores[head], theirs.scores[head], atol=1e-5)


def test_networks_of_unequal_context_agree_on_the_consensus(tmp_path: Path) -> None:
    manifest = example_manifest(segmenters=3)
    far = replace(SEGMENTATION, channels=(4, 8, 8), slice_levels=(1, 2))
    weights = example_weights(manifest)
    weights["segmenter0"] = random_network(SegmentationNetwork(far), 9).state_dict()
    entry = replace(manifest.segmenters[0], config=asdict(far))
    draft = replace(manifest, segmenters=(entry, *manifest.segmenters[1:]))
    bundle = save_bundle(tmp_path / "bundle", draft, weights, "# Card")
    whole = run_ensemble(example_volume(), bundle, compute=CPU, slab_bscans=99)
    for slab in (1, 2):
        output = run_ensemble(example_volume(), bundle, compute=CPU, slab_bscans=slab)
        np.testing.assert_array_equal(output.consensus, whole.consensus)


def test_consensus_of_one_network_is_its_map(tmp_path: Path) -> None:
    output = run_ensemble(example_volume(), example_bundle(tmp_path / "bundle"), compute=CPU)
    np.testing.assert_array_equal(output.consensus, output.tissue_maps[0])


def test_single_bscan_is_answered(bundle: Bundle) -> None:
    output = run_ensemble(example_volume(bscans=1), bundle, compute=CPU)
    assert output.consensus.shape == (1, 30, 22)


def test_sampled_input_follows_its_seed(bundle: Bundle) -> None:
    first, same, other = (
        run_ensemble(
            example_volume(),
            bundle,
            compute=CPU,
            classifier_input=ClassifierInput.SAMPLED,
            seed=seed,
        )
        .opinions[0][0]
        .scores["referral"]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_exclusive_heads_add_up_to_one_and_others_need_not(bundle: Bundle) -> None:
    scores = run_ensemble(example_volume(), bundle, compute=CPU).opinions[0][0].scores
    assert scores["referral"].dtype == np.float64
    assert scores["referral"].sum() == pytest.approx(1, abs=1e-6)
    assert scores["conditions"].sum() != pytest.approx(1, abs=1e-3)


def test_unedited_map_judged_alone_gets_the_same_opinions(bundle: Bundle) -> None:
    volume = example_volume()
    output = run_ensemble(volume, bundle, compute=CPU)
    again = judge_map(output.tissue_maps[1], volume, bundle, compute=CPU)
    assert_same_opinions((again,), (output.opinions[1],))


def test_edited_map_changes_the_opinions(bundle: Bundle) -> None:
    volume = example_volume()
    edited = np.full(volume.shape, 3, np.uint8)
    before = judge_map(edited, volume, bundle, compute=CPU)[0].scores["conditions"]
    edited[2:5, 10:20, 5:15] = 4
    after = judge_map(edited, volume, bundle, compute=CPU)[0].scores["conditions"]
    assert np.abs(before - after).max() > 1e-4


def test_map_of_another_volume_is_refused(bundle: Bundle) -> None:
    with pytest.raises(InputError, match=r"expected \(7, 30, 22\)"):
        judge_map(np.zeros((2, 30, 22), np.uint8), example_volume(), bundle, compute=CPU)


def test_patient_reaches_the_classifiers(bundle: Bundle) -> None:
    tissue_map = np.full((7, 30, 22), 3, np.uint8)
    volume = example_volume()
    unknown = judge_map(tissue_map, volume, bundle, compute=CPU)[0].scores["referral"]
    old = judge_map(tissue_map, volume, bundle, compute=CPU, patient=Patient(age_years=90))
    assert not np.array_equal(unknown, old[0].scores["referral"])


def test_progress_counts_every_bscan_of_every_network_and_every_opinion(bundle: Bundle) -> None:
    seen: list[Progress] = []
    run_ensemble(example_volume(), bundle, compute=CPU, on_progress=seen.append)
    for stage, total in (("segment", 3 * 7), ("classify", 3 * 2)):
        own = [(p.done, p.total) for p in seen if p.stage == stage]
        assert own == [(done, total) for done in range(1, total + 1)]


@pytest.mark.parametrize(("stage", "at"), [("segment", 1), ("segment", 9), ("classify", 2)])
def test_caller_can_cancel_at_any_step(bundle: Bundle, stage: str, at: int) -> None:
    calls = 0

    def cancel(progress: Progress) -> None:
        nonlocal calls
        calls += 1
        if progress.stage == stage and progress.done == at:
            raise CancelledError

    with pytest.raises(CancelledError):
        run_ensemble(example_volume(), bundle, compute=CPU, on_progress=cancel)
    assert calls == at + (21 if stage == "classify" else 0)


def test_lack_of_memory_halves_the_slab_and_says_so(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run_ensemble(example_volume(), bundle, compute=CPU)
    slabs = fail_once_midway(monkeypatch)
    seen: list[Progress] = []
    output = run_ensemble(example_volume(), bundle, compute=CPU, on_progress=seen.append)
    assert slabs == [4, 2]
    assert output.notes == ("Memory ran out with 4 B-scans at a time; starting again with 2.",)
    assert [p.message for p in seen if p.message] == list(output.notes)
    np.testing.assert_array_equal(output.tissue_maps, expected.tissue_maps)


def fail_once_midway(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the first pass run out of memory at its fifth B-scan; slabs tried are listed."""
    slabs: list[int] = []

    def failing(volume, streams, plan, slab, on_bscan, device, namer):
        slabs.append(slab)

        def count(done: int) -> None:
            if len(slabs) == 1 and done == 5:
                message = "DefaultCPUAllocator: not enough memory"
                raise RuntimeError(message)
            on_bscan(done)

        return segment(volume, streams, plan, slab, count, device, namer)

    monkeypatch.setattr(ensemble, "segment", failing)
    return slabs


def test_lack_of_memory_for_one_bscan_is_a_device_error(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(ensemble, "segment", failing)
    with pytest.raises(DeviceError, match="use a computer with more memory"):
        run_ensemble(example_volume(), bundle, compute=CPU)


def test_slab_without_bscans_is_refused(bundle: Bundle) -> None:
    with pytest.raises(InputError, match="slab of 0"):
        run_ensemble(example_volume(), bundle, compute=CPU, slab_bscans=0)


def test_scanner_chooses_its_branch(bundle: Bundle) -> None:
    volume = example_volume()
    cirrus = run_ensemble(volume, bundle, compute=CPU)
    spectralis = run_ensemble(replace(volume, device=DeviceFamily.SPECTRALIS), bundle, compute=CPU)
    assert not np.array_equal(cirrus.consensus, spectralis.consensus)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"device": None}, "Scanner unknown: segmented as if it were spectralis"),
        ({"device": DeviceFamily.TOPCON}, "not adapted to topcon"),
        ({"spacing": None}, "Spacing unknown"),
        ({"spacing": VoxelSpacing.from_um(None, 4, 12)}, "Distance between B-scans unknown"),
        ({"spacing": VoxelSpacing.from_um(60, 4, 12)}, "between B-scans is 60 µm"),
    ],
)
def test_what_was_assumed_becomes_a_note(
    bundle: Bundle, change: dict[str, object], note: str
) -> None:
    limits = SpacingLimits((0.1, 0.3), (0.003, 0.005), (0.005, 0.02))
    bundle = replace(bundle, manifest=replace(bundle.manifest, spacing_limits_mm=limits))
    output = run_ensemble(replace(example_volume(), **change), bundle, compute=CPU)
    assert len(output.notes) == 1
    assert note in output.notes[0]


def test_scan_in_black_on_white_becomes_a_note(bundle: Bundle) -> None:
    scan = np.full((2, 30, 22), 10, np.uint8)
    scan[:, 12:18] = 200
    upright = replace(example_volume(), voxels=scan)
    printed = replace(upright, voxels=255 - scan)
    assert run_ensemble(upright, bundle, compute=CPU).notes == ()
    (note,) = run_ensemble(printed, bundle, compute=CPU).notes
    assert "black on white" in note
    stated = run_ensemble(printed, bundle, compute=CPU, scanner="cirrus")
    assert stated.notes == ("Segmented as a scan of cirrus, as the user stated.",)


def test_scores_of_a_single_bscan_come_with_a_warning(bundle: Bundle) -> None:
    output = run_ensemble(example_volume(bscans=1), bundle, compute=CPU)
    assert any("Single B-scan" in note for note in output.notes)


def test_other_input_than_the_bundles_becomes_a_note(bundle: Bundle) -> None:
    output = run_ensemble(
        example_volume(), bundle, compute=CPU, classifier_input=ClassifierInput.PROBABILITIES
    )
    assert output.notes == (
        "Classifiers saw the probabilities tissue map; this bundle was made for the most-likely "
        "one.",
    )


def test_number_of_threads_is_put_back(bundle: Bundle) -> None:
    before = torch.get_num_threads()
    run_ensemble(example_volume(), bundle, compute=replace(CPU, threads=before + 1))
    assert torch.get_num_threads() == before


def test_lowest_class_wins_a_tie() -> None:
    scores = torch.tensor([[0.2, 0.4, 0.4], [0.3, 0.3, 0.3], [0.1, 0.2, 0.7]])
    assert most_likely(scores[:, :, None, None]).flatten().tolist() == [1, 0, 2]
