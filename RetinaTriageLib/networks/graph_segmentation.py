"""Segmentation by graph search: the regions between layer surfaces, without a trained network.

ILM, pigment epithelium and Bruch's membrane cut a B-scan into regions. A small table says which
share of a region's voxels is of which tissue; with it, this segmenter gives probabilities like any
other. Lesions inside a region are not told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor, nn

from RetinaTriageLib.networks.bruchs_membrane import LIFTED_UM
from RetinaTriageLib.networks.graph_search import Surfaces, find_surfaces
from RetinaTriageLib.tissues import TISSUE_BY_NAME, TISSUES
from RetinaTriageLib.volume import LabelArray, VoxelSpacing


class Region(IntEnum):
    """Where a voxel lies between the surfaces."""

    VITREOUS = 0
    RETINA = 1
    EPITHELIUM = 2
    UNDER_EPITHELIUM = 3
    BELOW_MEMBRANE = 4
    FILL = 5


TISSUE_OF_REGION = {
    Region.VITREOUS: "vitreous_subhyaloid",
    Region.RETINA: "neurosensory_retina",
    Region.EPITHELIUM: "rpe",
    Region.UNDER_EPITHELIUM: "drusenoid_ped",
    Region.BELOW_MEMBRANE: "choroid_outer",
    Region.FILL: "clipping_artifact",
}
"""Tissue that most of a region is of."""

EPITHELIUM_MM = 0.015  # CLINICAL.md section 7; thicker bands hold outer segment tips as well

COUNTED_LIKE_VOXELS = 1.0  # every tissue counts as if one voxel of it had been seen everywhere


@dataclass(frozen=True)
class GraphSearchConfig:
    """Number of tissues that the table of shares speaks of."""

    classes: int = len(TISSUES)


class GraphSearchSegmenter(nn.Module):
    """Tissue probabilities of B-scans from their layer surfaces; needs the voxel spacing.

    Attributes
    ----------
    shares : float tensor (region, class), how much of each region is of which tissue
    """

    shares: Tensor

    def __init__(self, config: GraphSearchConfig | None = None) -> None:
        super().__init__()
        self.config = config or GraphSearchConfig()
        self.register_buffer("shares", torch.ones(len(Region), self.config.classes))

    def bscan_scores(self, voxels: LabelArray, spacing: VoxelSpacing) -> Tensor:
        """Class scores before softmax, float32 tensor (B-scan, class, depth, width).

        Parameters
        ----------
        voxels : uint8 array (B-scan, depth, width); the answer for one B-scan rests on it alone
        """
        found = regions(find_surfaces(voxels, spacing), spacing)
        at = torch.from_numpy(found).to(self.shares.device).long()
        scores = (self.shares / self.shares.sum(dim=1, keepdim=True)).clamp_min(1e-6).log()
        return scores[at].permute(0, 3, 1, 2).contiguous()


def regions(surfaces: Surfaces, spacing: VoxelSpacing) -> LabelArray:
    """`Region` of every voxel, uint8 array (B-scan, depth, width)."""
    row = np.arange(surfaces.clipped.shape[1], dtype=np.float32)[None, :, None]
    ilm, outer, bm = (line[:, None] for line in (surfaces.ilm, surfaces.rpe_outer, surfaces.bm))
    lifted = (bm - outer) * spacing.depth_mm * 1000 > LIFTED_UM
    found = np.full(surfaces.clipped.shape, Region.VITREOUS, np.uint8)
    found[row >= ilm] = Region.RETINA
    found[(row >= outer - EPITHELIUM_MM / spacing.depth_mm) & (row >= ilm)] = Region.EPITHELIUM
    found[(row >= outer) & lifted & (row >= ilm)] = Region.UNDER_EPITHELIUM
    found[row >= bm] = Region.BELOW_MEMBRANE
    found[surfaces.clipped] = Region.FILL
    return found


def region_counts(found: LabelArray, codes: LabelArray, classes: int) -> Tensor:
    """Voxels of each tissue in each region, float tensor (region, class).

    Parameters
    ----------
    found : uint8 array (B-scan, depth, width), as of `regions`
    codes : uint8 array of the same shape; codes that name no single tissue count nowhere
    """
    known = codes < classes
    pairs = found[known].astype(np.intp) * classes + codes[known]
    counts = np.bincount(pairs, minlength=len(Region) * classes)
    return torch.from_numpy(counts.reshape(len(Region), classes)).float()


def shares_of(counts: Tensor) -> Tensor:
    """Shares of the tissues in each region; a region never seen is what its name says.

    Parameters
    ----------
    counts : float tensor (region, class), as of `region_counts`
    """
    smoothed = counts + COUNTED_LIKE_VOXELS
    for region, name in TISSUE_OF_REGION.items():
        if not counts[region].any():
            smoothed[region, TISSUE_BY_NAME[name].label] += 99.0
    return smoothed / smoothed.sum(dim=1, keepdim=True)
