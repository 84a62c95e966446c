from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from example_bundle import example_manifest
from sklearn.ensemble import GradientBoostingClassifier
from test_classification_loop import healthy_and_wet

from RetinaTriageLib.bundle_manifest import ClassifierEntry
from RetinaTriageLib.bundle_networks import classification_network
from RetinaTriageLib.bundle_weights import encode_weights
from RetinaTriageLib.errors import BundleError, InputError
from RetinaTriageLib.inference.judge import judge
from RetinaTriageLib.networks.boosted_classification import BoostedConfig
from RetinaTriageLib.networks.classification import HeadShape, probabilities
from RetinaTriageLib.networks.patient import UNKNOWN_PATIENT
from RetinaTriageLib.networks.steady_features import STEADY_VERSION
from RetinaTriageLib.training.boosted_training import (
    UNSEEN_SCORE,
    BoostedPlan,
    fitted,
    train_boosted,
)
from RetinaTriageLib.training.checkpoints import read_tensors
from RetinaTriageLib.training.gradual_boosting import BoostingPlan
from RetinaTriageLib.training.measured_maps import MeasuredMaps, MeasuringPlan
from RetinaTriageLib.training.patients import Resampling

HARD = BoostingPlan(rounds=12, sample_share=1.0, feature_share=1.0, softness=0, damping=0)
PLAN = BoostedPlan(HARD)
FEW = BoostingPlan(rounds=10, sample_share=1.0, damping=0)
URGENCY, SIGNS = HeadShape("urgency", 3, exclusive=True), HeadShape("signs", 2, exclusive=False)
CONFIG = BoostedConfig(heads=(URGENCY, SIGNS))
WIDTH = CONFIG.features + CONFIG.patient_features


def drawn_samples() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(120, WIDTH)).astype(np.float32)
    urgency = np.digitize(samples[:, 0], [-0.5, 0.5])
    signs = np.stack([samples[:, 1] > 0, np.zeros(120, bool)], axis=1)
    return samples, {"urgency": urgency, "signs": signs.astype(np.int64)}


def same_as_the_plan() -> GradientBoostingClassifier:
    return GradientBoostingClassifier(
        n_estimators=HARD.rounds,
        max_depth=HARD.depth,
        learning_rate=HARD.learning_rate,
        random_state=PLAN.seed,
    )


def test_probabilities_are_those_of_scikit_learn() -> None:
    samples, answers = drawn_samples()
    scores = fitted(PLAN, samples, answers, CONFIG).scores(torch.from_numpy(samples))
    found = probabilities(scores, CONFIG.heads)
    many = same_as_the_plan().fit(samples, answers["urgency"]).predict_proba(samples)
    np.testing.assert_allclose(found["urgency"].numpy(), many, atol=1e-5)
    one = same_as_the_plan().fit(samples, answers["signs"][:, 0]).predict_proba(samples)
    np.testing.assert_allclose(found["signs"][:, 0].numpy(), one[:, 1], atol=1e-5)


def test_gradual_trees_judge_alike_and_jump_less() -> None:
    samples, answers = drawn_samples()
    step = np.zeros((1001, WIDTH), np.float32)
    step[:, 0] = np.linspace(-1, 1, len(step))
    jumps, right = [], []
    for softness in (0.0, 0.1):
        plan = replace(PLAN, boosting=replace(HARD, softness=softness))
        config = replace(CONFIG, softness=softness)
        classifier = fitted(plan, samples, answers, config)
        score = classifier.scores(torch.from_numpy(step))["urgency"][:, 0]
        jumps.append(float(score.diff().abs().max()))
        found = classifier.scores(torch.from_numpy(samples))["urgency"].argmax(dim=1).numpy()
        right.append(float((found == answers["urgency"]).mean()))
    assert jumps[1] < jumps[0] / 10
    assert min(right) > 0.9


def test_patient_facts_are_exact() -> None:
    samples, answers = drawn_samples()
    answers = {**answers, "urgency": (samples[:, -1] > 0).astype(np.int64)}
    plan = replace(PLAN, boosting=replace(HARD, softness=0.1))
    classifier = fitted(plan, samples, answers, replace(CONFIG, softness=0.1))
    inner = classifier.trees.child != torch.arange(classifier.value.numel())
    of_patient = inner & (classifier.trees.feature >= CONFIG.features)
    assert of_patient.any()
    assert (classifier.width[of_patient] == 0).all()
    assert (classifier.width[inner & ~of_patient] > 0).any()


def test_weights_without_the_widths_that_the_configuration_needs_are_refused() -> None:
    samples, answers = drawn_samples()
    config = replace(BoostedConfig(), heads=CONFIG.heads)
    weights = fitted(PLAN, samples, answers, config).state_dict()
    gradual = asdict(replace(config, softness=0.05))
    entry = ClassifierEntry("boosted", gradual, kind="gradient_boosted")
    with pytest.raises(BundleError, match="such as width"):
        classification_network(entry, encode_weights("boosted", weights), example_manifest())


def test_two_of_three_answers_leave_the_third_unlikely() -> None:
    samples, answers = drawn_samples()
    two = np.where(answers["urgency"] == 1, 2, answers["urgency"])
    scores = fitted(PLAN, samples, {**answers, "urgency": two}, CONFIG).scores(
        torch.from_numpy(samples)
    )
    found = probabilities(scores, CONFIG.heads)["urgency"].numpy()
    expected = same_as_the_plan().fit(samples, two).predict_proba(samples)
    np.testing.assert_allclose(found[:, [0, 2]], expected, atol=1e-3)
    assert found[:, 1].max() < 1e-3


