"""What the network that learns is shown: changed pictures, or cached features of them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from RetinaTriageLib.image_classes import Evidence
from RetinaTriageLib.networks.bscan import BscanNetwork
from RetinaTriageLib.progress import OnProgress, Progress
from RetinaTriageLib.training.feature_cache import FeatureCache
from RetinaTriageLib.training.image_augment import changed
from RetinaTriageLib.training.image_sets import LabeledImage
from RetinaTriageLib.training.image_store import ImageStore
from RetinaTriageLib.training.transfer_backbone import backbone_digest
from RetinaTriageLib.training.transfer_plan import TransferPlan
from RetinaTriageLib.writers.file_lock import lock_waited_for

KEY_LETTERS = 16
BATCH_NUMBERS = 1 << 24  # of cached features that are judged at a time


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
    shape: tuple[int, ...]

    def of_turns(self, turns: Sequence[Turn]) -> Tensor:
        """Features (turn, feature) or (turn, place, feature); copies of a picture take turns."""
        names = []
        for turn in turns:
            copies = self.names[self.training[turn.image].name]
            names.append(copies[turn.epoch % len(copies)])
        return self._of(names)

    def unchanged(self, images: Sequence[LabeledImage]) -> Iterator[Tensor]:
        """Features (image, feature), or by place, in one batch, or batches where they are large."""
        names = [self.names[image.name][0] for image in images]
        several = max(1, BATCH_NUMBERS // math.prod(self.shape))
        for start in range(0, len(names), several):
            yield self._of(names[start : start + several])

    def _of(self, names: Sequence[str]) -> Tensor:
        rows = self.cache.take(self.cache.rows(names))
        return torch.from_numpy(rows.reshape(len(names), *self.shape))


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
    folder : of the cache; a run that was killed goes on where it was, and one that finds another
        run at work waits for it
    """
    shape, key = _feature_shape(network, plan), _key(network, plan)
    changes = _changes_key(plan)
    names = {
        image.name: _copy_names(digests[image.name], changes, plan.copies) for image in training
    }
    names |= {image.name: (digests[image.name],) for image in others}
    images = (*training, *others)

    def say_waiting() -> None:
        on_progress(Progress("wait", 1, 1, "another run adds to the cached features"))

    folder.mkdir(parents=True, exist_ok=True)
    with lock_waited_for(folder / f"{key}.lock", say_waiting):
        cache = FeatureCache(folder, key, math.prod(shape))
        pictures = {
            name: (image, copy)
            for image in images
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
    return FeatureInputs(tuple(training), cache, names, shape)


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
    return features.float().flatten(1).cpu().numpy()


@torch.inference_mode()
def _feature_shape(network: BscanNetwork, plan: TransferPlan) -> tuple[int, ...]:
    """Shape of the features of one picture: (feature,) or (place, feature)."""
    if plan.evidence is Evidence.PICTURE:
        return (network.head.in_features,)
    network.to(plan.device).eval()
    return tuple(network.backbone(torch.zeros(1, *plan.size, device=plan.device)).shape[1:])


def _key(network: BscanNetwork, plan: TransferPlan) -> str:
    """Name of all that features depend on but the picture and its changes."""
    words = (
        f"{plan.source.backbone} {plan.size} {plan.half_precision} {plan.evidence} "
        f"{backbone_digest(network)}"
    )
    return hashlib.sha256(words.encode()).hexdigest()[:KEY_LETTERS]


def _changes_key(plan: TransferPlan) -> str:
    words = f"{plan.augmentation} {plan.seed}"
    return hashlib.sha256(words.encode()).hexdigest()[:KEY_LETTERS]


def _copy_names(digest: str, changes: str, copies: int) -> tuple[str, ...]:
    return (digest, *(f"{digest}.{changes}.{copy}" for copy in range(1, copies)))
