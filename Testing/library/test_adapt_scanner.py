from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from example_bundle import example_bundle

from RetinaTriageLib.bundle import Bundle, load_bundle
from RetinaTriageLib.errors import InputError, OutputError
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.ensemble import run_ensemble
from RetinaTriageLib.networks.classifier_input import ClassifierInput
from RetinaTriageLib.networks.gray import normalize
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.training import adapt_scanner as adapt_scanner_module
from RetinaTriageLib.training.adapt_branch import BranchPlan, BranchStart, start_losses
from RetinaTriageLib.training.adapt_scanner import (
    Adaptation,
    adapt_scanner,
    nearest_start,
    segmentation_networks,
    untouched_hashes,
)
from RetinaTriageLib.training.augment import AugmentationPlan
from RetinaTriageLib.training.optimization import OptimizationPlan
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.stack_batches import CropSize
from RetinaTriageLib.volume import DeviceFamily, OCTVolume, VoxelSpacing

CPU = Compute("cpu", "float32", 1, "test CPU")
PLAN = BranchPlan(
    optimization=OptimizationPlan(
        iterations=3, warm_up_iterations=1, learning_rate=0.05, average_decay=0.5
    ),
    # Crops this small would be shifted out of sight.
    augmentation=AugmentationPlan(geometry_chance=0.0),
    crops=(CropSize(2, 32, 32),),
    half_precision=False,
)


class KilledError(Exception):
    pass