def test_outcome_that_nobody_has_stays_unlikely() -> None:
    samples, answers = drawn_samples()
    scores = fitted(PLAN, samples, answers, CONFIG).scores(torch.from_numpy(samples[:3]))
    assert scores["signs"][:, 1].tolist() == [UNSEEN_SCORE] * 3


def test_trees_that_measure_alike_measure_a_map_once(monkeypatch: pytest.MonkeyPatch) -> None:
    samples, answers = drawn_samples()
    trees = [fitted(replace(PLAN, seed=seed), samples, answers, CONFIG) for seed in (0, 1)]
    measured = []
    monkeypatch.setattr(
        "RetinaTriageLib.networks.boosted_classification.steady_features",
        lambda *map_and_cell: measured.append(map_and_cell) or samples[0, : CONFIG.features],
    )
    grids = [np.zeros((15, 2, 3, 4), np.float32)] * 3
    named = [(str(number), network) for number, network in enumerate(trees)]
    opinions = judge(grids, named, UNKNOWN_PATIENT, 2, lambda _done: None)
    assert len(measured) == 3
    assert [[one.classifier for one in of_map] for of_map in opinions] == [["0", "1"]] * 3


def test_training_tells_wet_from_healthy(tmp_path: Path) -> None:
    folder = healthy_and_wet(tmp_path / "maps")
    few = BoostedPlan(FEW, MeasuringPlan(copies=2))
    figures = train_boosted(few, [folder], tmp_path / "run", held_out=[folder.path])
    assert figures["referral:accuracy"] == 1.0
    assert figures["conditions:auc2"] == pytest.approx(1.0)
    _, header = read_tensors(tmp_path / "run" / "best.safetensors")
    assert header["kind"] == "gradient_boosted"
    assert json.loads(header["config"])["measurements"] == STEADY_VERSION


@pytest.mark.parametrize("resampling", Resampling)
def test_members_differ(resampling: Resampling, tmp_path: Path) -> None:
    folder = healthy_and_wet(tmp_path / "maps")
    plan = BoostedPlan(FEW, MeasuringPlan(copies=4), members=2, resampling=resampling)
    figures = train_boosted(plan, [folder], tmp_path / "run", held_out=[folder.path])
    assert {name.partition(":")[0] for name in figures} == {"member_1", "member_2"}
    first, second = (
        read_tensors(tmp_path / "run" / f"member_{number}" / "best.safetensors")[0]
        for number in (1, 2)
    )
    assert first["value"].tolist() != second["value"].tolist()


def test_a_patient_is_drawn_with_all_maps() -> None:
    patients = [str(number // 3) for number in range(60)]
    samples = np.arange(60, dtype=np.float32)[:, None]
    drawn = MeasuredMaps(samples, {"urgency": np.arange(60)}, patients).drawn(seed=1)
    counts = np.bincount(drawn.answers["urgency"], minlength=60).reshape(20, 3)
    assert (counts == counts[:, :1]).all()
    assert {0, 1, 2} <= set(counts[:, 0].tolist())
    assert drawn.patients == [patients[row] for row in drawn.answers["urgency"]]
    np.testing.assert_array_equal(drawn.samples[:, 0], drawn.answers["urgency"])


def test_drawn_maps_are_learned_with_the_errors_of_others(tmp_path: Path) -> None:
    found, drawn = healthy_and_wet(tmp_path / "found"), healthy_and_wet(tmp_path / "drawn", 4)
    plan = BoostedPlan(FEW, MeasuringPlan(copies=2))
    with pytest.raises(InputError, match="true map of the scan beside it"):
        train_boosted(plan, [found], tmp_path / "run", drawn=[drawn.path])
    with pytest.raises(InputError, match="only copies have errors"):
        train_boosted(
            replace(plan, measuring=MeasuringPlan(copies=0)), [found], tmp_path, drawn=[drawn.path]
        )
    for path in sorted(found.path.iterdir()):
        with np.load(path) as file:
            arrays = dict(file)
        np.savez(path, **arrays, truth=arrays["grid"])
    figures = train_boosted(
        plan, [found], tmp_path / "run", drawn=[drawn.path], held_out=[drawn.path]
    )
    assert figures["referral:accuracy"] == 1.0


def test_no_member_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Found 0 members"):
        train_boosted(replace(PLAN, members=0), [], tmp_path)


@pytest.mark.parametrize("version", [STEADY_VERSION - 1, STEADY_VERSION + 1])
def test_trees_of_other_measurements_are_refused(version: int) -> None:
    samples, answers = drawn_samples()
    config = replace(BoostedConfig(), heads=CONFIG.heads)
    weights = fitted(PLAN, samples, answers, config).state_dict()
    other = asdict(replace(config, measurements=version))
    entry = ClassifierEntry("boosted", other, kind="gradient_boosted")
    refusal = f"measurements of version {version}; this library takes version {STEADY_VERSION}"
    with pytest.raises(BundleError, match=refusal):
        classification_network(entry, encode_weights("boosted", weights), example_manifest())
