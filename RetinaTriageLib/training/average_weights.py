"""Average of a network before and after further training: it keeps what either has learned.

A network trained on, on other scans, forgets a part of what it knew. Half-way between its old and
its new weights it often does better than both, on the old scans and on the new ones.

References
----------
Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.tissues import TISSUE_BY_NAME, TISSUES
from RetinaTriageLib.training.checkpoints import read_tensors, write_tensors
from RetinaTriageLib.training.optimization import FINAL

HEAD_BIAS = "head.bias"
NO_SHIFTS: Mapping[str, float] = MappingProxyType({})


def average_weights(
    before: Path,
    after: Path,
    out_folder: Path,
    *,
    share: float = 0.5,
    shifts: Mapping[str, float] = NO_SHIFTS,
) -> Path:
    """Write the average of two weight files of one run of trainings; returns its path.

    Parameters
    ----------
    before, after : weights of a network and of the same network trained on
    share : of ``after``, 0 to 1
    shifts : tissue name to a number that its scores before softmax get in addition, for
        segmentation networks that find too much or too little of it

    Raises
    ------
    InputError
        If the files are of different networks, the share lies outside 0..1, or a tissue is unknown.
    """
    if not 0 <= share <= 1:
        msg = f"Found a share of {share}; expected 0 (weights before) to 1 (weights after)."
        raise InputError(msg)
    (old, _), (new, header) = read_tensors(before), read_tensors(after)
    if {name: tensor.shape for name, tensor in old.items()} != {
        name: tensor.shape for name, tensor in new.items()
    }:
        msg = f"{before} and {after} are of different networks; average two of one configuration."
        raise InputError(msg)
    mixed = {
        name: torch.lerp(old[name], tensor, share) if tensor.is_floating_point() else tensor
        for name, tensor in new.items()
    }
    if shifts:
        mixed[HEAD_BIAS] = _shifted(mixed, shifts, after)
    path = out_folder / FINAL
    write_tensors(path, mixed, header)
    return path


def _shifted(tensors: Mapping[str, Tensor], shifts: Mapping[str, float], path: Path) -> Tensor:
    """Biases of a segmentation network's head, in pairs of a tissue: one of each depth."""
    bias = tensors.get(HEAD_BIAS)
    if bias is None or bias.numel() != 2 * len(TISSUES):
        msg = (
            f"{path} has no head of {len(TISSUES)} tissues; shift scores of segmentation networks."
        )
        raise InputError(msg)
    unknown = sorted(set(shifts) - set(TISSUE_BY_NAME))
    if unknown:
        msg = f"Found tissues {unknown}; expected some of {', '.join(TISSUE_BY_NAME)}."
        raise InputError(msg)
    pairs = bias.clone().view(len(TISSUES), 2)
    for name, shift in shifts.items():
        pairs[TISSUE_BY_NAME[name].label] += shift
    return pairs.flatten()
