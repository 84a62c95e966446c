"""Dice of a segmentation network on labeled B-scans that were held out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from RetinaTriageLib.labels.label_sets import LABEL_SETS
from RetinaTriageLib.networks.gray import EIGHT_BITS, normalize
from RetinaTriageLib.networks.segmentation import SegmentationNetwork
from RetinaTriageLib.tissues import TISSUES, TissueGroup, labels_of
from RetinaTriageLib.training.stacks import Stack, StackLibrary

FLUID = "fluid"
MEAN = "mean"
CODES = 256
BSCANS_AT_A_TIME = 8  # and their neighbors; whole volumes would take gigabytes

Confusion = npt.NDArray[np.int64]


def validation_columns(folder_name: str) -> tuple[str, ...]:
    """Names of the figures of one folder: fluid, the mean over tissues, every tissue."""
    names = (FLUID, MEAN, *(tissue.name for tissue in TISSUES))
    return tuple(f"{folder_name}:{name}" for name in names)


def segmentation_figures(
    network: SegmentationNetwork, library: StackLibrary, device: str, *, half_precision: bool
) -> dict[str, float]:
    """Dice of a folder by tissue, of fluid, and their mean; NaN where nothing is labeled.

    Counts are pooled over the folder. Fluid counts wherever a label tells fluid from the rest;
    single tissues count on voxels of known tissue.
    """
    confusion = np.zeros((CODES, len(TISSUES)), np.int64)
    for stack in library:
        confusion += _confusion(network, stack, device, half_precision=half_precision)
    dice = tissue_dice(confusion)
    figures = [fluid_dice(confusion), _mean(dice), *dice]
    return dict(zip(validation_columns(library.path.name), figures, strict=True))


def folder_score(figures: dict[str, float], folder_name: str) -> float:
    """Rate the network on a folder by one number: mean Dice, or fluid Dice alone."""
    mean = figures[f"{folder_name}:{MEAN}"]
    return figures[f"{folder_name}:{FLUID}"] if np.isnan(mean) else mean


def tissue_dice(confusion: Confusion) -> list[float]:
    """Dice of every tissue in the truth; NaN for tissues that are absent there."""
    known = confusion[: len(TISSUES)]
    sizes = known.sum(axis=0) + known.sum(axis=1)
    present = known.sum(axis=1) > 0
    values = 2 * np.diagonal(known) / np.maximum(sizes, 1)
    return [float(value) for value in np.where(present, values, np.nan)]


def fluid_dice(confusion: Confusion) -> float:
    """Dice of both fluids together, on labels that tell fluid from the rest."""
    fluid = np.isin(np.arange(len(TISSUES)), labels_of(TissueGroup.FLUID))
    surely = ~LABEL_SETS[:, ~fluid].any(axis=1)
    never = ~LABEL_SETS[:, fluid].any(axis=1)
    hits = int(confusion[surely][:, fluid].sum())
    misses = int(confusion[surely].sum()) - hits
    false_alarms = int(confusion[never][:, fluid].sum())
    truth = hits + misses
    return 2 * hits / (2 * hits + misses + false_alarms) if truth else float("nan")


@torch.inference_mode()
def _confusion(
    network: SegmentationNetwork, stack: Stack, device: str, *, half_precision: bool
) -> Confusion:
    """Voxel counts (code, predicted tissue) of one stack, a few B-scans at a time."""
    counts = np.zeros(CODES * len(TISSUES), np.int64)
    images = normalize(stack.image, EIGHT_BITS)
    context = network.config.context_bscans // 2
    for first in range(0, len(images), BSCANS_AT_A_TIME):
        last = min(first + BSCANS_AT_A_TIME, len(images))
        if not stack.labeled[first:last].any():
            continue
        start = max(0, first - context)
        seen = torch.from_numpy(images[start : last + context])[None].to(device)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half_precision):
            scores = network(seen, stack.device)[0, :, first - start : last - start]
        labels = scores.argmax(dim=0).cpu().numpy()
        pairs = stack.codes[first:last].astype(np.int64) * len(TISSUES) + labels
        counts += np.bincount(pairs.ravel(), minlength=len(counts))
    return counts.reshape(CODES, len(TISSUES))


def _mean(values: list[float]) -> float:
    present = [value for value in values if not np.isnan(value)]
    return float(np.mean(present)) if present else float("nan")
