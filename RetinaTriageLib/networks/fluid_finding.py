"""Intraretinal fluid of tissue maps, settled with what the fluid network saw in the same scan.

The network sees once what all maps of a scan share, and each map keeps a say: fluid that the map
has and the network sees nowhere becomes retina. What the network sees as fluid becomes fluid where
it belongs to a region that the map has found a part of; before it was retina, or the middle of a
dark cyst taken for vitreous.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage

from RetinaTriageLib.networks.flat_view import FlatView, IndexArray
from RetinaTriageLib.networks.fluid_network import FluidConfig, FluidNetwork
from RetinaTriageLib.networks.lesion_view import GrayArray
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.volume import LabelArray

VITREOUS, RETINA, FLUID = (
    TISSUE_BY_NAME[name].label
    for name in ("vitreous_subhyaloid", "neurosensory_retina", "intraretinal_fluid")
)
MAY_BE_FLUID = (VITREOUS, RETINA)
"""Segmenters take the middle of a large dark cyst for vitreous."""
BATCH = 8  # B-scans; more are not faster
TOUCHING = np.ones((3, 3, 3), np.bool_)
CERTAIN = 255
"""Chances are stored as bytes."""


@dataclass(frozen=True)
class SeenFluid:
    """Chance of intraretinal fluid in one scan.

    Attributes
    ----------
    flat : uint8 array (B-scan, row, column) of `view`, 255 is certain
    """

    view: FlatView
    flat: GrayArray
    config: FluidConfig

    def settled(self, tissue_map: LabelArray) -> LabelArray:
        """Tissue map (B-scan, depth, width) with its fluid settled; the one given stays."""
        labels = tissue_map.reshape(-1)
        fluid = self.view.covered(np.flatnonzero(labels == FLUID))
        if not fluid.size:
            return tissue_map
        own = np.unique(self._region_near(fluid))
        other = self._found[np.isin(labels[self._found], MAY_BE_FLUID)]
        belongs = np.isin(self._region_near(other), own[own > 0])
        doubted = self._chance[fluid] <= self.config.doubted * CERTAIN
        settled = labels.copy()
        settled[fluid[doubted]] = RETINA
        settled[other[belongs]] = FLUID
        return settled.reshape(tissue_map.shape)

    @cached_property
    def _chance(self) -> GrayArray:
        """Chance of every voxel, raveled."""
        return self.view.restored(self.flat).reshape(-1)

    @cached_property
    def _found(self) -> IndexArray:
        """Voxels that are fluid where a map knows of the region."""
        return self.view.covered(np.flatnonzero(self._chance > self.config.found * CERTAIN))

    @cached_property
    def _regions(self) -> npt.NDArray[np.int32]:
        """Region of found fluid that holds or touches each place of the view, 0 for none."""
        regions, _ = ndimage.label(self.flat > self.config.found * CERTAIN, TOUCHING)
        near = ndimage.maximum_filter(regions, 3)
        return np.where(regions > 0, regions, near).astype(np.int32).reshape(-1)

    def _region_near(self, voxels: IndexArray) -> npt.NDArray[np.int32]:
        return self._regions[self.view.places(voxels)]


@torch.inference_mode()
def seen_fluid(
    network: FluidNetwork, raw: GrayArray, view: FlatView, dtype: torch.dtype = torch.float32
) -> SeenFluid:
    """Let the network look at a scan.

    Parameters
    ----------
    raw : uint8 array (B-scan, depth, width), gray on the common scale, bright on dark
    dtype : that convolutions run in
    """
    gray, device = view.flattened(raw), network.head.weight.device
    flat = np.zeros(view.shape, np.uint8)
    seen = np.flatnonzero(view.seen)
    for first in range(0, len(seen), BATCH):
        numbers = seen[first : first + BATCH]
        shown = torch.from_numpy(gray[_with_neighbors(numbers, view)]).to(device)
        ilm_rows = torch.from_numpy(view.ilm_rows[numbers]).to(device)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            scores = network(shown, ilm_rows).float()
        chances = scores.sigmoid_().mul_(CERTAIN).round_()
        flat[numbers] = chances.to(torch.uint8).cpu().numpy()
    return SeenFluid(view, flat, network.config)


def _with_neighbors(numbers: npt.NDArray[np.intp], view: FlatView) -> npt.NDArray[np.intp]:
    """Previous, same and next B-scan of each, (N, 3); itself where there is none to be seen."""
    beside = numbers[:, None] + np.array([-1, 0, 1])
    inside = np.clip(beside, 0, len(view.seen) - 1)
    return np.where(view.seen[inside], inside, numbers[:, None])
