"""What goes over whole tissue maps once the segmenters are done: names of lesions, then fluid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.lesion_names import measured_scan
from RetinaTriageLib.measures.surfaces import SurfaceArray, retina_borders
from RetinaTriageLib.networks.flat_view import flat_view
from RetinaTriageLib.networks.fluid_finding import seen_fluid
from RetinaTriageLib.networks.fluid_network import FluidNetwork
from RetinaTriageLib.networks.gray import GrayScale
from RetinaTriageLib.networks.lesion_naming import LesionNamer
from RetinaTriageLib.networks.lesion_view import Borders
from RetinaTriageLib.volume import LabelArray, OCTVolume


@dataclass(frozen=True)
class MapFinish:
    """What a bundle brings for it; without any, maps stay as the segmenters leave them.

    Attributes
    ----------
    namer : says what each lesion is
    fluid : looks for intraretinal fluid once more
    dtype : that its convolutions run in
    """

    namer: LesionNamer | None = None
    fluid: FluidNetwork | None = None
    dtype: torch.dtype = torch.float32

    @property
    def changes(self) -> bool:
        """Whether maps may change at all."""
        return self.namer is not None or self.fluid is not None


UNFINISHED = MapFinish()


def finish_of(bundle: Bundle, compute: Compute) -> MapFinish:
    """Everything that a bundle brings to finish its maps with; networks go to the device."""
    fluid = bundle.fluid_network()
    return MapFinish(bundle.lesion_namer(), fluid and fluid.to(compute.torch_device), compute.dtype)


def finished_maps(
    finish: MapFinish,
    volume: OCTVolume,
    scale: GrayScale,
    tissue_maps: Sequence[LabelArray],
    consensus: LabelArray | None = None,
) -> list[LabelArray]:
    """Finished maps of one scan, then its consensus where one is given; those given stay.

    Fluid is looked for once, along the borders that the maps of the segmenters have in common.

    Parameters
    ----------
    scale : gray scale of the scan, as its networks see it
    tissue_maps : uint8 arrays (B-scan, depth, width), of all segmenters
    """
    maps = [*tissue_maps] if consensus is None else [*tissue_maps, consensus]
    if not finish.changes:
        return maps
    borders = [retina_borders(tissue_map) for tissue_map in maps]
    gray, size = measured_scan(volume, scale)
    if finish.namer is not None:
        maps = [
            finish.namer.named(tissue_map, own, gray, size)
            for tissue_map, own in zip(maps, borders, strict=True)
        ]
    if finish.fluid is not None:
        common = common_borders(borders[: len(tissue_maps)])
        view = flat_view(common, volume.shape[1], size)
        seen = seen_fluid(finish.fluid, gray.raw, view, finish.dtype)
        maps = [seen.settled(tissue_map) for tissue_map in maps]
    return maps


def common_borders(borders: Sequence[Borders]) -> Borders:
    """Lower median of each border where maps have it, (B-scan, width); NaN where none has."""
    ilm, bruch = (np.sort(np.stack(ones), axis=0) for ones in zip(*borders, strict=True))
    return _middle(ilm), _middle(bruch)


def _middle(ordered: SurfaceArray) -> SurfaceArray:
    """Middle of the known values along the first axis, behind which NaN lie."""
    known = np.isfinite(ordered).sum(axis=0)
    place = np.maximum(known - 1, 0)[np.newaxis] // 2
    middle: SurfaceArray = np.take_along_axis(ordered, place, axis=0)[0]
    return middle
