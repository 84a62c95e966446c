"""A segmentation network out of the file that its training wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork


def trained_segmenter(
    path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str]
) -> SegmentationNetwork:
    """Segmentation network of a file that was read.

    Parameters
    ----------
    path : of the file, for people
    header : its ``config`` is the network's shape as JSON

    Raises
    ------
    InputError
        If shape and weights are not those of one segmentation network.
    """
    try:
        fields = json.loads(header["config"])
        config = SegmentationConfig(
            classes=fields["classes"],
            channels=tuple(fields["channels"]),
            slice_levels=tuple(fields["slice_levels"]),
            branches=tuple(fields["branches"]),
        )
        network = SegmentationNetwork(config)
        network.load_state_dict(dict(tensors))
    except (KeyError, ValueError, RuntimeError) as error:
        msg = (
            f"Found {path}, which holds no segmentation network ({error}); expected the "
            "best.safetensors or final.safetensors of `train segmentation`, or a bundle."
        )
        raise InputError(msg) from error
    return network
