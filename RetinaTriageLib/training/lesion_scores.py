"""How well lesions are named, and what names serve best."""

from __future__ import annotations

import numpy as np
import torch

from RetinaTriageLib.networks.lesion_features import CALLED, Features
from RetinaTriageLib.networks.lesion_naming import LesionNamer, best_names
from RetinaTriageLib.networks.lesions import LESION_LABELS, LESION_TISSUES
from RetinaTriageLib.training.lesion_samples import MeasuredLesions
from RetinaTriageLib.training.tree_arrays import Float64Array, IntArray

SHIFTS = tuple(np.linspace(-1.0, 1.0, 9).tolist())  # 0 among them
SHIFT_ROUNDS = 2


def name_scores(namer: LesionNamer, features: Features) -> Features:
    """Scores of every tissue, float32 array (lesion, tissue)."""
    with torch.inference_mode():
        scores: Features = namer(torch.from_numpy(features)).numpy()
    return scores


def best_shifts(scores: Features, lesions: MeasuredLesions) -> Float64Array:
    """Find what to add to the score of each tissue, (tissue,), so that the mean Dice is best."""
    shifts = np.zeros(scores.shape[1])
    present = [label for label in LESION_LABELS if lesions.truth[:, label].any()]
    for _ in range(SHIFT_ROUNDS):
        for label in present:
            tried = []
            for shift in SHIFTS:
                shifts[label] = shift
                shifted = torch.from_numpy(scores + shifts)
                dice = dice_of(best_names(shifted).numpy(), lesions)
                tried.append(float(np.nanmean(dice[present])))
            shifts[label] = SHIFTS[int(np.argmax(tried))]
    return shifts


def dice_of(labels: IntArray, lesions: MeasuredLesions) -> Float64Array:
    """Dice of every tissue, (tissue,), if the lesions are called so; only of lesions' it is whole.

    Parameters
    ----------
    labels : int array (lesion,)
    """
    tissues = lesions.truth.shape[1]
    called = np.bincount(labels, weights=lesions.truth.sum(axis=1), minlength=tissues)
    own = lesions.truth[np.arange(len(labels)), labels]
    right = np.bincount(labels, weights=own, minlength=tissues)
    sizes = called + lesions.truth.sum(axis=0) + lesions.missed
    return np.where(sizes > 0, 2 * right / np.maximum(sizes, 1), np.nan)


def naming_figures(namer: LesionNamer, lesions: MeasuredLesions) -> dict[str, float]:
    """Dice of every lesion tissue, voxels of all maps pooled, before naming and after."""
    own = np.array(LESION_LABELS)[lesions.features[:, CALLED].argmax(axis=1)]
    with torch.inference_mode():
        named = namer.names(torch.from_numpy(lesions.features)).numpy()
    before, after = dice_of(own, lesions), dice_of(named, lesions)
    figures: dict[str, float] = {}
    for name, label in zip(LESION_TISSUES, LESION_LABELS, strict=True):
        figures[f"{name} before"] = float(before[label])
        figures[f"{name} after"] = float(after[label])
    return figures
