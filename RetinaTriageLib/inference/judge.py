"""Opinions: what every classification network says about every tissue map."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from RetinaTriageLib.hypotheses import Opinion, Scores
from RetinaTriageLib.inference.bscan_stream import device_of
from RetinaTriageLib.networks.classification import HeadShape, probabilities
from RetinaTriageLib.networks.classifier_input import GridArray
from RetinaTriageLib.networks.joint_classification import JointNetwork
from RetinaTriageLib.networks.kinds import MapClassifier
from RetinaTriageLib.networks.map_scores import map_scores
from RetinaTriageLib.networks.patient import Patient, patient_vector


@torch.inference_mode()
def judge(
    grids: Sequence[GridArray],
    networks: Sequence[tuple[str, MapClassifier]],
    patient: Patient,
    batch: int,
    on_opinion: Callable[[int], None],
) -> tuple[tuple[Opinion, ...], ...]:
    """Opinions on every map: S tuples of C.

    Parameters
    ----------
    grids : S float32 arrays (class, B-scan, depth, width)
    networks : C names and networks, all on the device to use
    batch : how many maps a network takes at a time
    on_opinion : told how many opinions there are; what it raises ends the work
    """
    facts = torch.from_numpy(patient_vector(patient))
    opinions: list[list[Opinion]] = [[] for _ in grids]
    done = 0
    for first in range(0, len(grids), batch) if networks else ():
        device = device_of(networks[0][1])
        maps = torch.from_numpy(np.stack(grids[first : first + batch])).to(device)
        known = facts.expand(len(maps), -1).to(device)
        every = map_scores((network for _, network in networks), maps, known)
        for (name, network), scores in zip(networks, every, strict=True):
            for offset, answer in enumerate(_answers(scores, network.config.heads)):
                opinions[first + offset].append(Opinion(name, answer))
                done += 1
                on_opinion(done)
    return tuple(tuple(own) for own in opinions)


@torch.inference_mode()
def judge_jointly(
    grids: Sequence[GridArray],
    networks: Sequence[tuple[str, JointNetwork]],
    patient: Patient,
    on_opinion: Callable[[int], None],
) -> tuple[Opinion, ...]:
    """Opinions of joint classifiers, each on all maps of a scan together.

    Parameters
    ----------
    grids : S float32 arrays (class, B-scan, depth, width), all around one depth
    networks : names and networks, on the device to use
    on_opinion : told how many opinions there are; what it raises ends the work
    """
    facts = torch.from_numpy(patient_vector(patient))[None]
    opinions = []
    for name, network in networks:
        device = device_of(network)
        maps = torch.from_numpy(np.stack(grids))[None].to(device)
        (answer,) = _answers(network(maps, facts.to(device)), network.config.heads)
        opinions.append(Opinion(name, answer))
        on_opinion(len(opinions))
    return tuple(opinions)


def _answers(scores: Mapping[str, Tensor], heads: tuple[HeadShape, ...]) -> list[Scores]:
    """Probabilities of each sample of a batch, by head."""
    found = {
        head: values.double().cpu().numpy() for head, values in probabilities(scores, heads).items()
    }
    count = len(next(iter(found.values())))
    return [{head: values[at] for head, values in found.items()} for at in range(count)]
