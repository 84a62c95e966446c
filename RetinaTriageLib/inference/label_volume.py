"""Labels of a whole volume in the computer's memory, filled by parts from any device."""

from __future__ import annotations

import torch
from torch import Tensor

from RetinaTriageLib.volume import LabelArray


class LabelVolume:
    """Labels that arrive B-scan by B-scan; a GPU goes on computing while they are copied.

    Parameters
    ----------
    shape : (B-scan, depth, width)
    device : where the labels come from
    """

    def __init__(self, shape: tuple[int, int, int], device: torch.device) -> None:
        self._device, self._late = device, device.type == "cuda"
        # Only page-locked memory is copied to while the GPU works.
        self._labels = torch.empty(shape, dtype=torch.uint8, pin_memory=self._late)

    def put(self, first: int, labels: Tensor) -> None:
        """Take labels of the B-scans from ``first`` on, uint8 tensor (B-scan, depth, width)."""
        self._labels[first : first + len(labels)].copy_(labels, non_blocking=self._late)

    def finish(self) -> LabelArray:
        """Labels of the whole volume, uint8 array (B-scan, depth, width), once all have come."""
        if self._late:
            torch.cuda.synchronize(self._device)
        labels: LabelArray = self._labels.numpy()
        return labels
