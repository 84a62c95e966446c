"""Whole-image classifiers at work: pictures or the B-scans of a volume in, probabilities out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from RetinaTriageLib.bscan_verdict import (
    BscanVerdict,
    ImageOrigin,
    ImageTask,
    ScoreArray,
    volume_verdict,
)
from RetinaTriageLib.bundle_images import ImageBundle
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Pooling
from RetinaTriageLib.inference.compute import Compute, choose_compute
from RetinaTriageLib.inference.memory import in_chunks_that_fit
from RetinaTriageLib.networks.bscan import BscanNetwork
from RetinaTriageLib.networks.gray import GrayScale, gray_scale
from RetinaTriageLib.networks.image_input import network_images, resampled
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.version import VERSION
from RetinaTriageLib.volume import OCTVolume

STAGE = "judge images"
BATCH = 8

Picture = npt.NDArray[Any]
Judge = Callable[[npt.NDArray[np.float32]], ScoreArray]


@dataclass(frozen=True)
class ImageAnswers:
    """Answers of all networks of a bundle, averaged.

    Attributes
    ----------
    scores : float array (image, class), probabilities
    attention : float array (image,), adds up to 1; None where a network has no attention
    """

    scores: ScoreArray
    attention: ScoreArray | None
    notes: tuple[str, ...] = ()


def judge_images(
    images: Sequence[Picture],
    bundle: ImageBundle,
    *,
    compute: Compute | None = None,
    batch: int = BATCH,
    on_progress: OnProgress = ignore_progress,
) -> ScoreArray:
    """Probabilities (image, class) of single images, each on a gray scale of its own.

    Parameters
    ----------
    images : gray arrays (depth, width) of any sizes and kinds; 8 bits count as 0 to 255
    compute : None chooses the fastest device
    batch : images at a time; a matter of memory and speed, not of the result
    on_progress : counts images; raise `CancelledError` from it to stop

    Raises
    ------
    InputError
        If there is no image, or one is not (depth, width).
    DeviceError
        If memory does not suffice for a single image.
    """
    scales = [gray_scale(_require_gray(image)[None]) for image in images]
    return _answers(images, scales, bundle, compute or choose_compute(), batch, on_progress).scores


def judge_bscans(
    volume: OCTVolume,
    bundle: ImageBundle,
    pooling: Pooling | None = None,
    *,
    task: ImageTask | None = None,
    compute: Compute | None = None,
    batch: int = BATCH,
    on_progress: OnProgress = ignore_progress,
) -> BscanVerdict:
    """Verdict of whole-image classifiers on a volume, by its B-scans on one gray scale.

    Any scan pattern will do: no B-scan is judged by its neighbors.

    Parameters
    ----------
    pooling : how B-scans become a volume; None is the bundle's own choice
    task : classes with other referrals than the bundle's, see `bundle_task`

    Raises
    ------
    DeviceError
        If memory does not suffice for a single B-scan.
    """
    start = time.perf_counter()
    chosen = compute or choose_compute()
    scales = [gray_scale(volume.voxels)] * volume.shape[0]
    answers = _answers(list(volume.voxels), scales, bundle, chosen, batch, on_progress)
    origin = image_origin(bundle, chosen, time.perf_counter() - start, answers.notes)
    return volume_verdict(
        task or bundle_task(bundle),
        answers.scores,
        pooling or bundle.manifest.pooling,
        origin,
        answers.attention,
    )


def image_judge(bundle: ImageBundle, compute: Compute | None = None) -> Judge:
    """Make a function of images, float array (N, depth, width) 0..1, to (N, class).

    The networks are built once, so it serves what asks often, such as an occlusion test.
    """
    chosen = compute or choose_compute()
    networks = _placed(bundle, chosen)
    size = bundle.manifest.size

    def judge(images: npt.NDArray[np.float32]) -> ScoreArray:
        tensor = resampled(torch.from_numpy(np.ascontiguousarray(images)).float(), size)
        return _mean([_judged(network, tensor, chosen)[0] for network in networks])

    return judge


def bundle_task(bundle: ImageBundle) -> ImageTask:
    """Question that a bundle's classifiers answer."""
    manifest = bundle.manifest
    return ImageTask(manifest.classes, manifest.head, manifest.otherwise)


