"""Shape of a segmentation network, read off its weights."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.segmentation import SegmentationConfig

BRANCH = "branches.{}.0.conv.weight"
LEVEL = "encoder.level{}.first.conv.weight"
SLICES = "encoder.level{}.slices.unit.conv.weight"
HEAD = "head.weight"


def segmentation_config(tensors: Mapping[str, Tensor]) -> SegmentationConfig:
    """Read off the configuration of the network whose weights these are.

    Raises
    ------
    InputError
        If they are not those of a segmentation network.
    """
    branches = tuple(
        dict.fromkeys(name.split(".")[1] for name in tensors if name.startswith("branches."))
    )
    if not branches or HEAD not in tensors or BRANCH.format(branches[0]) not in tensors:
        msg = (
            f"Found {len(tensors)} tensors without scanner branches or a head; expected the "
            "weights of a segmentation network, as `train segmentation` writes them."
        )
        raise InputError(msg)
    channels = [len(tensors[BRANCH.format(branches[0])])]
    while (key := LEVEL.format(len(channels))) in tensors:
        channels.append(len(tensors[key]))
    slice_levels = [level for level in range(1, len(channels)) if SLICES.format(level) in tensors]
    classes = len(tensors[HEAD]) // 2
    return SegmentationConfig(classes, tuple(channels), tuple(slice_levels), branches)
