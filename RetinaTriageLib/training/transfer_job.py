"""A whole job of transfer learning: cross-validation, then the networks that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from RetinaTriageLib.networks.bscan import BscanNetwork
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.training.image_sets import ImageSet, LabeledImage
from RetinaTriageLib.training.transfer_plan import (
    Parts,
    Splitting,
    TransferPlan,
    fold_splits,
    single_split,
)
from RetinaTriageLib.training.transfer_run import FEATURES, TransferTraining
from RetinaTriageLib.training.transfer_task import Probabilities


@dataclass(frozen=True)
class TransferJob:
    """What is trained and how it is measured.

    Attributes
    ----------
    folds : of the cross-validation; 0 measures on the test pictures, or on those held out
    members : networks with seeds one after another, whose probabilities are averaged
    cache : folder of bottleneck features, which jobs may share; in the run's folder unless given
    """

    plan: TransferPlan
    splitting: Splitting = field(default_factory=Splitting)
    folds: int = 0
    members: int = 1
    cache: Path | None = None


@dataclass(frozen=True)
class Scored:
    """Pictures that were judged by networks which had not learned from them.

    Attributes
    ----------
    probabilities : (image, class)
    how : what pictures these are, for people
    """

    images: tuple[LabeledImage, ...]
    probabilities: Probabilities
    how: str


def cross_validated(
    pictures: ImageSet,
    job: TransferJob,
    out_folder: Path,
    on_progress: OnProgress = ignore_progress,
) -> Scored:
    """Out-of-fold scores of all pictures; each fold's run lies in a folder of its own.

    Parameters
    ----------
    out_folder : receives ``fold1`` and so on, and the cache; a job that was killed goes on there
    """
    training = TransferTraining(pictures, job.plan, job.cache or out_folder / FEATURES)
    images: list[LabeledImage] = []
    found: list[Probabilities] = []
    for number, parts in enumerate(fold_splits(pictures.images, job.folds, job.splitting), 1):
        on_progress(Progress("fold", number, job.folds))
        _, scores = _members(
            training, job.members, parts, out_folder / f"fold{number}", on_progress
        )
        images += parts.test
        found.append(scores)
    patients = len({image.patient for image in images})
    how = (
        f"{len(images)} pictures of {patients} patients, {job.folds}-fold cross-validation by "
        "patient, each judged by a network that saw nothing of its patient"
    )
    return Scored(tuple(images), np.concatenate(found), how)


def trained(
    pictures: ImageSet,
    job: TransferJob,
    out_folder: Path,
    on_progress: OnProgress = ignore_progress,
) -> tuple[tuple[BscanNetwork, ...], Scored]:
    """Networks of a single split, and the scores of its test pictures or of those held out."""
    parts = single_split(pictures.images, job.splitting)
    training = TransferTraining(pictures, job.plan, job.cache or out_folder / FEATURES)
    networks, scores = _members(training, job.members, parts, out_folder / "final", on_progress)
    measured = parts.test or parts.held_out
    patients = len({image.patient for image in measured})
    how = f"{len(measured)} pictures of {patients} patients held out"
    if not parts.test:
        how += ", by which the best weights were chosen: figures are on the high side"
    return networks, Scored(measured, scores, how)


def _members(
    training: TransferTraining,
    members: int,
    parts: Parts,
    out_folder: Path,
    on_progress: OnProgress,
) -> tuple[tuple[BscanNetwork, ...], Probabilities]:
    networks, found = [], []
    for member in range(members):
        run = out_folder / f"member{member + 1}"
        network, scores = training.train(parts, run, on_progress, member=member)
        networks.append(network)
        found.append(scores)
    return tuple(networks), np.mean(found, axis=0)


def patients_of(images: Sequence[LabeledImage]) -> int:
    """Count the patients of pictures."""
    return len({image.patient for image in images})
