from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.ensemble import GradientBoostingClassifier
from test_classification_loop import healthy_and_wet

from RetinaTriageLib.networks.boosted_classification import BoostedConfig
from RetinaTriageLib.networks.classification import HeadShape, probabilities
from RetinaTriageLib.training.boosted_training import (
    UNSEEN_SCORE,
    BoostedPlan,
    fitted,
    train_boosted,
)
from RetinaTriageLib.training.checkpoints import read_tensors

PLAN = BoostedPlan(rounds=12, copies=0)
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
        n_estimators=PLAN.rounds,
        max_depth=PLAN.depth,
        learning_rate=PLAN.learning_rate,
        subsample=PLAN.sample_share,
        max_features=PLAN.feature_share,
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


def test_training_tells_wet_from_healthy(tmp_path: Path) -> None:
    folder = healthy_and_wet(tmp_path / "maps")
    few = BoostedPlan(rounds=10, copies=2, sample_share=1.0)
    figures = train_boosted(few, [folder], tmp_path / "run", held_out=[folder.path])
    assert figures["referral:accuracy"] == 1.0
    assert figures["conditions:auc2"] == pytest.approx(1.0)
    _, header = read_tensors(tmp_path / "run" / "best.safetensors")
    assert header["kind"] == "gradient_boosted"
