"""Attention over the B-scans of a volume, trained on volumes whose B-scans have classes.

The whole-image network is trained first and stays as it is. A small layer then learns how much each
B-scan of a volume counts, so that the weighted mean of their probabilities says what the volume
shows: a finding if any B-scan shows it, the absence of findings if none does.

References
----------
Ilse et al., Attention-based deep multiple instance learning, ICML 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.bscan import BscanNetwork
from RetinaTriageLib.training.image_sets import LabeledImage, presence
from RetinaTriageLib.training.image_store import ImageStore

BATCH = 16
LEAST = 1e-4  # probabilities are kept so far from 0 and 1 that no volume's loss is infinite


@dataclass(frozen=True)
class AttentionPlan:
    """How attention is trained.

    Attributes
    ----------
    hidden : units of its hidden layer
    absent : names of classes that say that nothing was found
    """

    hidden: int = 16
    absent: tuple[str, ...] = ()
    iterations: int = 300
    learning_rate: float = 5e-3
    weight_decay: float = 1e-2


@dataclass(frozen=True)
class Volumes:
    """B-scans of volumes as a trained network sees them.

    Attributes
    ----------
    features, scores : float tensors (B-scan, F) and (B-scan, class), probabilities
    members : numbers of the B-scans of each volume
    truth : bool array (volume, class)
    """

    features: Tensor
    scores: Tensor
    members: tuple[Tensor, ...]
    truth: npt.NDArray[np.bool_]


def volume_truth(
    present: npt.NDArray[np.bool_], classes: Sequence[str], absent: Sequence[str]
) -> npt.NDArray[np.bool_]:
    """Classes (class,) of a volume of those of its B-scans (B-scan, class).

    Examples
    --------
    >>> bscans = np.array([[True, False], [False, True]])
    >>> volume_truth(bscans, ("drusen", "normal"), ("normal",)).tolist()
    [True, False]
    """
    nothing = np.array([name in absent for name in classes], np.bool_)
    found = np.asarray(present.any(axis=0), np.bool_)
    all_of_it = present.all(axis=0) & (not found[~nothing].any())
    truth: npt.NDArray[np.bool_] = np.where(nothing, all_of_it, found)
    return truth


def require_volumes(images: Sequence[LabeledImage]) -> None:
    """Refuse pictures that name no volume.

    Raises
    ------
    InputError
        If there is one, or no picture at all.
    """
    nameless = [image.name for image in images if not image.scan]
    if nameless or not images:
        msg = (
            f"Found {len(nameless)} of {len(images)} pictures without a volume "
            f"({', '.join(nameless[:3])}); attention learns from volumes. Name the volume of each "
            "picture in the column scan of a CSV."
        )
        raise InputError(msg)


@torch.no_grad()  # and not inference mode: attention learns from what comes back
def volumes_of(
    network: BscanNetwork,
    images: Sequence[LabeledImage],
    store: ImageStore,
    absent: Sequence[str],
    device: str = "cpu",
) -> Volumes:
    """Volumes that pictures belong to, each B-scan judged once.

    Raises
    ------
    InputError
        If a picture names no volume.
    """
    require_volumes(images)
    network.to(device).eval()
    features, scores = [], []
    for first in range(0, len(images), BATCH):
        seen = network.backbone(store.batch(images[first : first + BATCH]).to(device))
        scores.append(network.probabilities(network.judged(seen)))
        features.append(seen.mean(dim=1) if seen.ndim == 3 else seen)
    scans = np.array([image.scan for image in images])
    members = [np.flatnonzero(scans == scan) for scan in dict.fromkeys(scans.tolist())]
    present = presence(images)
    classes = network.config.classes
    truth = [volume_truth(present[own], classes, absent) for own in members]
    return Volumes(
        torch.cat(features).float(),
        torch.cat(scores).float(),
        tuple(torch.from_numpy(own).to(device) for own in members),
        np.stack(truth),
    )


def pooled(network: BscanNetwork, volumes: Volumes) -> Tensor:
    """Probabilities (volume, class): mean of each volume's B-scans, weighted by attention."""
    raw = network.weighted(volumes.features)
    return torch.stack([raw[own].softmax(dim=0) @ volumes.scores[own] for own in volumes.members])


def train_attention(
    network: BscanNetwork, volumes: Volumes, plan: AttentionPlan, seed: int = 0
) -> None:
    """Give a trained network attention over B-scans; nothing else of it changes."""
    torch.manual_seed(seed)
    network.add_attention(plan.hidden)
    assert network.attention is not None
    network.attention.to(volumes.features.device)
    center, spread = volumes.features.mean(dim=0), volumes.features.std(dim=0).clamp_min(1e-6)
    known = Volumes(
        (volumes.features - center) / spread, volumes.scores, volumes.members, volumes.truth
    )
    truth = torch.from_numpy(volumes.truth).float().to(volumes.features.device)
    optimizer = torch.optim.AdamW(
        network.attention.parameters(), plan.learning_rate, weight_decay=plan.weight_decay
    )
    with torch.enable_grad():
        for _ in range(plan.iterations):
            found = pooled(network, known).clamp(LEAST, 1 - LEAST)
            loss = torch.nn.functional.binary_cross_entropy(found, truth)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    _fold(network.attention[0], center, spread)


@torch.no_grad()
def _fold(first: torch.nn.Module, center: Tensor, spread: Tensor) -> None:
    """Let a layer that learned from standardized features take features as they are."""
    assert isinstance(first, torch.nn.Linear)
    first.weight /= spread
    first.bias.sub_(first.weight @ center)
