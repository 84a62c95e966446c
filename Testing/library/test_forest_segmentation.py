from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from example_bands import SPACING, banded_bscans, banded_codes
from sklearn.ensemble import RandomForestClassifier

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.forest_segmentation import ForestConfig
from RetinaTriageLib.networks.voxel_features import FEATURES, voxel_features
from RetinaTriageLib.training.checkpoints import read_tensors
from RetinaTriageLib.training.forest_training import (
    ForestPlan,
    as_segmenter,
    drawn_voxels,
    train_forest,
)
from RetinaTriageLib.training.sample_folder import Folder

PLAN = ForestPlan(trees=4, depth=6, stacks=1, bscans=2, voxels=60)


def test_probabilities_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(300, len(FEATURES))).astype(np.float32)
    labels = rng.choice([0, 3, 11], 300)
    forest = RandomForestClassifier(5, min_samples_leaf=3, random_state=0).fit(samples, labels)
    found = as_segmenter(forest, ForestConfig()).probabilities(torch.from_numpy(samples)).numpy()
    np.testing.assert_allclose(found[:, [0, 3, 11]], forest.predict_proba(samples), atol=1e-6)
    assert not found[:, [1, 2, 4]].any()


def test_forest_learns_the_bands(tmp_path: Path) -> None:
    folder = tmp_path / "bands"
    folder.mkdir()
    np.savez(folder / "a.npz", image=banded_bscans(), codes=banded_codes())
    spacings = {"spectralis": SPACING}
    figures = train_forest(PLAN, [Folder(folder)], spacings, tmp_path / "run", held_out=[folder])
    assert figures["bands:mean"] > 0.95
    tensors, header = read_tensors(tmp_path / "run" / "best.safetensors")
    assert header["kind"] == "random_forest"
    assert tensors["trees.root"].numel() == 4


def test_device_without_spacing_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=banded_bscans(), codes=banded_codes())
    with pytest.raises(InputError, match="spectralis=DEPTH,WIDTH"):
        train_forest(PLAN, [Folder(tmp_path)], {}, tmp_path / "run")


def test_features_say_where_a_voxel_lies() -> None:
    features = voxel_features(banded_bscans(1)[0], SPACING)
    assert features.shape == (*banded_bscans(1).shape[1:], len(FEATURES))
    assert np.isfinite(features).all()
    below_ilm = features[:, 48, FEATURES.index("below_ilm_um")]
    assert below_ilm[80] == pytest.approx((80 - 60) * 3.87, abs=4)


def test_mirrored_bscan_has_mirrored_features() -> None:
    bscan = banded_bscans(1)[0]
    here, there = voxel_features(bscan, SPACING), voxel_features(bscan[:, ::-1], SPACING)
    column = FEATURES.index("gray_15um")
    np.testing.assert_allclose(here[..., column], there[:, ::-1, column], atol=0.03)


def test_drawn_voxels_stand_for_their_tissue() -> None:
    codes = np.zeros((10, 20), np.uint8)
    codes[:, 15:], codes[0] = 3, 255
    whole = ForestPlan(voxels=10, balance=0)
    places, weights = drawn_voxels(codes, 15, whole, np.random.default_rng(0))
    labels = codes.reshape(-1)[places]
    assert set(labels.tolist()) == {0, 3}
    assert weights[labels == 0].sum() == pytest.approx((codes == 0).sum())
