"""Whole-image network: a single B-scan, or any gray picture, to the scores of its classes.

A backbone that was trained for something else makes features; a linear head judges them. That is
all that image-level labels can train, and what Kermany et al. did with Inception V3. The head sees
the picture as a whole, or place by place, where the places that speak most for a class decide.

References
----------
Kermany et al., Identifying medical diagnoses and treatable diseases by image-based deep learning,
Cell 172, 2018. Pinheiro and Collobert, From image-level to pixel-level labeling with convolutional
networks, CVPR 2015 (log-sum-exp over places). Ilse et al., Attention-based deep multiple instance
learning, ICML 2018.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Evidence, Head
from RetinaTriageLib.networks.bscan_backbones import EncoderBackbone, Stages, TimmBackbone
from RetinaTriageLib.networks.bscan_decoder import DecoderBackbone
from RetinaTriageLib.networks.segmentation import SegmentationConfig

ENCODER = "encoder"
"""The backbone that is RetinaTriage's own segmentation encoder."""

DECODER = "decoder"
"""The backbone that is RetinaTriage's own segmentation network up to its last features."""

OWN = (ENCODER, DECODER)

TIMM = "timm:"
"""Start of the name of a backbone that timm knows."""

SHARPNESS = 4.0
"""Of the log-sum-exp over places, between a mean (0) and a maximum (infinite); ours."""


@dataclass(frozen=True)
class BscanConfig:
    """Shape of a whole-image network.

    Attributes
    ----------
    backbone : "encoder", "decoder", or "timm:" and the name of a model of timm
    size : (depth, width) in pixels that images are resampled to
    encoder : shape of an own backbone, see `bscan_backbones.encoder_config`; otherwise None
    attention : hidden units of the attention over the B-scans of a volume; 0 without
    evidence : what the head sees; places need an own backbone
    """

    backbone: str
    classes: tuple[str, ...]
    head: Head
    size: tuple[int, int]
    encoder: SegmentationConfig | None = None
    attention: int = 0
    evidence: Evidence = Evidence.PICTURE

    def __post_init__(self) -> None:
        """Refuse a shape that makes no network."""
        own = " or ".join(OWN)
        if self.backbone not in OWN and not self.backbone.startswith(TIMM):
            msg = (
                f"Found backbone {self.backbone!r}; expected {own}, or {TIMM!r} and the name of a "
                "model, such as timm:inception_v3."
            )
            raise InputError(msg)
        if (self.backbone in OWN) != (self.encoder is not None):
            msg = f"Expected an encoder's shape with the backbone {own}, and with no other."
            raise InputError(msg)
        if self.evidence is Evidence.PLACES and self.backbone not in OWN:
            msg = (
                f"Found evidence by places with the backbone {self.backbone!r}; expected {own}. "
                "Choose such a backbone, or evidence of the whole picture."
            )
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
    backbone : images (N, depth, width), float 0..1, to features (N, F), or (N, place, F)
    head : features to scores before softmax or sigmoid (N, class), or (N, place, class)
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
        return self.judged(self.backbone(images))

    def judged(self, features: Tensor) -> Tensor:
        """Scores before softmax or sigmoid (N, class) of features (N, F) or (N, place, F)."""
        return over_places(self.head(features))

    def weighted(self, features: Tensor) -> Tensor:
        """Attention before softmax (N,) of features (N, F) or (N, place, F) of B-scans."""
        assert self.attention is not None
        of_picture = features.mean(dim=1) if features.ndim == 3 else features
        weights: Tensor = self.attention(of_picture)[:, 0]
        return weights

    def probabilities(self, scores: Tensor) -> Tensor:
        """Probabilities (N, class) of the head's scores (N, class)."""
        if self.config.head is Head.SOFTMAX:
            return scores.softmax(dim=1)
        return scores.sigmoid()

    def add_attention(self, hidden: int) -> None:
        """Add newly drawn attention over B-scans, in place of what there was."""
        self.attention = _attention(self.backbone.features, hidden)
        self.config = replace(self.config, attention=hidden)

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


def over_places(scores: Tensor) -> Tensor:
    """Scores (N, class) of scores (N, place, class) before softmax or sigmoid; others unchanged.

    A mean of the exponentials, so a picture where all places are alike scores as each of them.

    Examples
    --------
    >>> over_places(torch.tensor([[[1.0], [1.0], [1.0]]])).tolist()
    [[1.0]]
    """
    if scores.ndim != 3:
        return scores
    pooled = torch.logsumexp(SHARPNESS * scores.float(), dim=1) - math.log(scores.shape[1])
    return pooled / SHARPNESS


def _backbone(config: BscanConfig) -> EncoderBackbone | TimmBackbone:
    if config.encoder is not None:
        own = DecoderBackbone if config.backbone == DECODER else EncoderBackbone
        return own(config.encoder, config.evidence)
    return TimmBackbone(config.backbone.removeprefix(TIMM), config.size)


def _attention(features: int, hidden: int) -> nn.Sequential | None:
    if hidden == 0:
        return None
    return nn.Sequential(nn.Linear(features, hidden), nn.Tanh(), nn.Linear(hidden, 1))
