"""What the network that learns is shown: changed pictures, or cached features of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from RetinaTriageLib.networks.bscan import BscanNetwork
from RetinaTriageLib.progress import OnProgress, Progress
from RetinaTriageLib.training.feature_cache import FeatureCache
from RetinaTriageLib.training.image_augment import changed
from RetinaTriageLib.training.image_sets import LabeledImage
from RetinaTriageLib.training.image_store import ImageStore
from RetinaTriageLib.training.transfer_backbone import backbone_digest
from RetinaTriageLib.training.transfer_plan import TransferPlan

KEY_LETTERS = 16


class Turn(NamedTuple):
    """A picture's turn to be learned from: its number, and how often it was before."""

    image: int
    epoch: int


class Inputs(Protocol):
    """What a network is shown of pictures."""

    def of_turns(self, turns: Sequence[Turn]) -> Tensor:
        """Give inputs (turn, ...) of training pictures, changed otherwise at every turn."""

    def unchanged(self, images: Sequence[LabeledImage]) -> Iterator[Tensor]:
        """Give inputs (image, ...) of any pictures as they are, in batches."""


@dataclass(frozen=True)
class PictureInputs:
    """Pictures, for a backbone that learns."""

    training: tuple[LabeledImage, ...]
    store: ImageStore
    plan: TransferPlan

    def of_turns(self, turns: Sequence[Turn]) -> Tensor:
        """Give changed pictures (turn, depth, width)."""
        generators = [np.random.default_rng((self.plan.seed, *turn)) for turn in turns]
        pictures = self.store.batch([self.training[turn.image] for turn in turns])
        return changed(pictures, self.plan.augmentation, generators)

    def unchanged(self, images: Sequence[LabeledImage]) -> Iterator[Tensor]:
        """Pictures (image, depth, width)."""
        for start in range(0, len(images), self.plan.batch_size):
            yield self.store.batch(images[start : start + self.plan.batch_size])


@dataclass(frozen=True)
class FeatureInputs:
    """Cached features, for a head on a frozen backbone."""

    training: tuple[LabeledImage, ...]
    cache: FeatureCache
    names: Mapping[str, tuple[str, ...]]

    def of_turns(self, turns: Sequence[Turn]) -> Tensor:
        """Features (turn, feature); copies of a picture take turns."""
        names = []
        for turn in turns:
            copies = self.names[self.training[turn.image].name]
            names.append(copies[turn.epoch % len(copies)])
        return torch.from_numpy(self.cache.take(self.cache.rows(names)))

    def unchanged(self, images: Sequence[LabeledImage]) -> Iterator[Tensor]:
        """Features (image, feature), all in one batch."""
        names = [self.names[image.name][0] for image in images]
        yield torch.from_numpy(self.cache.take(self.cache.rows(names)))


def cached_inputs(
    network: BscanNetwork,
    plan: TransferPlan,
    training: Sequence[LabeledImage],
    others: Sequence[LabeledImage],
    digests: Mapping[str, str],
    folder: Path,
    on_progress: OnProgress,
) -> FeatureInputs:
    """Features of all pictures; those that are not in the cache yet are computed.

    Parameters
    ----------
    training, others : pictures with copies, and pictures as they are alone
    digests : hash of the content, by the picture's name
    folder : of the cache; a run that was killed goes on where it was
    """
    cache = FeatureCache(folder, _key(network, plan), network.head.in_features)
    changes = _changes_key(plan)
    names = {
        image.name: _copy_names(digests[image.name], changes, plan.copies) for image in training
    }
    names |= {image.name: (digests[image.name],) for image in others}
    pictures = {
        name: (image, copy)
        for image in (*training, *others)
        for copy, name in enumerate(names[image.name])
        if name not in cache
    }
    cache.reserve(pictures)
    missing = list(pictures)
    network.to(plan.device).eval()
    for start in range(0, len(missing), plan.batch_size):
        now = missing[start : start + plan.batch_size]
        cache.add(now, _features(network, plan, [pictures[name] for name in now], digests))
        on_progress(Progress("features", start + len(now), len(missing)))
    return FeatureInputs(tuple(training), cache, names)


@torch.inference_mode()
def _features(
    network: BscanNetwork,
    plan: TransferPlan,
    copies: Sequence[tuple[LabeledImage, int]],
    digests: Mapping[str, str],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Features (copy, feature) of copies of pictures; copy 0 is the picture as it is."""
    images = ImageStore(plan.size).batch([image for image, _ in copies])
    later = [index for index, (_, copy) in enumerate(copies) if copy]
    if later:
        generators = [
            np.random.default_rng((plan.seed, int(digests[image.name][:KEY_LETTERS], 16), copy))
            for image, copy in (copies[index] for index in later)
        ]
        images[later] = changed(images[later], plan.augmentation, generators)
    device = torch.device(plan.device)
    with torch.autocast(device.type, torch.bfloat16, enabled=plan.half_precision):
        features: Tensor = network.backbone(images.to(device))
    return features.float().cpu().numpy()


def _key(network: BscanNetwork, plan: TransferPlan) -> str:
    """Name of all that features depend on but the picture and its changes."""
    words = f"{plan.source.backbone} {plan.size} {plan.half_precision} {backbone_digest(network)}"
    return hashlib.sha256(words.encode()).hexdigest()[:KEY_LETTERS]


def _changes_key(plan: TransferPlan) -> str:
    words = f"{plan.augmentation} {plan.seed}"
    return hashlib.sha256(words.encode()).hexdigest()[:KEY_LETTERS]


def _copy_names(digest: str, changes: str, copies: int) -> tuple[str, ...]:
    return (digest, *(f"{digest}.{changes}.{copy}" for copy in range(1, copies)))
