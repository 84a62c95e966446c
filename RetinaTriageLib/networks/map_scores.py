"""Scores of several classifiers on the same tissue maps."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

import torch
from torch import Tensor

from RetinaTriageLib.networks.boosted_classification import BoostedClassifier
from RetinaTriageLib.networks.kinds import MapClassifier


def map_scores(
    networks: Iterable[MapClassifier], grid: Tensor, patient: Tensor
) -> Iterator[dict[str, Tensor]]:
    """Scores of every network in turn: head name to tensor (batch, outcome), before softmax.

    Measuring a map takes longer than all trees on it; trees that measure alike do it once.

    Parameters
    ----------
    networks : all on the device of ``grid``
    grid : float tensor (batch, class, B-scan, depth, width), class fractions
    patient : float tensor (batch, feature), zeros where nothing is known
    """
    measured: dict[Hashable, Tensor] = {}
    for network in networks:
        if not isinstance(network, BoostedClassifier):
            yield network(grid, patient)
            continue
        alike = (network.config.cell_mm, network.tissues)
        if alike not in measured:
            measured[alike] = network.measured(grid)
        yield network.scores(torch.cat((measured[alike], patient.float()), dim=1))
