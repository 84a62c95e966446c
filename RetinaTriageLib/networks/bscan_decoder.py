"""The whole segmentation network but for its last layer, as a backbone of whole-image networks.

Its last features tell tissues apart at full resolution. A head that learns from image-level labels
alone then rests on places of the size of a lesion, which the deep levels of an encoder blur.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

from RetinaTriageLib.image_classes import Evidence
from RetinaTriageLib.networks.bscan_backbones import EncoderBackbone, Stages
from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork

PLACE_PIXELS = 8
"""Side of a place in pixels; features are its means. Less than half the box of an occlusion test,
so that a box can hide whole places; ours."""


class DecoderBackbone(EncoderBackbone):
    """Scanner branch, encoder and decoder of a segmentation network, pooled or by places."""

    def __init__(self, config: SegmentationConfig, evidence: Evidence = Evidence.PICTURE) -> None:
        super().__init__(config, evidence)
        self.decoder = SegmentationNetwork(config).decoder
        self.features = config.channels[0] * (1 if evidence is Evidence.PLACES else 2)

    def forward(self, images: Tensor) -> Tensor:
        """Features (N, F), or (N, place, F), of images (N, depth, width), float 0..1."""
        skips = self.levels(images)
        x = skips.pop()
        for level in self.decoder.values():
            x = level(x, skips.pop())
        if self.evidence is Evidence.PLACES:
            places = F.avg_pool2d(x.float(), (PLACE_PIXELS // 2, PLACE_PIXELS), ceil_mode=True)
            return places.flatten(2).transpose(1, 2)  # (N, place, F)
        return torch.cat((x.mean(dim=(2, 3)), x.amax(dim=(2, 3))), dim=1)

    def take_weights(self, source: SegmentationNetwork, branch: str) -> None:
        """Take over all weights of a segmentation network but those of its last layer.

        Raises
        ------
        InputError
            If the network has another shape or no such branch.
        """
        super().take_weights(source, branch)
        self.decoder.load_state_dict(source.decoder.state_dict())

    def stages(self) -> Stages:
        """Scanner branch, the encoder's levels, then the decoder's from the deepest on."""
        parts = {f"decoder.{name}": level for name, level in self.decoder.items()}
        return super().stages() + tuple(
            (name, tuple(f"{name}.{key}" for key, _ in part.named_parameters()))
            for name, part in parts.items()
        )
