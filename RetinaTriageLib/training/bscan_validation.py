"""Dice of segmenters that take B-scans one by one, on labeled B-scans that were held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from RetinaTriageLib.networks.kinds import BscanSegmenter
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.training.segmentation_validation import (
    CODES,
    fluid_dice,
    tissue_dice,
    validation_columns,
)
from RetinaTriageLib.training.stack_spacing import spacing_of
from RetinaTriageLib.training.stacks import StackLibrary
from RetinaTriageLib.volume import VoxelSpacing


@torch.inference_mode()
def bscan_figures(
    segmenter: BscanSegmenter,
    folders: Sequence[Path],
    spacings: Mapping[str, VoxelSpacing],
    bscans: int,
) -> dict[str, float]:
    """Dice of each folder by tissue, of fluid, and their mean; NaN where nothing is labeled.

    Parameters
    ----------
    bscans : at most so many B-scans of a stack are segmented, spread over it
    """
    figures: dict[str, float] = {}
    for folder in folders:
        confusion = np.zeros((CODES, len(TISSUES)), np.int64)
        for stack in StackLibrary(folder):
            chosen = spread_bscans(len(stack.image), bscans)
            scores = segmenter.bscan_scores(stack.image[chosen], spacing_of(stack, spacings))
            labels = scores.argmax(dim=1).cpu().numpy()
            pairs = stack.codes[chosen].astype(np.int64) * len(TISSUES) + labels
            counts = np.bincount(pairs.ravel(), minlength=CODES * len(TISSUES))
            confusion += counts.reshape(CODES, len(TISSUES))
        dice = tissue_dice(confusion)
        present = [value for value in dice if not np.isnan(value)]
        mean = float(np.mean(present)) if present else float("nan")
        names = validation_columns(folder.name)
        figures |= dict(zip(names, [fluid_dice(confusion), mean, *dice], strict=True))
    return figures


def spread_bscans(count: int, wanted: int) -> list[int]:
    """Positions of at most so many B-scans, spread evenly.

    Examples
    --------
    >>> spread_bscans(6, 2)
    [1, 4]
    """
    taken = min(count, wanted)
    return [int((at + 0.5) * count / taken) for at in range(taken)]
