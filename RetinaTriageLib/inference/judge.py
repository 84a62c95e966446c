"""Opinions: what every classification network says about every tissue map."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from RetinaTriageLib.hypotheses import Opinion
from RetinaTriageLib.networks.classification import ClassificationNetwork, probabilities
from RetinaTriageLib.networks.classifier_input import GridArray
from RetinaTriageLib.networks.patient import Patient, patient_vector


@torch.inference_mode()
def judge(
    grids: Sequence[GridArray],
    networks: Sequence[tuple[str, ClassificationNetwork]],
    patient: Patient,
    batch: int,
    on_opinion: Callable[[int], None],
) -> tuple[tuple[Opinion, ...], ...]:
    """Opinions on every map: S tuples of C.

    Parameters
    ----------
    grids : S float32 arrays (class, B-scan, depth, width)
    networks : C names and networks, on the device to use
    batch : how many maps a network takes at a time
    on_opinion : told how many opinions there are; what it raises ends the work
    """
    facts = torch.from_numpy(patient_vector(patient))
    opinions: list[list[Opinion]] = [[] for _ in grids]
    done = 0
    for name, network in networks:
        device = network.patient.weight.device
        for first in range(0, len(grids), batch):
            maps = torch.from_numpy(np.stack(grids[first : first + batch])).to(device)
            scores = network(maps, facts.expand(len(maps), -1).to(device))
            answers = {
                head: values.double().cpu().numpy()
                for head, values in probabilities(scores, network.config.heads).items()
            }
            for offset in range(len(maps)):
                own = {head: values[offset] for head, values in answers.items()}
                opinions[first + offset].append(Opinion(name, own))
                done += 1
                on_opinion(done)
    return tuple(tuple(own) for own in opinions)
