"""Volume and en-face area of every tissue, around the fovea and in the whole scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.hypotheses import spread
from RetinaTriageLib.measures.columns import CountArray
from RetinaTriageLib.measures.regions import Float64Array
from RetinaTriageLib.result import TissueMeasure
from RetinaTriageLib.tissues import Tissue
from RetinaTriageLib.volume import VoxelSpacing

NL_PER_MM3 = 1000.0


def tissue_volumes(counts: CountArray, area_mm2: Float64Array, depth_mm: float) -> Float64Array:
    """Volume of each tissue in one region, in mm³; 0.0 where it is absent.

    Parameters
    ----------
    counts : int array (class, B-scan, width), see `column_counts`
    area_mm2 : float array (B-scan, width); area of each A-scan cell inside the region
    depth_mm : distance between voxels along the depth

    Returns
    -------
    float array (class,)
    """
    volumes: Float64Array = np.tensordot(counts.astype(np.float64), area_mm2, axes=2) * depth_mm
    return volumes


def tissue_areas(counts: CountArray, area_mm2: Float64Array) -> Float64Array:
    """En-face area of each tissue in one region, in mm²: cells whose A-scan meets the tissue.

    Parameters
    ----------
    counts, area_mm2
        As for `tissue_volumes`.
    """
    areas: Float64Array = np.tensordot((counts > 0).astype(np.float64), area_mm2, axes=2)
    return areas


def tissue_measures(
    counts: CountArray,
    hypothesis_counts: Sequence[npt.NDArray[np.int64]],
    areas_mm2: Mapping[str, Float64Array],
    spacing: VoxelSpacing,
    tissues: tuple[Tissue, ...],
) -> tuple[TissueMeasure, ...]:
    """Volume and area of every tissue in every region, with the spread over the hypotheses.

    Parameters
    ----------
    counts : int array (class, B-scan, width) of the consensus map
    hypothesis_counts : one int array (class,) a hypothesis, see `class_counts`
    areas_mm2 : region to float array (B-scan, width), see `circle_areas`
    """
    volumes = {
        region: tissue_volumes(counts, area, spacing.depth_mm) for region, area in areas_mm2.items()
    }
    areas = {region: tissue_areas(counts, area) for region, area in areas_mm2.items()}
    by_hypothesis = np.array(hypothesis_counts) * spacing.voxel_mm3  # (hypothesis, class)
    return tuple(
        TissueMeasure(
            tissue,
            {region: float(of_class[tissue.label]) for region, of_class in volumes.items()},
            {region: float(of_class[tissue.label]) for region, of_class in areas.items()},
            spread(by_hypothesis[:, tissue.label]),
        )
        for tissue in tissues
    )
