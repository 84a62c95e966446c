"""How many B-scans a network takes at a time, by the device that it runs on."""

from __future__ import annotations

import torch

from RetinaTriageLib.inference.compute import Compute

PROCESSOR_BSCANS = 4  # more do not make a processor faster, and leave its caches
APPLE_BSCANS = 8
GPU_BSCANS = 32  # of 11 GFLOP each: enough that starting kernels takes no time beside them

# What a voxel of a slab needs at most on the device: 15 probabilities and their softmax in single
# precision, features, the counts of the classifiers' grid.
BYTES_A_VOXEL = 700
SHARE_OF_FREE = 0.6  # the rest is for weights, kept neighbors and what the kernels borrow


def suiting_slab(compute: Compute, shape: tuple[int, int, int]) -> int:
    """Give the B-scans at a time that suit a device: on a GPU as many as its free memory holds.

    Parameters
    ----------
    shape : of the volume, (B-scan, depth, width)
    """
    if compute.device == "cpu":
        return PROCESSOR_BSCANS
    if compute.device == "mps":
        return APPLE_BSCANS
    free, _total = torch.cuda.mem_get_info()
    return bscans_that_fit(free, shape)


def bscans_that_fit(free_bytes: int, shape: tuple[int, int, int]) -> int:
    """Give the number of B-scans for so much free memory, between 1 and `GPU_BSCANS`.

    Examples
    --------
    >>> bscans_that_fit(6_000_000_000, (128, 512, 496))
    20
    """
    _, depth, width = shape
    fitting = int(SHARE_OF_FREE * free_bytes / (BYTES_A_VOXEL * depth * width))
    return min(max(fitting, 1), GPU_BSCANS)
