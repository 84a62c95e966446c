"""Measurements of the lesions of a scan's tissue maps, and the gray that they are taken on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from RetinaTriageLib.measures.surfaces import retina_borders
from RetinaTriageLib.networks.classifier_input import voxel_size_mm
from RetinaTriageLib.networks.gray import (
    GrayScale,
    eight_bits,
    is_black_on_white,
    normalize,
    tissue_scale,
)
from RetinaTriageLib.networks.lesion_features import (
    Features,
    lesion_features,
)
from RetinaTriageLib.networks.lesion_view import GrayScan, VoxelSize, gray_scan
from RetinaTriageLib.networks.lesions import find_lesions
from RetinaTriageLib.volume import LabelArray, OCTVolume

WHITE = np.uint8(255)


def measured_lesions(volume: OCTVolume, tissue_maps: Sequence[LabelArray]) -> list[Features]:
    """Measurements of the lesions of each map of a scan, float32 arrays (lesion, measurement)."""
    gray, size = measured_scan(volume, tissue_scale(volume.voxels))
    return [
        lesion_features(
            tissue_map, retina_borders(tissue_map), gray, size, find_lesions(tissue_map)
        )
        for tissue_map in tissue_maps
    ]


def measured_scan(volume: OCTVolume, scale: GrayScale) -> tuple[GrayScan, VoxelSize]:
    """Gray values and voxel size of a scan as lesions are measured on them, bright on dark.

    Unknown lengths let the scan span the grid of the classifiers, as it does for those.
    """
    _, depth, width = voxel_size_mm(volume.shape, volume.spacing)
    apart = volume.spacing.bscan_mm if volume.spacing else None
    size = VoxelSize(apart or 0.0, depth, width)
    raw = np.stack([eight_bits(normalize(bscan, scale)) for bscan in volume.voxels])
    if is_black_on_white(volume.voxels[..., ::4, ::4]):
        raw = WHITE - raw
    return gray_scan(raw, size), size
