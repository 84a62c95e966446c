"""Figures of a classification network on held-out tissue maps: AUC, accuracy, mean penalty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import rankdata

from RetinaTriageLib.networks.classification import (
    ClassificationConfig,
    HeadShape,
    probabilities,
)
from RetinaTriageLib.networks.joint_classification import JointNetwork
from RetinaTriageLib.networks.kinds import MapClassifier
from RetinaTriageLib.training.grid_augment import GridAugmentation, mistaken
from RetinaTriageLib.training.grids import UNANSWERED, GridLibrary, GridSample, as_batch

JOINT_MAPS = 3  # that a joint classifier is given of each held-out map

Scores = npt.NDArray[np.float64]
Answers = npt.NDArray[np.int64]


def figure_names(config: ClassificationConfig, penalized: Sequence[str]) -> tuple[str, ...]:
    """Names of the figures: accuracy of exclusive heads, AUC of every outcome of the others."""
    names = []
    for head in config.heads:
        if head.exclusive:
            names.append(f"{head.name}:accuracy")
        else:
            names += [f"{head.name}:auc", *(f"{head.name}:auc{i}" for i in range(head.size))]
        if head.name in penalized:
            names.append(f"{head.name}:penalty")
    return tuple(names)


def classification_figures(
    network: MapClassifier | JointNetwork,
    libraries: Sequence[GridLibrary],
    penalties: Mapping[str, npt.NDArray[np.float64]],
    device: str,
    *,
    half_precision: bool,
) -> dict[str, float]:
    """Figures over all held-out samples; "score" is the mean of accuracies and mean AUCs."""
    scores, answers = _opinions(network, libraries, device, half_precision=half_precision)
    figures: dict[str, float] = {}
    parts = []
    for head in network.config.heads:
        of_head = _head_figures(head, scores[head.name], answers[head.name])
        parts.append(next(iter(of_head.values())))
        figures |= of_head
        if head.name in penalties:
            known = answers[head.name] != UNANSWERED
            predicted = scores[head.name][known].argmax(axis=1)
            costs = penalties[head.name][answers[head.name][known], predicted]
            figures[f"{head.name}:penalty"] = _mean(costs)
    return {"score": _mean(np.array(parts)), **figures}


def roc_auc(scores: Scores, truth: npt.NDArray[np.bool_]) -> float:
    """Area under the ROC curve; NaN where one of the two answers never occurs.

    Examples
    --------
    >>> roc_auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return float("nan")
    above = rankdata(scores)[truth].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def _head_figures(head: HeadShape, scores: Scores, answers: Answers) -> dict[str, float]:
    """Figures of one head, the one that rates it first."""
    if head.exclusive:
        known = answers != UNANSWERED
        hits = scores[known].argmax(axis=1) == answers[known]
        return {f"{head.name}:accuracy": _mean(hits.astype(np.float64))}
    areas = {}
    for index in range(head.size):
        known = answers[:, index] != UNANSWERED
        truth = answers[known, index] == 1
        areas[f"{head.name}:auc{index}"] = roc_auc(scores[known, index], truth)
    return {f"{head.name}:auc": _mean(np.array(list(areas.values()))), **areas}


@torch.inference_mode()
def _opinions(
    network: MapClassifier | JointNetwork,
    libraries: Sequence[GridLibrary],
    device: str,
    *,
    half_precision: bool,
) -> tuple[dict[str, Scores], dict[str, Answers]]:
    """Scores and answers of all samples, by head."""
    scores: dict[str, list[Scores]] = {head.name: [] for head in network.config.heads}
    answers: dict[str, list[Answers]] = {head.name: [] for head in network.config.heads}
    for library in libraries:
        for sample in library:
            if isinstance(network, JointNetwork):
                sample = as_hypotheses(sample, len(answers[network.config.heads[0].name]))
            batch = as_batch([sample])
            with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half_precision):
                raw = network(batch.grids.to(device), batch.patients.to(device))
            for name, values in probabilities(raw, network.config.heads).items():
                scores[name].append(values.double().cpu().numpy())
                answers[name].append(batch.answers[name].numpy())
    return (
        {name: np.concatenate(parts) for name, parts in scores.items()},
        {name: np.concatenate(parts) for name, parts in answers.items()},
    )


def as_hypotheses(sample: GridSample, seed: int) -> GridSample:
    """One map as several, each with errors of its own, for classifiers that judge them jointly."""
    rng = np.random.default_rng(seed)
    maps = [mistaken(sample.grid, GridAugmentation(), rng) for _ in range(JOINT_MAPS)]
    return replace(sample, grid=np.stack(maps))


def _mean(values: npt.NDArray[np.float64]) -> float:
    present = values[~np.isnan(values)]
    return float(present.mean()) if len(present) else float("nan")
