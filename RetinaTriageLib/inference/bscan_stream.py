"""What B-scans stream through: one interface for every kind of segmenter."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.streaming import StreamedNetwork
from RetinaTriageLib.networks.gray import eight_bits
from RetinaTriageLib.networks.kinds import BscanSegmenter, Segmenter
from RetinaTriageLib.networks.segmentation import SegmentationNetwork
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.volume import OCTVolume, VoxelSpacing


class BscanStream(Protocol):
    """A segmenter that takes the B-scans of a volume in their order, in chunks of any size."""

    def begin(self) -> None:
        """Forget everything; the next B-scan is the first of a volume."""

    def push(self, bscans: Tensor | None, *, last: bool) -> Tensor:
        """Class scores before softmax of the B-scans now complete; there may be none.

        Parameters
        ----------
        bscans : float tensor (B-scan, depth, width), normalized gray values of the next B-scans;
            None where only the end is to be told
        last : True if no B-scan follows; all that is outstanding comes back

        Returns
        -------
        float32 tensor (B-scan, class, depth, width)
        """


class SingleBscans:
    """A segmenter that needs no neighbors: every B-scan is answered at once."""

    def __init__(self, segmenter: BscanSegmenter, spacing: VoxelSpacing) -> None:
        self._segmenter, self._spacing = segmenter, spacing

    def begin(self) -> None:
        """Nothing is remembered between B-scans."""

    def push(self, bscans: Tensor | None, *, last: bool) -> Tensor:  # noqa: ARG002 - the interface's
        """Class scores before softmax, float32 tensor (B-scan, class, depth, width)."""
        if bscans is None:
            return torch.empty(0, len(TISSUES), 1, 1)
        voxels = eight_bits(bscans.cpu().numpy().astype(np.float32, copy=False))
        return self._segmenter.bscan_scores(voxels, self._spacing)


def bscan_stream(
    segmenter: Segmenter, branch: str, volume: OCTVolume, compute: Compute
) -> BscanStream:
    """Stream through a segmenter on the device of a run.

    Parameters
    ----------
    branch : scanner adaptation branch; kinds without branches need none

    Raises
    ------
    GeometryError
        If a kind that measures lengths meets a volume of unknown spacing.
    """
    placed: Segmenter = segmenter.to(compute.torch_device)
    if isinstance(placed, SegmentationNetwork):
        return StreamedNetwork(placed, branch, compute.dtype, fused=compute.kernels == "fused")
    return SingleBscans(placed, volume.require_spacing())


def device_of(network: torch.nn.Module) -> torch.device:
    """Device that a network's weights lie on."""
    weights: Tensor = next(iter(network.state_dict().values()))
    return weights.device
