"""Whole-image network: a single B-scan, or any gray picture, to the scores of its classes.

A backbone that was trained for something else makes features; a linear head judges them. That is
all that image-level labels can train, and what Kermany et al. did with Inception V3.

References
----------
Kermany et al., Identifying medical diagnoses and treatable diseases by image-based deep learning,
Cell 172, 2018. Ilse et al., Attention-based deep multiple instance learning, ICML 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Head
from RetinaTriageLib.networks.bscan_backbones import EncoderBackbone, Stages, TimmBackbone
from RetinaTriageLib.networks.segmentation import SegmentationConfig

ENCODER = "encoder"
"""The backbone that is RetinaTriage's own segmentation encoder."""

TIMM = "timm:"
"""Start of the name of a backbone that timm knows."""


@dataclass(frozen=True)
class BscanConfig:
    """Shape of a whole-image network.

    Attributes
    ----------
    backbone : "encoder", or "timm:" and the name of a model of timm
    size : (depth, width) in pixels that images are resampled to
    encoder : shape of the backbone "encoder", see `bscan_backbones.encoder_config`; otherwise None
    attention : hidden units of the attention over the B-scans of a volume; 0 without
    """

    backbone: str
    classes: tuple[str, ...]
    head: Head
    size: tuple[int, int]
    encoder: SegmentationConfig | None = None
    attention: int = 0

    def __post_init__(self) -> None:
        """Refuse a shape that makes no network."""
        if self.backbone != ENCODER and not self.backbone.startswith(TIMM):
            msg = (
                f"Found backbone {self.backbone!r}; expected {ENCODER!r}, or {TIMM!r} and the name "
                "of a model, such as timm:inception_v3."
            )
            raise InputError(msg)
        if (self.backbone == ENCODER) != (self.encoder is not None):
            msg = f"Expected an encoder's shape with the backbone {ENCODER!r}, and with no other."
            raise InputError(msg)
        fewest = 2 if self.head is Head.SOFTMAX else 1
        if len(self.classes) < fewest or len(set(self.classes)) != len(self.classes):
            msg = (
                f"Found classes {', '.join(self.classes) or 'none'}; expected at least {fewest} "
                f"different ones for the head {self.head.value!r}."
            )
            raise InputError(msg)
        if min(self.size) < 1 or self.attention < 0:
            msg = f"Found size {self.size} and attention {self.attention}; expected positive ones."
            raise InputError(msg)


class BscanNetwork(nn.Module):
    """Scores of the classes of single images.

    Attributes
    ----------
    backbone : images (N, depth, width), float 0..1, to features (N, F)
    head : features to scores before softmax or sigmoid (N, class)
    attention : features (N, F) of the B-scans of one volume to their weights before softmax (N, 1);
        None where the configuration has none
    """

    def __init__(self, config: BscanConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = _backbone(config)
        self.head = nn.Linear(self.backbone.features, len(config.classes))
        self.attention = _attention(self.backbone.features, config.attention)

    def forward(self, images: Tensor) -> Tensor:
        """Scores before softmax or sigmoid (N, class) of images (N, depth, width), 0..1."""
        scores: Tensor = self.head(self.backbone(images))
        return scores

    def probabilities(self, scores: Tensor) -> Tensor:
        """Probabilities (N, class) of the head's scores (N, class)."""
        if self.config.head is Head.SOFTMAX:
            return scores.softmax(dim=1)
        return scores.sigmoid()

    def stages(self) -> Stages:
        """Stages of the backbone from the image inward, with the names of their parameters."""
        return self.backbone.stages()

    def learn_last(self, stages: int) -> None:
        """Let the head and the last ``stages`` stages of the backbone learn, and nothing else.

        0 is transfer learning with a frozen backbone; ``len(stages())`` trains everything. Frozen
        layers also keep their running statistics, see `train`.
        """
        known = self.stages()
        if not 0 <= stages <= len(known):
            msg = f"Found {stages} stages to learn; expected 0 to {len(known)} of this backbone."
            raise InputError(msg)
        learning = {key for _, keys in known[len(known) - stages :] for key in keys}
        for name, value in self.backbone.named_parameters():
            value.requires_grad = name in learning
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 - torch's own signature
        """Training or evaluation mode; frozen layers of the backbone stay in evaluation mode."""
        super().train(mode)
        if not any(value.requires_grad for value in self.backbone.parameters()):
            self.backbone.eval()
        for module in self.backbone.modules():
            own = list(module.parameters(recurse=False))
            if own and not any(value.requires_grad for value in own):
                module.eval()
        return self


def _backbone(config: BscanConfig) -> EncoderBackbone | TimmBackbone:
    if config.encoder is not None:
        return EncoderBackbone(config.encoder)
    return TimmBackbone(config.backbone.removeprefix(TIMM), config.size)


def _attention(features: int, hidden: int) -> nn.Sequential | None:
    if hidden == 0:
        return None
    return nn.Sequential(nn.Linear(features, hidden), nn.Tanh(), nn.Linear(hidden, 1))
