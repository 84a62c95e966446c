"""Backbones of whole-image networks: single B-scans to features.

A backbone takes images as they are, float 0..1, and brings them to the gray values that it was
trained with itself; so weights, normalization and network are one thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Evidence
from RetinaTriageLib.networks.gray import CENTER, SPREAD
from RetinaTriageLib.networks.segmentation import (
    EncoderLevel,
    SegmentationConfig,
    SegmentationNetwork,
    fold_depth,
    require_branch,
)

POOLED_LEVELS = 2
"""Deepest encoder levels whose features are pooled: what is there, and how it hangs together."""

PLACE_LEVELS = 3
"""Deepest encoder levels whose features a place has, on the grid of the last but one."""

Stages = tuple[tuple[str, tuple[str, ...]], ...]
"""Stages of a backbone from the image inward: name, and names of its parameters."""


class EncoderBackbone(nn.Module):
    """Scanner branch and encoder of a segmentation network, pooled over the image or by places.

    The cross-slice convolutions stay: an image that stands alone counts as its own neighbor on
    both sides, as if its scan were so dense that neighbors look alike.
    """

    def __init__(self, config: SegmentationConfig, evidence: Evidence = Evidence.PICTURE) -> None:
        super().__init__()
        if len(config.branches) != 1:
            msg = (
                f"Found scanner branches {', '.join(config.branches) or 'none'} for a backbone; "
                "expected one. Name the branch that suits the images."
            )
            raise InputError(msg)
        parts = SegmentationNetwork(config)
        self.config, self.evidence = config, evidence
        self.branch = parts.branches[config.branches[0]]
        self.encoder = parts.encoder
        by_places = sum(config.channels[-PLACE_LEVELS:])
        means_and_maxima = 2 * sum(config.channels[-POOLED_LEVELS:])
        self.features = by_places if evidence is Evidence.PLACES else means_and_maxima

    def forward(self, images: Tensor) -> Tensor:
        """Features (N, F), or (N, place, F), of images (N, depth, width), float 0..1."""
        levels = self.levels(images)
        if self.evidence is Evidence.PLACES:
            return _by_places(levels[-PLACE_LEVELS:])
        deepest = levels[-POOLED_LEVELS:]
        means = [level.mean(dim=(2, 3)) for level in deepest]
        return torch.cat((*means, *(level.amax(dim=(2, 3)) for level in deepest)), dim=1)

    def levels(self, images: Tensor) -> list[Tensor]:
        """Features (N, channel, depth, width) of every level, each half the one before."""
        gray = (images - CENTER) / SPREAD
        levels = [self.branch(fold_depth(gray))]
        for level in self.encoder.values():
            levels.append(_standing_alone(level, levels[-1]))
        return levels

    def take_weights(self, source: SegmentationNetwork, branch: str) -> None:
        """Take over the weights of a segmentation network's branch and encoder.

        Raises
        ------
        InputError
            If the network has another shape or no such branch.
        """
        require_branch(source.config, branch)
        own, found = self.config, source.config
        if (own.channels, own.slice_levels) != (found.channels, found.slice_levels):
            msg = (
                f"Found a segmentation network of channels {found.channels} and slice levels "
                f"{found.slice_levels}; this backbone has {own.channels} and {own.slice_levels}. "
                "Make the backbone with encoder_config."
            )
            raise InputError(msg)
        self.branch.load_state_dict(source.branches[branch].state_dict())
        self.encoder.load_state_dict(source.encoder.state_dict())

    def stages(self) -> Stages:
        """Scanner branch, then the encoder's levels."""
        parts = {"branch": self.branch, **{f"encoder.{k}": v for k, v in self.encoder.items()}}
        return tuple(
            (name, tuple(f"{name}.{key}" for key, _ in part.named_parameters()))
            for name, part in parts.items()
        )


