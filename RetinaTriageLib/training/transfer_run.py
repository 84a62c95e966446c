"""Transfer learning: a whole-image network trained on labeled pictures, measured by patient."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from torch import nn

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Head
from RetinaTriageLib.inference.allocator import keep_freed_memory
from RetinaTriageLib.networks.bscan import BscanNetwork
from RetinaTriageLib.progress import OnProgress, ignore_progress
from RetinaTriageLib.training.attention import require_volumes, train_attention, volumes_of
from RetinaTriageLib.training.checkpoints import load_weights, plain_value
from RetinaTriageLib.training.feature_head import StandardizedHead
from RetinaTriageLib.training.image_sets import ImageSet
from RetinaTriageLib.training.image_store import ImageStore, content_digests
from RetinaTriageLib.training.optimization import BEST, FINAL, optimize
from RetinaTriageLib.training.run_identity import claim_run
from RetinaTriageLib.training.transfer_backbone import bscan_network
from RetinaTriageLib.training.transfer_inputs import (
    FeatureInputs,
    PictureInputs,
    cached_inputs,
)
from RetinaTriageLib.training.transfer_plan import Parts, TransferPlan, learned_stages
from RetinaTriageLib.training.transfer_task import (
    Probabilities,
    TransferTask,
    answer_tables,
    judged,
)

KIND = "whole_image"
FEATURES = "features"


class TransferTraining:
    """Trains networks on parts of one set of pictures, which are read and hashed once.

    Parameters
    ----------
    cache : folder of bottleneck features

    Raises
    ------
    InputError
        If a picture has not exactly one class and the head is soft-max.
    """

    def __init__(self, pictures: ImageSet, plan: TransferPlan, cache: Path) -> None:
        _require_answerable(pictures, plan.head)
        if plan.attention is not None:
            require_volumes(pictures.images)
        keep_freed_memory()
        self.pictures, self.plan, self.cache = pictures, plan, cache
        self.digests = content_digests(pictures.images)
        self.store = ImageStore(plan.size)

    def train(
        self,
        parts: Parts,
        out_folder: Path,
        on_progress: OnProgress = ignore_progress,
        *,
        member: int = 0,
    ) -> tuple[BscanNetwork, Probabilities]:
        """Train one network into ``out_folder``, or go on with the run there.

        Parameters
        ----------
        member : is added to the seed of the plan

        Returns
        -------
        network : with the best weights, ready to infer
        probabilities : of the test pictures (image, class); without any, of those held out

        Raises
        ------
        InputError
            If a patient or a picture is in two parts, weights do not fit, or the run in
            ``out_folder`` is of other options or pictures.
        """
        parts.require_sound(self.digests)
        plan = replace(self.plan, seed=self.plan.seed + member)
        classes = self.pictures.classes
        network = bscan_network(
            plan.source, classes, plan.head, plan.size, plan.seed, plan.evidence
        )
        network.learn_last(learned_stages(network, plan.unfreeze_from))
        # Only now: options that make no network shall not claim the folder.
        claim_run(out_folder, plan, parts, self.digests, classes)
        network.to(plan.device)
        measured = parts.test or parts.held_out
        if plan.frozen:
            inputs, head = self._frozen(network, plan, parts, out_folder, on_progress)
            head.folded_into(network.head)
            found = (
                judged(network.judged, inputs, measured, plan) if measured else _nothing(classes)
            )
        else:
            shown = PictureInputs(parts.training, self.store, plan)
            task = TransferTask(plan, parts, shown, answer_tables(plan, parts.training))
            _optimized(network, task, out_folder, on_progress)
            network.eval()
            found = judged(network, shown, measured, plan) if measured else _nothing(classes)
        if plan.attention is not None:
            seen = volumes_of(
                network, parts.training, self.store, plan.attention.absent, plan.device
            )
            train_attention(network, seen, plan.attention, plan.seed)
        return network.eval(), found

    def _frozen(
        self,
        network: BscanNetwork,
        plan: TransferPlan,
        parts: Parts,
        out_folder: Path,
        on_progress: OnProgress,
    ) -> tuple[FeatureInputs, StandardizedHead]:
        """Head that was trained on cached features, and these."""
        others = (*parts.held_out, *parts.test)
        inputs = cached_inputs(
            network, plan, parts.training, others, self.digests, self.cache, on_progress
        )
        features = np.concatenate([t.numpy() for t in inputs.unchanged(parts.training)])
        head = StandardizedHead(features, len(self.pictures.classes)).to(plan.device)
        task = TransferTask(plan, parts, inputs, answer_tables(plan, parts.training))
        _optimized(head, task, out_folder, on_progress)
        return inputs, head.eval()


def _optimized(
    network: nn.Module, task: TransferTask, out_folder: Path, on_progress: OnProgress
) -> None:
    """Train a network and give it its best weights; those of the end where nothing is held out."""
    facts = {"kind": KIND, "plan": json.dumps(asdict(task.plan), default=plain_value)}
    optimize(network, task, task.plan.optimization, out_folder, facts, on_progress)
    load_weights(out_folder / (BEST if task.parts.held_out else FINAL), network)


def _nothing(classes: Sequence[str]) -> Probabilities:
    return np.zeros((0, len(classes)))


def _require_answerable(pictures: ImageSet, head: Head) -> None:
    counts = pictures.truth.sum(axis=1)
    if head is Head.SOFTMAX and (len(pictures.classes) < 2 or not (counts == 1).all()):
        wrong = [i.name for i, count in zip(pictures.images, counts, strict=True) if count != 1]
        msg = (
            f"Found {len(pictures.classes)} classes and {len(wrong)} pictures with none or "
            f"several of them ({', '.join(wrong[:3]) or '...'}); expected one class of two or more "
            "for each picture. Correct the labels, or choose --head binary."
        )
        raise InputError(msg)
