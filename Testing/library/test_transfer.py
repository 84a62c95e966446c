from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from example_transfer import counting, pictures, tiny_plan

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Head
from RetinaTriageLib.networks.bscan_backbones import EncoderBackbone
from RetinaTriageLib.training.image_sets import ImageSet, presence
from RetinaTriageLib.training.image_store import ImageStore
from RetinaTriageLib.training.transfer_figures import class_figures
from RetinaTriageLib.training.transfer_plan import Parts, Splitting, fold_splits, single_split
from RetinaTriageLib.training.transfer_run import TransferTraining

HALVES = Splitting(held_out_share=0.25, test_share=0.25)


def test_frozen_backbone_learns_bright_from_dark(tmp_path: Path) -> None:
    found, plan = pictures(tmp_path / "set"), tiny_plan(tmp_path)
    training = TransferTraining(found, plan, tmp_path / "cache")
    parts = single_split(found.images, HALVES)
    network, scores = training.train(parts, tmp_path / "run")
    assert class_figures(scores, presence(parts.test), plan.head)["auc"] == 1
    with torch.inference_mode():
        alone = network.probabilities(network(ImageStore(plan.size).batch(parts.test)))
    assert np.allclose(alone.numpy(), scores, atol=0.05)  # the cache was made in bfloat16


def test_frozen_backbone_does_not_change(tmp_path: Path) -> None:
    found, plan = pictures(tmp_path / "set"), tiny_plan(tmp_path)
    training = TransferTraining(found, plan, tmp_path / "cache")
    one, _ = training.train(single_split(found.images, HALVES), tmp_path / "one")
    two, _ = training.train(single_split(found.images, HALVES), tmp_path / "two", member=1)
    for name, value in one.backbone.state_dict().items():
        assert torch.equal(value, two.backbone.state_dict()[name])


def test_stages_from_the_chosen_one_learn(tmp_path: Path) -> None:
    found = pictures(tmp_path / "set")
    plan = replace(tiny_plan(tmp_path, iterations=3), unfreeze_from="encoder.level2")
    training = TransferTraining(found, plan, tmp_path / "cache")
    tuned, _ = training.train(single_split(found.images, HALVES), tmp_path / "run")
    frozen, _ = TransferTraining(found, tiny_plan(tmp_path, 1), tmp_path / "cache").train(
        single_split(found.images, HALVES), tmp_path / "frozen"
    )
    changed = {
        name.rsplit(".", 3)[0]
        for name, value in tuned.backbone.named_parameters()
        if not torch.equal(value, frozen.backbone.get_parameter(name))
    }
    assert changed == {"encoder.level2"}


def test_features_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, plan = pictures(tmp_path / "set"), tiny_plan(tmp_path, iterations=1)
    calls: list[int] = []
    forward = EncoderBackbone.forward
    monkeypatch.setattr(
        EncoderBackbone, "forward", lambda self, x: counting(lambda y: forward(self, y), calls)(x)
    )
    parts = Parts(found.images[:20], found.images[20:])
    for run in ("one", "two"):
        TransferTraining(found, plan, tmp_path / "cache").train(parts, tmp_path / run)
    assert sum(calls) == 2 * 20 + 4


def test_killed_cache_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, plan = pictures(tmp_path / "set"), tiny_plan(tmp_path, iterations=1)
    parts = Parts(found.images[:20], found.images[20:])
    calls: list[int] = []
    forward = EncoderBackbone.forward

    def killed(self: EncoderBackbone, images: torch.Tensor) -> torch.Tensor:
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(len(images))
        return forward(self, images)

    monkeypatch.setattr(EncoderBackbone, "forward", killed)
    with pytest.raises(KeyboardInterrupt):
        TransferTraining(found, plan, tmp_path / "cache").train(parts, tmp_path / "run")
    done = sum(calls)
    monkeypatch.setattr(
        EncoderBackbone, "forward", lambda self, x: counting(lambda y: forward(self, y), calls)(x)
    )
    TransferTraining(found, plan, tmp_path / "cache").train(parts, tmp_path / "run")
    assert done == 12
    assert sum(calls) == 2 * 20 + 4


def test_patient_in_two_parts_is_refused(tmp_path: Path) -> None:
    found = pictures(tmp_path / "set")
    training = TransferTraining(found, tiny_plan(tmp_path), tmp_path / "cache")
    with pytest.raises(InputError, match="patients in both training and held out"):
        training.train(Parts(found.images[:19], found.images[19:]), tmp_path / "run")


def test_binary_heads_judge_each_class_alone(tmp_path: Path) -> None:
    found = pictures(tmp_path / "set")
    both = tuple(replace(image, present=(*image.present, True)) for image in found.images)
    several = ImageSet((*found.classes, "any"), both)
    plan = replace(tiny_plan(tmp_path, iterations=100), head=Head.BINARY)
    _, scores = TransferTraining(several, plan, tmp_path / "cache").train(
        single_split(both, HALVES), tmp_path / "run"
    )
    assert scores[:, 2].min() > 0.5
    assert scores.sum(axis=1).max() > 1.5


def test_several_classes_of_a_picture_need_binary_heads(tmp_path: Path) -> None:
    found = pictures(tmp_path / "set")
    both = tuple(replace(image, present=(True, True)) for image in found.images)
    with pytest.raises(InputError, match="choose --head binary"):
        TransferTraining(ImageSet(found.classes, both), tiny_plan(tmp_path), tmp_path / "cache")


def test_every_picture_is_tested_once_by_folds(tmp_path: Path) -> None:
    found = pictures(tmp_path / "set")
    splits = fold_splits(found.images, 3, Splitting(held_out_share=0.2, images_per_class=3))
    tested = [image.name for parts in splits for image in parts.test]
    assert sorted(tested) == sorted(image.name for image in found.images)
    for parts in splits:
        assert presence(parts.training).sum(axis=0).tolist() == [3, 3]
        assert parts.held_out


def test_run_that_was_killed_ends_as_one_that_was_not(tmp_path: Path) -> None:
    found, plan = pictures(tmp_path / "set"), tiny_plan(tmp_path, iterations=12)
    training = TransferTraining(found, plan, tmp_path / "cache")
    parts = single_split(found.images, HALVES)

    def stop(progress: object) -> None:
        if getattr(progress, "stage", "") == "train" and getattr(progress, "done", 0) == 6:
            raise KeyboardInterrupt

    whole, _ = training.train(parts, tmp_path / "whole")
    hasty = replace(plan, optimization=replace(plan.optimization, save_minutes=0.0))
    killed = TransferTraining(found, hasty, tmp_path / "cache")
    with pytest.raises(KeyboardInterrupt):
        killed.train(parts, tmp_path / "killed", stop)
    resumed, _ = killed.train(parts, tmp_path / "killed")
    assert torch.allclose(whole.head.weight, resumed.head.weight, atol=1e-6)


@pytest.mark.parametrize(
    ("seed", "batch_size", "message"),
    [(1, 4, "other pictures to learn from"), (0, 5, "other options;")],
)
def test_run_goes_on_with_nothing_else(
    tmp_path: Path, seed: int, batch_size: int, message: str
) -> None:
    found, plan = pictures(tmp_path / "set"), tiny_plan(tmp_path, iterations=1)
    first = single_split(found.images, HALVES)
    TransferTraining(found, plan, tmp_path / "cache").train(first, tmp_path / "run")
    other = single_split(found.images, replace(HALVES, seed=seed))
    changed = TransferTraining(found, replace(plan, batch_size=batch_size), tmp_path / "cache")
    with pytest.raises(InputError, match=message):
        changed.train(other, tmp_path / "run")
