"""Naming of lesions: trees that look at a whole lesion and say what tissue it is.

It comes after a segmenter, whose map says where lesions lie, and before the classifiers. A lesion
that is none gets the tissue it lies in. Trees say something of anything, so they must be sure where
a lesion is larger or smaller than those that were learned, and surer still of fluid; else it keeps
the name that the segmenter gave.

References
----------
Friedman, Ann. Statist. 29:1189 (2001), for the trees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from RetinaTriageLib.networks.lesion_features import (
    CALLED,
    LESION_FEATURE_VERSION,
    SIZES,
    lesion_feature_names,
    lesion_features,
    size_columns,
)
from RetinaTriageLib.networks.lesion_view import Borders, GrayScan, VoxelSize
from RetinaTriageLib.networks.lesions import LESION_LABELS, find_lesions
from RetinaTriageLib.networks.trees import Trees, TreeSize
from RetinaTriageLib.tissues import TISSUES, TissueGroup, labels_of
from RetinaTriageLib.volume import LabelArray

HEALTHY = [tissue.label for tissue in TISSUES if tissue.label not in LESION_LABELS]
"""Tissues of a lesion that is none."""

NEVER = 2.0  # no chance is that high
FLUID = labels_of(TissueGroup.FLUID)


def certainty(scores: Tensor) -> Tensor:
    """How sure `best_names` is, float tensor (lesion,): that it is a lesion or none, and which.

    The lower chance of both; which healthy tissue a lesion that is none belongs to does not count.

    Parameters
    ----------
    scores : float tensor (lesion, tissue), before softmax
    """
    chances = scores.softmax(dim=1)[:, LESION_LABELS]
    lesion = chances.sum(dim=1)
    which = chances.amax(dim=1) / lesion.clamp_min(1e-9)
    return torch.where(lesion >= 0.5, torch.minimum(lesion, which), 1 - lesion)


def best_names(scores: Tensor) -> Tensor:
    """Tissue of every lesion, int64 tensor (lesion,): whether it is one at all, then which.

    Trees that waver between two lesion tissues are sure of a lesion, and shall not remove it
    because each of the two is less likely than healthy tissue.

    Parameters
    ----------
    scores : float tensor (lesion, tissue), before softmax

    Examples
    --------
    >>> wavering = torch.full((1, 15), -9.0)
    >>> wavering[0, [8, 10, 11]] = torch.tensor([0.30, 0.32, 0.38]).log()
    >>> best_names(wavering).tolist()
    [10]
    """
    chances = scores.softmax(dim=1)
    is_lesion = chances[:, LESION_LABELS].sum(dim=1) >= 0.5
    as_lesion, as_healthy = (
        torch.tensor(group, device=scores.device)[scores[:, group].argmax(dim=1)]
        for group in (LESION_LABELS, HEALTHY)
    )
    return torch.where(is_lesion, as_lesion, as_healthy)


def _called(features: Tensor) -> Tensor:
    """Place among `LESION_LABELS` of the tissue that each lesion was called."""
    return features[:, CALLED].argmax(dim=1)


@dataclass(frozen=True)
class LesionNamerConfig:
    """What the trees see and answer.

    Attributes
    ----------
    features : number of measurements
    measurements : version of the measurements
    sure : chance from which trees are believed about a lesion of a size that they did not learn
    sure_of_fluid : chance from which they are believed about fluid, of any size. Segmenters learn
        fluid from real eyes, where cysts flow together into regions larger than any of phantoms,
        which trees that know phantoms take for swollen retina. Believed outright, as about other
        lesions, they lower the Dice of fluid on real B-scans by a fifth; this sure, they raise it.
    """

    classes: int = len(TISSUES)
    features: int = len(lesion_feature_names())
    measurements: int = LESION_FEATURE_VERSION
    sure: float = 0.85
    sure_of_fluid: float = 0.95


class LesionNamer(nn.Module):
    """Tissue of whole lesions, by sums over small trees.

    Attributes
    ----------
    value : float32 tensor (node,), what a leaf adds to the score of its tree's tissue
    tissue : int32 tensor (tree,), tissue of every tree
    start : float32 tensor (tissue,), score that the trees add to
    least, most : float32 tensors (lesion tissue x size,), of the lesions that were learned, `SIZES`
        of each tissue of `LESION_LABELS` that they were called
    """

    least: Tensor
    most: Tensor
    value: Tensor
    tissue: Tensor
    start: Tensor

    def __init__(self, config: LesionNamerConfig, size: TreeSize) -> None:
        super().__init__()
        self.config = config
        self.trees = Trees(size)
        self.register_buffer("value", torch.zeros(size.nodes))
        self.register_buffer("tissue", torch.zeros(size.trees, dtype=torch.int32))
        self.register_buffer("start", torch.zeros(config.classes))
        self.register_buffer("least", torch.zeros(len(LESION_LABELS) * len(SIZES)))
        self.register_buffer("most", torch.zeros(len(LESION_LABELS) * len(SIZES)))

    def forward(self, features: Tensor) -> Tensor:
        """Scores before softmax, float32 tensor (lesion, tissue), of `lesion_features`."""
        total = self.start[:, None].repeat(1, features.shape[0])
        total.index_add_(0, self.tissue.long(), self.value[self.trees.leaves(features)])
        return total.T

    def names(self, features: Tensor) -> Tensor:
        """Tissue of every lesion, int64 tensor (lesion,), of `lesion_features`."""
        own = torch.tensor(LESION_LABELS, device=features.device)[_called(features)]
        scores = self(features)
        believed = certainty(scores) >= self._required(features, own)
        return torch.where(believed, best_names(scores), own)

    def _required(self, features: Tensor, own: Tensor) -> Tensor:
        """How sure the trees must be of each lesion, float tensor (lesion,)."""
        least, most = self._limits(features)
        required = torch.where(self.learned(features), 0.0, self.config.sure)
        fluid = torch.isin(own, torch.tensor(FLUID, device=own.device))
        required[fluid] = self.config.sure_of_fluid
        required[(least > most).any(dim=1)] = NEVER  # no lesion of that tissue was learned
        return required

    def learned(self, features: Tensor) -> Tensor:
        """Whether each lesion is of a size that was learned of its tissue, bool (lesion,)."""
        sizes = features[:, size_columns()]
        least, most = self._limits(features)
        return ((sizes >= least) & (sizes <= most)).all(dim=1)

    def _limits(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Sizes that were learned of each lesion's tissue; none where the least is the larger."""
        called = _called(features)
        least, most = (limits.view(-1, len(SIZES))[called] for limits in (self.least, self.most))
        return least, most

    @torch.inference_mode()
    def named(
        self, tissue_map: LabelArray, borders: Borders, gray: GrayScan, size: VoxelSize
    ) -> LabelArray:
        """Tissue map with every lesion called what `names` says.

        Parameters
        ----------
        tissue_map : uint8 array (B-scan, depth, width), which stays as it is
        borders : of that map
        gray : of the same scan
        """
        lesions = find_lesions(tissue_map)
        if not len(lesions):
            return tissue_map
        features = lesion_features(tissue_map, borders, gray, size, lesions)
        labels = self.names(torch.from_numpy(features).to(self.value.device))
        return lesions.renamed(tissue_map, labels.cpu().numpy().astype(np.uint8))

    def require_sound(self) -> None:
        """Refuse trees on other measurements than this library takes, or broken ones.

        Raises
        ------
        InputError, ValueError
            If the trees are no trees, or measurements or tissues are others.
        """
        known = len(lesion_feature_names())
        found = (self.config.features, self.config.measurements)
        if found != (known, LESION_FEATURE_VERSION):
            msg = (
                f"{found[0]} measurements of lesions of version {found[1]}; this library takes "
                f"{known} of version {LESION_FEATURE_VERSION}"
            )
            raise ValueError(msg)
        for name in ("sure", "sure_of_fluid"):
            if not 0 <= getattr(self.config, name) <= 1:
                msg = f"{name} is {getattr(self.config, name)}; it has to be between 0 and 1"
                raise ValueError(msg)
        if bool(((self.tissue < 0) | (self.tissue >= self.config.classes)).any()):
            msg = f"trees of tissues beyond the {self.config.classes} of the map"
            raise ValueError(msg)
        self.trees.require_sound(known)