class TimmBackbone(nn.Module):
    """A network of the collection timm, without its last layer.

    Attributes
    ----------
    network : the timm model; pre-trained weights are loaded into it
    mean, spread : gray values that it expects as 0 and 1, one a color; stored with the weights
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, name: str, size: tuple[int, int]) -> None:
        super().__init__()
        network, expected = _timm_network(name, size)
        self.network: nn.Module = network
        self.register_buffer("mean", torch.tensor(expected.mean, dtype=torch.float32))
        self.register_buffer("spread", torch.tensor(expected.std, dtype=torch.float32))
        # Some networks have one more layer between their last features and what a head sees.
        self.features = int(getattr(network, "head_hidden_size", network.num_features))

    def forward(self, images: Tensor) -> Tensor:
        """Features (N, F) of images (N, depth, width), float 0..1."""
        # A gray picture has the same red, green and blue.
        colors = images[:, None].expand(-1, self.mean.numel(), -1, -1)  # (N, 3, depth, width)
        scaled = (colors - self.mean[:, None, None]) / self.spread[:, None, None]
        features: Tensor = self.network(scaled)
        return features

    def stages(self) -> Stages:
        """Stages as timm groups the network's layers."""
        from timm.models import group_parameters

        grouping: Any = self.network.group_matcher
        groups = group_parameters(self.network, grouping(coarse=True))
        return tuple(
            (f"stage{number}", tuple(f"network.{key}" for key in keys))
            for number, keys in sorted(groups.items())
            if keys
        )


def encoder_config(source: SegmentationConfig, branch: str) -> SegmentationConfig:
    """Shape of a backbone that can take the weights of a segmentation network's branch."""
    require_branch(source, branch)
    return SegmentationConfig(
        classes=source.classes,
        channels=tuple(source.channels),
        slice_levels=tuple(source.slice_levels),
        branches=(branch,),
    )


def _standing_alone(level: nn.Module, x: Tensor) -> Tensor:
    """Features at half the size of ``x`` (N, channel, depth, width), each its own neighbor."""
    assert isinstance(level, EncoderLevel)
    x = level.first(F.max_pool2d(x, 2, ceil_mode=True))
    if level.slices is not None:
        x = x + level.slices.unit(torch.cat((x, x, x), dim=1))
    features: Tensor = level.second(x)
    return features


def _by_places(levels: Sequence[Tensor]) -> Tensor:
    """Features (N, place, F) of levels (N, channel, depth, width), each half the one before."""
    grid = levels[max(0, len(levels) - 2)].shape[-2:]
    finer = [F.adaptive_max_pool2d(level, grid) for level in levels[:-1]]
    deepest = F.interpolate(levels[-1].float(), size=grid, mode="bilinear")
    joined = torch.cat((*finer, deepest.to(levels[-1].dtype)), dim=1)
    return joined.flatten(2).transpose(1, 2)  # (N, place, F)


def _timm_network(name: str, size: tuple[int, int]) -> tuple[Any, Any]:
    """Network without weights worth anything, and what timm says about its images."""
    try:
        import timm
    except ImportError as error:
        msg = (
            f"Found the backbone timm:{name}, and timm is not installed; expected the package. "
            "Run: pip install 'retina-triage[transfer]'"
        )
        raise InputError(msg) from error
    if not timm.is_model(name):
        msg = (
            f"Found the backbone timm:{name}, which timm {timm.__version__} lacks; expected a name "
            "that timm.list_models() shows. Choose one, or update timm."
        )
        raise InputError(msg)
    expected = timm.get_pretrained_cfg(name)
    # Transformers are built for one image size; convolutions take any.
    fixed = {"img_size": size} if expected.fixed_input_size else {}
    try:
        network = timm.create_model(name, pretrained=False, num_classes=0, in_chans=3, **fixed)
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        msg = (
            f"Found that timm cannot make {name} for images of {size} ({error}); expected a size "
            "that this network takes. Choose another size, such as (224, 224)."
        )
        raise InputError(msg) from error
    return network, expected