def image_origin(
    bundle: ImageBundle, compute: Compute, seconds: float, notes: tuple[str, ...] = ()
) -> ImageOrigin:
    """Where the answers of a bundle come from."""
    manifest = bundle.manifest
    return ImageOrigin(
        bundle_name=f"{manifest.name} {manifest.version}",
        bundle_sha256=bundle.sha256,
        images=manifest.images,
        trained_on=manifest.trained_on,
        library_version=VERSION,
        torch_version=torch.__version__,
        compute=compute.description.removesuffix(", fused convolutions"),
        seconds=round(seconds, 3),
        notes=notes,
    )


def _answers(
    images: Sequence[Picture],
    scales: Sequence[GrayScale],
    bundle: ImageBundle,
    compute: Compute,
    batch: int,
    on_progress: OnProgress,
) -> ImageAnswers:
    if not images or batch < 1:
        msg = f"Found {len(images)} images and batches of {batch}; expected at least one of each."
        raise InputError(msg)
    size, total = bundle.manifest.size, len(images)
    networks = _placed(bundle, compute)
    notes: list[str] = []

    def say(sentence: str) -> None:
        notes.append(sentence)
        on_progress(Progress(STAGE, 0, total, sentence))

    def attempt(chunk: int) -> list[list[tuple[ScoreArray, ScoreArray | None]]]:
        parts: list[list[tuple[ScoreArray, ScoreArray | None]]] = [[] for _ in networks]
        for start in range(0, total, chunk):
            on_progress(Progress(STAGE, start, total))
            stop = min(start + chunk, total)
            tensors = [
                network_images(images[at][None], size, scales[at]) for at in range(start, stop)
            ]
            now = torch.cat(tensors)  # (image, depth, width)
            for found, network in zip(parts, networks, strict=True):
                found.append(_judged(network, now, compute))
        on_progress(Progress(STAGE, total, total))
        return parts

    parts = in_chunks_that_fit(attempt, batch, "images", say)
    scores = _mean([np.concatenate([score for score, _ in found]) for found in parts])
    raw = [[weight for _, weight in found if weight is not None] for found in parts]
    attention = None
    if all(raw):
        attention = _mean([_softmax(np.concatenate(found)) for found in raw])
    return ImageAnswers(scores, attention, tuple(notes))


def _placed(bundle: ImageBundle, compute: Compute) -> tuple[BscanNetwork, ...]:
    return tuple(network.to(compute.torch_device) for network in bundle.networks())


@torch.inference_mode()
def _judged(
    network: BscanNetwork, images: Tensor, compute: Compute
) -> tuple[ScoreArray, ScoreArray | None]:
    """Probabilities (image, class), and attention before softmax (image,) or None."""
    half = compute.dtype_name == "bfloat16"
    with torch.autocast(compute.device, torch.bfloat16, enabled=half):
        features: Tensor = network.backbone(images.to(compute.torch_device))
    features = features.float()
    scores = network.probabilities(network.judged(features)).double().cpu().numpy()
    if network.attention is None:
        return scores, None
    return scores, network.weighted(features).double().cpu().numpy()


def _mean(arrays: Sequence[ScoreArray]) -> ScoreArray:
    return np.asarray(np.mean(arrays, axis=0), np.float64)


def _softmax(values: ScoreArray) -> ScoreArray:
    raised = np.exp(values - values.max())
    return np.asarray(raised / raised.sum(), np.float64)


def _require_gray(image: Picture) -> Picture:
    if image.ndim != 2:
        msg = f"Found an image of shape {image.shape}; expected gray values (depth, width)."
        raise InputError(msg)
    return image