def labeled(folder: Path) -> Folder:
    """Dark vitreous over bright retina."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    codes = np.zeros((2, 40, 40), np.uint8)
    codes[:, 20:] = 3
    image = codes * np.uint8(50) + rng.integers(40, size=codes.shape, dtype=np.uint8)
    np.savez(folder / f"{folder.name}.npz", image=image, codes=codes)
    return Folder(folder)


@pytest.fixture
def source(tmp_path: Path) -> Bundle:
    return example_bundle(tmp_path / "source", segmenters=2, classifiers=2)


def adapted(source: Bundle, tmp_path: Path, **facts: object) -> Bundle:
    wanted = replace(Adaptation("plex"), **facts)
    return adapt_scanner(source, wanted, [labeled(tmp_path / "set")], tmp_path / "new", PLAN)


def test_only_the_new_branch_differs(source: Bundle, tmp_path: Path) -> None:
    new = adapted(source, tmp_path)
    before, after = segmentation_networks(source), segmentation_networks(new)
    for name, network in before.items():
        tensors = after[name].state_dict()
        assert all(torch.equal(tensors[key], value) for key, value in network.state_dict().items())
        branch = after[name].branches["plex"].state_dict()
        assert branch.keys() == network.branches["cirrus"].state_dict().keys()
        others = (network.branches[other].state_dict() for other in ("cirrus", "spectralis"))
        assert all(
            not torch.equal(branch["0.conv.weight"], other["0.conv.weight"]) for other in others
        )


def test_hashes_of_common_blocks_and_classifiers_stay(source: Bundle, tmp_path: Path) -> None:
    new = adapted(source, tmp_path)
    assert untouched_hashes(new, "plex") == untouched_hashes(source)
    assert untouched_hashes(new)["segmenter0"] != untouched_hashes(source)["segmenter0"]
    for entry in source.manifest.classifiers:
        there = (tmp_path / "new" / entry.file).read_bytes()
        assert there == (tmp_path / "source" / entry.file).read_bytes()


def test_hash_sees_a_changed_statistic_of_the_common_block(source: Bundle) -> None:
    networks = segmentation_networks(source)
    keys = [key for key in networks["segmenter0"].state_dict() if "running_mean" in key]
    assert any(key.startswith("encoder") for key in keys)
    assert untouched_hashes(source, "cirrus") != untouched_hashes(source)


def test_run_chooses_the_new_branch_by_name(source: Bundle, tmp_path: Path) -> None:
    new = adapted(source, tmp_path)
    voxels = np.random.default_rng(3).integers(0, 255, (3, 30, 22), dtype=np.uint8)
    volume = OCTVolume(voxels, VoxelSpacing.from_um(120, 4, 12))
    found = referral(volume, new, "plex")
    assert not np.array_equal(found, referral(volume, new, None))
    np.testing.assert_array_equal(referral(volume, new, None), referral(volume, source, None))


def referral(volume: OCTVolume, bundle: Bundle, scanner: str | None) -> np.ndarray:
    """Scores that any change of a branch shows in."""
    seen = ClassifierInput.PROBABILITIES
    output = run_ensemble(volume, bundle, compute=CPU, classifier_input=seen, scanner=scanner)
    assert ("as the user stated" in output.notes[0]) == (scanner is not None)
    return output.opinions[0][0].scores["referral"]


def test_scanner_that_the_bundle_lacks_is_refused(source: Bundle) -> None:
    voxels = np.random.default_rng(3).integers(0, 255, (2, 30, 22), dtype=np.uint8)
    volume = OCTVolume(voxels, VoxelSpacing.from_um(120, 4, 12))
    with pytest.raises(InputError, match="this bundle lists cirrus, spectralis"):
        run_ensemble(volume, source, compute=CPU, scanner="plex")


def test_family_takes_the_new_branch_of_itself(source: Bundle, tmp_path: Path) -> None:
    new = adapted(source, tmp_path, family=DeviceFamily.TOPCON)
    branches = new.manifest.segmenters[1].branches
    assert branches == {
        "spectralis": "spectralis",
        "cirrus": "cirrus",
        "plex": "plex",
        "topcon": "plex",
    }


def test_bundle_tells_what_it_was_adapted_on(source: Bundle, tmp_path: Path) -> None:
    new = load_bundle(tmp_path / "new") if adapted(source, tmp_path) else source
    assert new.manifest.name == "example-plex"
    assert "2 labeled B-scans in 1 files of set" in new.manifest.trained_on
    assert not new.manifest.trained_on_phantoms_only
    assert "## Adapted to plex" in new.model_card
    assert source.sha256 in new.model_card


def test_nearest_start_has_the_lowest_mean_loss_of_branches_that_all_have(
    source: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = segmentation_networks(source)
    networks["segmenter0"].add_branch("own")
    cirrus, upside_down = BranchStart("cirrus"), BranchStart("spectralis", inverted=True)
    rows = iter(({cirrus: 1.0, upside_down: 2.0}, {cirrus: 4.0, upside_down: 2.0}))
    compared = []

    def losses(_network: object, branches: list[str], *_: object) -> dict[BranchStart, float]:
        compared.append(branches)
        return next(rows)

    monkeypatch.setattr(adapt_scanner_module, "start_losses", losses)
    assert nearest_start(networks, PLAN, []) == upside_down
    assert compared == [["spectralis", "cirrus"]] * 2


def test_start_from_a_branch_that_a_network_lacks_is_refused(source: Bundle) -> None:
    networks = segmentation_networks(source)
    networks["segmenter0"].add_branch("own")
    with pytest.raises(InputError, match="Found scanner branch 'own'"):
        nearest_start(networks, PLAN, [], "own")


def test_inverted_scans_start_from_a_branch_for_inverted_gray(
    source: Bundle, tmp_path: Path
) -> None:
    networks = segmentation_networks(source)
    path = labeled(tmp_path / "set").path / "set.npz"
    with np.load(path) as stack:
        image = 255 - stack["image"]
    with torch.no_grad():
        upright = torch.from_numpy(normalize(255 - image))[None]
        of_network = networks["segmenter0"](upright, "cirrus")
    (tmp_path / "inverted").mkdir()
    codes = of_network[0].argmax(dim=0).numpy().astype(np.uint8)
    np.savez(tmp_path / "inverted" / "inverted.npz", image=image, codes=codes)
    first = {"segmenter0": networks["segmenter0"]}
    found = nearest_start(first, PLAN, [Folder(tmp_path / "inverted")])
    assert found == BranchStart("cirrus", inverted=True)


def test_labeled_bscans_fit_better_after_adaptation(source: Bundle, tmp_path: Path) -> None:
    folder = labeled(tmp_path / "set")
    plan = replace(PLAN, optimization=replace(PLAN.optimization, iterations=25))
    new = adapt_scanner(
        source, Adaptation("plex", start_from="cirrus"), [folder], tmp_path / "new", plan
    )
    network = segmentation_networks(new)["segmenter0"]
    losses = start_losses(network, ("plex", "cirrus"), PLAN, [folder])
    assert losses[BranchStart("plex")] < losses[BranchStart("cirrus")]


def test_killed_adaptation_goes_on_and_ends_alike(source: Bundle, tmp_path: Path) -> None:
    def kill(progress: Progress) -> None:
        if progress.stage == "train" and progress.done == 2:
            raise KilledError

    folder = labeled(tmp_path / "set")
    plan = replace(PLAN, optimization=replace(PLAN.optimization, save_minutes=0.0))
    wanted = Adaptation("plex", start_from="cirrus")
    whole = adapt_scanner(source, wanted, [folder], tmp_path / "whole", plan)
    with pytest.raises(KilledError):
        adapt_scanner(source, wanted, [folder], tmp_path / "cut", plan, on_progress=kill)
    cut = adapt_scanner(source, wanted, [folder], tmp_path / "cut", plan)
    assert cut.weights == whole.weights


def test_run_of_another_adaptation_is_refused(source: Bundle, tmp_path: Path) -> None:
    runs = tmp_path / "new.runs"
    runs.mkdir()
    (runs / "adaptation.json").write_text(json.dumps({"bundle": "other"}), encoding="utf-8")
    with pytest.raises(OutputError, match="another plan"):
        adapted(source, tmp_path)


def test_held_out_bscans_choose_the_weights(source: Bundle, tmp_path: Path) -> None:
    folder = labeled(tmp_path / "set")
    out = tmp_path / "new"
    adapt_scanner(
        source, Adaptation("plex"), [folder], out, PLAN, held_out=[labeled(tmp_path / "val").path]
    )
    assert (tmp_path / "new.runs" / "segmenter1" / "best.safetensors").exists()


@pytest.mark.parametrize("name", ["", "a.b", "two words", "keys", "x" * 33])
def test_names_that_no_branch_can_have_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="scanner name"):
        Adaptation(name)


def test_taken_name_is_refused(source: Bundle, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="such as cirrus-2"):
        adapted(source, tmp_path, scanner="cirrus")


def test_patient_both_learned_from_and_held_out_is_refused(source: Bundle, tmp_path: Path) -> None:
    folder = labeled(tmp_path / "set")
    with pytest.raises(InputError, match="both to learn from and held out"):
        adapt_scanner(
            source, Adaptation("plex"), [folder], tmp_path / "new", PLAN, held_out=[folder.path]
        )
