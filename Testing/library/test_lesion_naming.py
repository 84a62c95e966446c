"""Lesions of automatic maps are named by trees that a bundle brings."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from example_bands import ILM, OUTER, SPACING, banded_bscans, banded_codes
from example_bundle import example_bundle, example_manifest, example_weights, rewrite_manifest

from RetinaTriageLib import OCTVolume, TriageOptions, triage
from RetinaTriageLib.bundle import Bundle, check_bundle, load_bundle, save_bundle
from RetinaTriageLib.bundle_manifest import NamerEntry
from RetinaTriageLib.errors import BundleError, InputError
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.inference.ensemble import judge_map
from RetinaTriageLib.inference.finish_maps import MapFinish, finished_maps
from RetinaTriageLib.inference.lesion_names import measured_lesions
from RetinaTriageLib.labels.label_sets import RETINA_NOT_FLUID, RPE_COMPLEX, UNKNOWN
from RetinaTriageLib.networks.gray import tissue_scale
from RetinaTriageLib.networks.lesion_features import lesion_feature_names
from RetinaTriageLib.networks.lesion_naming import (
    LesionNamer,
    LesionNamerConfig,
    best_names,
    certainty,
)
from RetinaTriageLib.networks.lesions import LESION_LABELS, find_lesions
from RetinaTriageLib.networks.trees import TreeSize
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.training.checkpoints import read_tensors
from RetinaTriageLib.training.cli import add_train_commands
from RetinaTriageLib.training.lesion_samples import MeasuredLesions, read_lesions, with_truth
from RetinaTriageLib.training.lesion_scores import best_shifts, dice_of, naming_figures
from RetinaTriageLib.training.lesion_training import LesionPlan, fitted_namer
from RetinaTriageLib.volume import DeviceFamily, LabelArray, Laterality

CPU = TriageOptions(compute="cpu")
RETINA, CHOROID, CYST, DRUSEN, SEROUS = (
    TISSUE_BY_NAME[name].label
    for name in (
        "neurosensory_retina",
        "choroid_outer",
        "intraretinal_fluid",
        "drusenoid_ped",
        "serous_ped",
    )
)
FEW = LesionPlan(rounds=20, leaf_lesions=5, feature_share=1.0)


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_train_commands(parser.add_subparsers(required=True))
    options = parser.parse_args(words)
    return int(options.command(options))


def everything_is(label: int) -> LesionNamer:
    """Trees by which every lesion is of one tissue."""
    namer = LesionNamer(LesionNamerConfig(), TreeSize(nodes=1, trees=1))
    namer.start[label] = 99.0
    namer.least.fill_(-1e6)
    namer.most.fill_(1e6)
    return namer


def bundle_with(folder: Path, namer: LesionNamer, segmenters: int = 2) -> Bundle:
    draft = example_manifest(segmenters)
    named = replace(draft, lesion_namer=NamerEntry("lesion_namer", asdict(namer.config)))
    weights = {**example_weights(draft), "lesion_namer": namer.state_dict()}
    return save_bundle(folder, named, weights, "# Named\n")


def scan() -> OCTVolume:
    return OCTVolume(banded_bscans(), SPACING, Laterality.OD, DeviceFamily.SPECTRALIS)


def lesions_of(tissue_map: LabelArray) -> int:
    return int(np.isin(tissue_map, LESION_LABELS).sum())


def test_every_map_and_the_consensus_are_named(tmp_path: Path) -> None:
    plain = triage(scan(), example_bundle(tmp_path / "plain", segmenters=2), CPU)
    named = triage(scan(), bundle_with(tmp_path / "named", everything_is(RETINA)), CPU)
    before = [*(h.tissue_map for h in plain.hypotheses), plain.consensus]
    after = [*(h.tissue_map for h in named.hypotheses), named.consensus]
    assert min(lesions_of(tissue_map) for tissue_map in before) > 100
    for old, new in zip(before, after, strict=True):
        lesion = np.isin(old, LESION_LABELS)
        assert (new[lesion] == RETINA).all()
        np.testing.assert_array_equal(new[~lesion], old[~lesion])


def test_classifiers_judge_the_named_map(tmp_path: Path) -> None:
    bundle = bundle_with(tmp_path / "named", everything_is(RETINA))
    result = triage(scan(), bundle, CPU)
    for hypothesis in result.hypotheses:
        (again,) = judge_map(hypothesis.tissue_map, scan(), bundle, compute=choose_compute("cpu"))
        for head, scores in hypothesis.opinions[0].scores.items():
            np.testing.assert_allclose(scores, again.scores[head], atol=1e-6)


def test_slab_does_not_change_names(tmp_path: Path) -> None:
    bundle = bundle_with(tmp_path / "named", everything_is(CYST), segmenters=1)
    one, all_at_once = (triage(scan(), bundle, replace(CPU, slab_bscans=n)) for n in (1, 2))
    np.testing.assert_array_equal(one.consensus, all_at_once.consensus)


def test_edited_map_keeps_the_names_that_its_editor_gave(tmp_path: Path) -> None:
    bundle = bundle_with(tmp_path / "named", everything_is(RETINA))
    edited = banded_codes()
    edited[:, ILM + 10 : ILM + 40, 20:60] = CYST
    opinions = [
        judge_map(tissue_map, scan(), bundle, compute=choose_compute("cpu"))[0]
        for tissue_map in (edited, banded_codes())
    ]
    assert (opinions[0].scores["referral"] != opinions[1].scores["referral"]).any()


def test_scan_of_unknown_spacing_is_named() -> None:
    tissue_map = banded_codes()
    tissue_map[:, ILM + 10 : ILM + 40, 20:60] = DRUSEN
    unknown = replace(scan(), spacing=None)
    scale = tissue_scale(unknown.voxels)
    (named,) = finished_maps(MapFinish(everything_is(SEROUS)), unknown, scale, [tissue_map])
    assert lesions_of(named) == lesions_of(tissue_map)
    assert (named[tissue_map == DRUSEN] == SEROUS).all()


def test_scan_in_black_on_white_is_named_alike() -> None:
    druse = banded_codes()
    druse[:, OUTER - 12 : OUTER, 20:60] = DRUSEN
    inverted = replace(scan(), voxels=255 - scan().voxels)
    shown, other = (measured_lesions(volume, [druse])[0] for volume in (scan(), inverted))
    np.testing.assert_allclose(shown, other, atol=2)


def test_check_lists_the_namer(tmp_path: Path) -> None:
    bundle_with(tmp_path / "named", everything_is(RETINA))
    found = {check.what: check.found for check in check_bundle(tmp_path / "named")}
    assert "all tensors fit" in found["lesion_namer lesion_namer"]


def test_namer_of_other_measurements_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "named"
    bundle_with(folder, everything_is(RETINA))
    fields = json.loads((folder / "bundle.json").read_text())
    fields["lesion_namer"]["config"]["features"] = 3
    rewrite_manifest(folder, **fields)
    with pytest.raises(BundleError, match="3 measurements of lesions"):
        load_bundle(folder)


def test_namer_surer_than_sure_is_refused(tmp_path: Path) -> None:
    namer = LesionNamer(LesionNamerConfig(sure=1.5), TreeSize(nodes=1, trees=1))
    with pytest.raises(BundleError, match=r"sure is 1\.5; it has to be between 0 and 1"):
        bundle_with(tmp_path / "named", namer)


def test_namer_that_was_altered_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "named"
    bundle_with(folder, everything_is(RETINA))
    weights = folder / "lesion_namer.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    with pytest.raises(BundleError, match=r"lesion_namer\.safetensors with SHA-256"):
        load_bundle(folder)


def test_walk_in_circles_is_refused(tmp_path: Path) -> None:
    namer = LesionNamer(LesionNamerConfig(), TreeSize(nodes=3, trees=1))
    namer.trees.child[1] = 0
    with pytest.raises(BundleError, match="lead nowhere"):
        bundle_with(tmp_path / "named", namer)


def eyes(count: int, seed: int) -> MeasuredLesions:
    """Lesions that maps call drusen: bright ones are drusen, dark ones serous detachments."""
    rng = np.random.default_rng(seed)
    found = []
    for patient in range(count):
        codes, gray = banded_codes(1), banded_bscans(1)
        for left in (10, 60):
            label = int(rng.choice([DRUSEN, SEROUS]))
            height, width = (int(rng.integers(6, 20)) for _ in range(2))
            codes[:, OUTER - height : OUTER, left : left + width] = label
            speckle = rng.gamma(16, 1 / 16, (height, width)) * (90 if label == DRUSEN else 15)
            gray[:, OUTER - height : OUTER, left : left + width] = speckle
        tissue_map = np.where(codes == SEROUS, DRUSEN, codes).astype(np.uint8)
        volume = OCTVolume(gray, SPACING, Laterality.OD, DeviceFamily.SPECTRALIS)
        (features,) = measured_lesions(volume, [tissue_map])
        lesions = with_truth(features, tissue_map, codes)
        found.append(replace(lesions, patient=lesions.patient + patient))
    return MeasuredLesions(
        np.concatenate([one.features for one in found]),
        np.concatenate([one.truth for one in found]),
        np.sum([one.missed for one in found], axis=0),
        np.concatenate([one.patient for one in found]),
    )


def test_trees_learn_what_whole_lesions_look_like() -> None:
    learned, others = eyes(40, seed=1), eyes(20, seed=2)
    figures = naming_figures(fitted_namer(FEW, learned), others)
    assert 0.2 < figures["drusenoid_ped before"] < 0.9
    assert figures["serous_ped before"] == 0
    assert figures["drusenoid_ped after"] > 0.98
    assert figures["serous_ped after"] > 0.98


def test_rare_tissue_is_called_where_its_dice_gains() -> None:
    lesions = eyes(30, seed=5)
    own = lesions.truth.argmax(axis=1)
    scores = np.full((len(own), 15), -9.0, np.float32)
    scores[:, DRUSEN] = 1.0  # ahead everywhere,
    scores[:, SEROUS] = np.where(own == SEROUS, 0.3, -0.6)  # though the other one is told apart
    shifted = scores + best_shifts(scores, lesions)
    before, after = (
        dice_of(best_names(torch.from_numpy(tried)).numpy(), lesions) for tried in (scores, shifted)
    )
    assert before[SEROUS] == 0
    assert after[SEROUS] == after[DRUSEN] == 1


def test_lesion_of_a_size_that_was_not_learned_keeps_its_name() -> None:
    namer = fitted_namer(FEW, eyes(40, seed=6))
    tissue_map, gray = banded_codes(1), banded_bscans(1)
    for left, right in ((3, 13), (20, 90)):  # as learned, and far wider
        tissue_map[0, OUTER - 12 : OUTER, left:right] = DRUSEN
        gray[0, OUTER - 12 : OUTER, left:right] = 15  # dark, so that it is a serous detachment
    volume = OCTVolume(gray, SPACING, Laterality.OD, DeviceFamily.SPECTRALIS)
    features = torch.from_numpy(measured_lesions(volume, [tissue_map])[0])
    assert namer.learned(features).tolist() == [True, False]
    namer.value /= 20  # what is dark is still called serous first, without being sure
    assert namer.names(features).tolist() == [SEROUS, DRUSEN]


def test_sure_trees_name_a_lesion_of_any_size() -> None:
    features = torch.zeros(1, len(lesion_feature_names()))
    features[0, LESION_LABELS.index(DRUSEN)] = 1
    namer = everything_is(SEROUS)
    namer.most.fill_(-1e5)  # some drusen were learned, none of this size
    namer.start[SEROUS] = 1.0
    assert namer.names(features).tolist() == [DRUSEN]
    namer.start[SEROUS] = 20.0
    assert namer.names(features).tolist() == [SEROUS]


def test_fluid_is_renamed_by_surer_trees_alone() -> None:
    features = torch.zeros(2, len(lesion_feature_names()))
    features[0, LESION_LABELS.index(CYST)] = features[1, LESION_LABELS.index(DRUSEN)] = 1
    namer = everything_is(RETINA)
    namer.start[RETINA] = 4.0  # a chance of 0.88 that it is no lesion
    assert namer.names(features).tolist() == [CYST, RETINA]
    namer.start[RETINA] = 6.0  # a chance of 0.98
    assert namer.names(features).tolist() == [RETINA, RETINA]
    namer.config = LesionNamerConfig(sure_of_fluid=0.99)
    assert namer.names(features).tolist() == [CYST, RETINA]


def test_trees_are_sure_of_a_lesion_and_of_which() -> None:
    chances = [
        {RETINA: 0.4, CHOROID: 0.4, DRUSEN: 0.2},  # no lesion, whatever it is
        {DRUSEN: 0.4, SEROUS: 0.4, RETINA: 0.2},  # a lesion, but which
        {DRUSEN: 0.6, RETINA: 0.4},
    ]
    scores = torch.full((len(chances), 15), -99.0)
    for number, of in enumerate(chances):
        scores[number, list(of)] = torch.tensor(list(of.values())).log()
    np.testing.assert_allclose(certainty(scores), [0.8, 0.5, 0.6], rtol=1e-5)


def test_tissue_that_was_never_called_keeps_its_name() -> None:
    namer = fitted_namer(FEW, eyes(20, seed=7))  # maps that call everything drusen
    tissue_map = banded_codes(1)
    tissue_map[0, OUTER - 12 : OUTER, 10:20] = SEROUS
    (features,) = measured_lesions(scan(), [np.repeat(tissue_map, 2, axis=0)])
    assert namer.names(torch.from_numpy(features)).tolist() == [SEROUS]


def test_namer_is_stored_and_answers_the_same(tmp_path: Path) -> None:
    learned = eyes(20, seed=3)
    namer = fitted_namer(FEW, learned)
    bundle_with(tmp_path / "named", namer)
    stored = load_bundle(tmp_path / "named").lesion_namer()
    assert stored is not None
    samples = torch.from_numpy(learned.features)
    torch.testing.assert_close(stored(samples), namer(samples))


def test_plan_surer_than_sure_is_refused() -> None:
    with pytest.raises(InputError, match=r"Found 1\.5 as a chance"):
        replace(FEW, sure=1.5)


def test_one_tissue_alone_cannot_be_learned() -> None:
    lesions = eyes(10, seed=4)
    alone = replace(lesions, truth=lesions.truth * (np.arange(15) == DRUSEN))
    with pytest.raises(InputError, match="of 1 true tissues"):
        fitted_namer(FEW, alone)


def test_commands_measure_phantoms_and_learn_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example_bundle(tmp_path / "bundle")
    words = ("--phantoms", "2", "--bscans", "1", "--bundle", str(tmp_path / "bundle"))
    for folder, first in (("known", "0"), ("others", "2")):
        run("lesions", *words, "--first-seed", first, "--out", str(tmp_path / folder))
    out = ("--out", str(tmp_path / "run"), "--held-out", str(tmp_path / "others"))
    assert run("lesion-names", str(tmp_path / "known"), *out, "--rounds", "2") == 0
    said = capsys.readouterr()
    assert "Dice of mirror_artifact after: 0." in said.out
    assert "2/3 without part 2" in said.err
    _, header = read_tensors(tmp_path / "run" / "best.safetensors")
    assert header["kind"] == "lesion_namer"
    with pytest.raises(InputError, match="both to learn from and held out"):
        run("lesion-names", str(tmp_path / "known"), *out[:3], str(tmp_path / "known"))


def test_lesions_of_another_version_are_refused(tmp_path: Path) -> None:
    count = len(lesion_feature_names())
    features, truth = np.zeros((1, count), np.float32), np.zeros((1, 15), np.int64)
    arrays = {"features": features, "truth": truth, "missed": truth[0], "version": np.array(0)}
    np.savez(tmp_path / "old.npz", **arrays)
    with pytest.raises(InputError, match="found version 0"):
        run("lesion-names", str(tmp_path), "--out", str(tmp_path / "run"))


def test_truth_of_a_lesion_is_what_lies_in_it() -> None:
    found = banded_codes(1)
    found[0, ILM : ILM + 4, 10:20] = DRUSEN
    truth = found.copy()
    truth[0, ILM : ILM + 1, 10:20] = RETINA
    truth[0, ILM + 20, 40:43] = DRUSEN
    lesions = with_truth(np.zeros((1, 1), np.float32), found, truth)
    (counts,) = lesions.truth
    assert lesions.missed[DRUSEN] == 3
    assert (counts[DRUSEN], counts[RETINA], counts.sum()) == (30, 10, 40)
    assert find_lesions(found).sizes.tolist() == [40]


def test_partial_labels_teach_what_they_say() -> None:
    found = banded_codes(1)
    found[0, ILM : ILM + 4, 10:20] = DRUSEN
    truth = banded_codes(1)
    truth[0, ILM, 10:20] = RETINA_NOT_FLUID
    truth[0, ILM + 1, 10:20] = RPE_COMPLEX  # it may be a druse, or another detachment
    truth[0, ILM + 2, 10:20] = UNKNOWN
    truth[0, ILM + 3, 10:20] = SEROUS
    (counts,) = with_truth(np.zeros((1, 1), np.float32), found, truth).truth
    assert counts.sum() == 20
    assert counts[RETINA] == counts[SEROUS] == 10


def test_labeled_stacks_are_measured_also_on_other_gray(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    (tmp_path / "stacks").mkdir()
    path = tmp_path / "stacks" / "a.npz"
    np.savez(path, image=banded_bscans(1), codes=banded_codes(1), device=np.array("adapted"))
    words = ("--bundle", str(tmp_path / "bundle"), "--spacing-um", "adapted=3.87,11.5")
    stacks = ("--stacks", str(tmp_path / "stacks"), "--changed", "1")
    run("lesions", *words, *stacks, "--out", str(tmp_path / "out"))
    plain, changed = (
        read_lesions([tmp_path / "out" / f"a_segmenter0{copy}.npz"]) for copy in ("", "_changed1")
    )
    np.testing.assert_array_equal(plain.truth, changed.truth)
    shape, gray = (lesion_feature_names().index(name) for name in ("width", "gray"))
    np.testing.assert_array_equal(plain.features[:, shape], changed.features[:, shape])
    assert (plain.features[:, gray] != changed.features[:, gray]).all()
