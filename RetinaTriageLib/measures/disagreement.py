"""Disagreement between hypotheses: entropy of their votes in every voxel, in nats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.result import EnFaceArray
from RetinaTriageLib.volume import LabelArray


def vote_entropy(tissue_maps: Sequence[LabelArray]) -> npt.NDArray[np.float32]:
    """Entropy of the labels that S tissue maps give to every voxel, in nats.

    0 where all agree, as everywhere for one map; ln 2 where the votes split in halves.

    Parameters
    ----------
    tissue_maps : S uint8 arrays of one shape, such as (depth, width) or (B-scan, depth, width)

    Returns
    -------
    float32 array of that shape
    """
    first, *others = tissue_maps
    entropy = np.zeros(first.shape, dtype=np.float32)
    differs = np.zeros(first.shape, dtype=bool)
    for other in others:
        differs |= other != first
    # Maps agree on most voxels; votes are counted only where they do not.
    votes = np.stack([tissue_map[differs] for tissue_map in tissue_maps])  # (hypothesis, voxel)
    # -sum over labels of p ln p is the mean over votes of -ln p, p being the share of equal votes.
    surprise = -np.log(np.arange(1, len(votes) + 1) / len(votes)).astype(np.float32)
    entropy[differs] = sum(
        surprise[np.count_nonzero(votes == vote, axis=0) - 1] for vote in votes
    ) / np.float32(len(votes))
    return entropy


def disagreement_map(tissue_maps: Sequence[LabelArray]) -> EnFaceArray:
    """Mean vote entropy of every A-scan, in nats, float32 array (B-scan, width).

    Works through one B-scan at a time, so memory does not grow with the scan.

    Parameters
    ----------
    tissue_maps : S uint8 arrays (B-scan, depth, width); S = 1 yields zeros

    Raises
    ------
    InputError
        If there is no map or their shapes differ.
    """
    shapes = {tissue_map.shape for tissue_map in tissue_maps}
    if len(shapes) != 1:
        msg = (
            f"Found tissue maps of {sorted(shapes)}; expected one or more of one shape. Pass the "
            "hypotheses of one scan."
        )
        raise InputError(msg)
    bscans, _, width = tissue_maps[0].shape
    projection = np.zeros((bscans, width), dtype=np.float32)
    if len(tissue_maps) > 1:
        for index in range(bscans):
            entropy = vote_entropy([tissue_map[index] for tissue_map in tissue_maps])
            projection[index] = entropy.mean(axis=0)
    return projection


def bscan_disagreement(projection: EnFaceArray) -> npt.NDArray[np.float32]:
    """Mean vote entropy of every B-scan, in nats, float32 array (B-scan,).

    Parameters
    ----------
    projection : float32 array (B-scan, width), see `disagreement_map`
    """
    return np.asarray(projection.mean(axis=1), dtype=np.float32)
