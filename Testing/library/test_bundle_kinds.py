"""Every kind of segmenter and classifier works a case and lives in a bundle."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from example_bands import SPACING, banded_bscans, banded_codes
from example_bundle import (
    CLASSIFICATION,
    SEGMENTATION,
    example_manifest,
    random_network,
)
from test_assemble import FACTS
from torch import nn

from RetinaTriageLib import OCTVolume, TriageOptions, triage
from RetinaTriageLib.bundle import Bundle, load_bundle, save_bundle
from RetinaTriageLib.bundle_manifest import ClassifierEntry, SegmenterEntry
from RetinaTriageLib.cli.main import main
from RetinaTriageLib.errors import BundleError, GeometryError
from RetinaTriageLib.evaluation.opinion_scores import JudgedCase, opinion_evaluations
from RetinaTriageLib.networks.boosted_classification import BoostedClassifier, BoostedConfig
from RetinaTriageLib.networks.classification import ClassificationNetwork
from RetinaTriageLib.networks.forest_segmentation import ForestConfig, ForestSegmenter
from RetinaTriageLib.networks.graph_segmentation import (
    GraphSearchConfig,
    GraphSearchSegmenter,
    Region,
    shares_of,
)
from RetinaTriageLib.networks.joint_classification import JointNetwork
from RetinaTriageLib.networks.segmentation import SegmentationNetwork
from RetinaTriageLib.networks.steady_features import steady_feature_names
from RetinaTriageLib.networks.trees import TreeSize
from RetinaTriageLib.networks.voxel_features import FEATURES
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.training.checkpoints import save_weights
from RetinaTriageLib.volume import DeviceFamily, Laterality
from RetinaTriageLib.writers.case import save_case

CPU = TriageOptions(compute="cpu")
STUMP = TreeSize(nodes=3, trees=1)
CELL_MM = (0.24, 0.016, 0.048)


def scan() -> OCTVolume:
    return OCTVolume(banded_bscans(), SPACING, Laterality.OD, DeviceFamily.SPECTRALIS)


def graph_search() -> GraphSearchSegmenter:
    segmenter = GraphSearchSegmenter()
    segmenter.shares.copy_(shares_of(torch.zeros(len(Region), 15)))
    return segmenter


def forest() -> ForestSegmenter:
    """Vitreous above the ILM, retina below it."""
    segmenter = ForestSegmenter(ForestConfig(), STUMP)
    trees = segmenter.trees
    trees.feature[0], trees.threshold[0], trees.child[0] = FEATURES.index("below_ilm_um"), 0.0, 1
    segmenter.votes[1, 0], segmenter.votes[2, 3] = 1, 1
    return segmenter


def boosted() -> BoostedClassifier:
    """One tree: the first outcome is for maps without retina."""
    config = BoostedConfig(cell_mm=CELL_MM)
    classifier = BoostedClassifier(config, STUMP)
    trees = classifier.trees
    trees.feature[0] = steady_feature_names(TISSUES).index("neurosensory_retina:volume")
    trees.child[0], trees.threshold[0] = 1, 1e-3
    classifier.value[1:] = torch.tensor([2.0, -2.0])
    return classifier


NETWORKS: dict[str, nn.Module] = {
    "unet": random_network(SegmentationNetwork(SEGMENTATION), 1),
    "random_forest": forest(),
    "graph_search": graph_search(),
    "densenet": random_network(ClassificationNetwork(CLASSIFICATION), 2),
    "gradient_boosted": boosted(),
    "joint": random_network(JointNetwork(CLASSIFICATION), 3),
}
CONFIGS = {
    "unet": SEGMENTATION,
    "random_forest": ForestConfig(),
    "graph_search": GraphSearchConfig(),
    "densenet": CLASSIFICATION,
    "gradient_boosted": BoostedConfig(cell_mm=CELL_MM),
    "joint": CLASSIFICATION,
}
BRANCHES = {"branches": {"spectralis": "spectralis"}, "default_branch": "spectralis"}


def bundle_of(folder: Path, segmenters: tuple[str, ...], classifiers: tuple[str, ...]) -> Bundle:
    """Bundle of the kinds named, each network under the name of its kind."""
    draft = replace(
        example_manifest(),
        segmenters=tuple(
            SegmenterEntry(
                kind, asdict(CONFIGS[kind]), **BRANCHES if kind == "unet" else {}, kind=kind
            )
            for kind in segmenters
        ),
        classifiers=tuple(
            ClassifierEntry(kind, asdict(CONFIGS[kind]), kind=kind) for kind in classifiers
        ),
    )
    weights = {kind: NETWORKS[kind].state_dict() for kind in (*segmenters, *classifiers)}
    return save_bundle(folder, draft, weights, "# Kinds\n")


@pytest.mark.parametrize("kind", ["random_forest", "graph_search"])
def test_segmenter_of_another_kind_makes_the_tissue_map(tmp_path: Path, kind: str) -> None:
    result = triage(scan(), bundle_of(tmp_path / "bundle", (kind,), ("densenet",)), CPU)
    found = result.hypotheses[0].tissue_map
    inner = banded_codes() < 7  # the stump knows vitreous and retina alone
    assert (found == banded_codes())[inner].mean() > 0.97
    assert not any("Scanner" in note for note in result.provenance.notes)


def test_slab_does_not_change_the_maps_of_any_kind(tmp_path: Path) -> None:
    kinds = ("unet", "random_forest", "graph_search")
    bundle = bundle_of(tmp_path / "bundle", kinds, ("gradient_boosted",))
    one, all_at_once = (triage(scan(), bundle, replace(CPU, slab_bscans=n)) for n in (1, 2))
    np.testing.assert_array_equal(one.consensus, all_at_once.consensus)
    assert [h.segmenter for h in one.hypotheses] == list(kinds)


def test_kinds_that_measure_lengths_refuse_unknown_spacing(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path / "bundle", ("graph_search",), ("densenet",))
    with pytest.raises(GeometryError, match="--spacing-um"):
        triage(replace(scan(), spacing=None), bundle, CPU)


def test_boosted_trees_judge_every_map(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path / "bundle", ("graph_search",), ("densenet", "gradient_boosted"))
    opinion = triage(scan(), bundle, CPU).hypotheses[0].opinions[1]
    assert opinion.classifier == "gradient_boosted"
    assert opinion.scores["referral"].sum() == pytest.approx(1)
    assert opinion.scores["referral"].argmin() == 0  # there is a retina


def test_joint_opinion_counts_once_a_map_in_the_verdict(tmp_path: Path) -> None:
    kinds = ("graph_search", "random_forest")
    bundle = bundle_of(tmp_path / "bundle", kinds, ("densenet", "joint"))
    result = triage(scan(), bundle, CPU)
    assert [len(hypothesis.opinions) for hypothesis in result.hypotheses] == [1, 1]
    (joint,) = result.joint_opinions
    single = [h.opinions[0].scores["referral"] for h in result.hypotheses]
    expected = (np.mean(single, axis=0) + joint.scores["referral"]) / 2
    np.testing.assert_allclose(result.verdict.raw["referral"], expected)
    assert result.verdict.spreads["referral"][0].high >= joint.scores["referral"][0] - 1e-9


def test_case_with_a_joint_opinion_is_written_whole(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path / "bundle", ("graph_search",), ("densenet", "joint"))
    save_case(triage(scan(), bundle, CPU), tmp_path / "case")
    written = json.loads((tmp_path / "case" / "result.json").read_text("utf-8"))
    assert written["joint_opinions"][0]["classifier"] == "joint"
    rows = (tmp_path / "case" / "opinions.csv").read_text("utf-8").splitlines()
    assert rows[-1].startswith("0,all maps,joint,treatment")
    assert "on all maps" in (tmp_path / "case" / "report.html").read_text("utf-8")


def test_joint_classifier_is_evaluated_beside_the_pairs(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path / "bundle", ("graph_search",), ("densenet", "joint"))
    result = triage(scan(), bundle, CPU)
    answers = {"referral": {"urgent": True, "semi_urgent": False}}
    opinions = tuple(hypothesis.opinions for hypothesis in result.hypotheses)
    case = JudgedCase("a", "a", 3, answers, opinions, result.joint_opinions)
    found = opinion_evaluations([case], bundle, OperatingPoint.BALANCED, intervals=False)
    judges = [evaluation.judge for evaluation in found]
    assert judges[:2] == ["graph_search × densenet", "all maps × joint"]


def test_bundle_of_joint_classifiers_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="at least one that judges a map alone"):
        bundle_of(tmp_path / "bundle", ("graph_search",), ("joint",))


def test_branches_of_a_kind_without_branches_are_refused(tmp_path: Path) -> None:
    manifest = bundle_of(tmp_path / "bundle", ("graph_search",), ("densenet",)).manifest
    entry = replace(manifest.segmenters[0], **BRANCHES)
    weights = {name: NETWORKS[name].state_dict() for name in ("graph_search", "densenet")}
    with pytest.raises(BundleError, match="schema"):
        save_bundle(tmp_path / "other", replace(manifest, segmenters=(entry,)), weights, "#")


def test_manifest_without_a_kind_means_networks(tmp_path: Path) -> None:
    bundle_of(tmp_path / "bundle", ("unet",), ("densenet",))
    path = tmp_path / "bundle" / "bundle.json"
    fields = json.loads(path.read_text())
    for entry in (*fields["segmenters"], *fields["classifiers"]):
        del entry["kind"]
    path.write_text(json.dumps(fields))
    assert load_bundle(tmp_path / "bundle").manifest.segmenters[0].kind == "unet"


def test_forest_whose_walk_would_never_end_is_refused(tmp_path: Path) -> None:
    broken = forest()
    broken.trees.child[2] = 0  # back to the root
    draft = replace(
        example_manifest(),
        segmenters=(SegmenterEntry("wood", asdict(ForestConfig()), kind="random_forest"),),
        classifiers=(ClassifierEntry("densenet", asdict(CLASSIFICATION)),),
    )
    weights = {"wood": broken.state_dict(), "densenet": NETWORKS["densenet"].state_dict()}
    with pytest.raises(BundleError, match="lead nowhere"):
        save_bundle(tmp_path / "bundle", draft, weights, "# Card")


def test_boosted_trees_of_another_grid_are_refused(tmp_path: Path) -> None:
    config = asdict(replace(CONFIGS["gradient_boosted"], cell_mm=(0.1, 0.1, 0.1)))
    draft = replace(
        example_manifest(),
        segmenters=(SegmenterEntry("graph_search", {}, kind="graph_search"),),
        classifiers=(ClassifierEntry("boosted", config, kind="gradient_boosted"),),
    )
    weights = {"graph_search": graph_search().state_dict(), "boosted": boosted().state_dict()}
    with pytest.raises(BundleError, match="grid cells in mm"):
        save_bundle(tmp_path / "bundle", draft, weights, "# Card")


def test_command_makes_and_checks_a_bundle_of_every_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "facts.json").write_text(json.dumps(FACTS))
    (tmp_path / "card.md").write_text("# Own\n")
    words = ["bundle", "make", "--out", str(tmp_path / "bundle")]
    words += ["--facts", str(tmp_path / "facts.json"), "--model-card", str(tmp_path / "card.md")]
    standard = replace(CONFIGS["gradient_boosted"], cell_mm=BoostedConfig().cell_mm)
    for kind, network in NETWORKS.items():
        config = standard if kind == "gradient_boosted" else CONFIGS[kind]
        facts = {"kind": kind, "config": json.dumps(asdict(config))}
        save_weights(tmp_path / f"{kind}.safetensors", network, facts)
        task = "segmenter" if kind in ("unet", "random_forest", "graph_search") else "classifier"
        words += [f"--{task}", f"{kind}={tmp_path / kind}.safetensors"]
    assert main(words) == 0
    capsys.readouterr()
    assert main(["bundle", "check", str(tmp_path / "bundle")]) == 0
    checked = capsys.readouterr().out
    for kind in NETWORKS:
        assert f"{kind} {kind}: " in checked
