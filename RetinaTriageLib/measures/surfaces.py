"""Depth of the retinal surfaces in every A-scan of a tissue map.

Depths are fractional voxel indices with voxel centers at integers: a surface between voxels 9 and
10 lies at 9.5. They are counted along the A-scan, not along the normal of the retina.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.tissues import TISSUES, Tissue, TissueGroup, labels_of
from RetinaTriageLib.volume import LabelArray

SurfaceArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int16]

_BESIDE_RETINA = ("epiretinal_membrane",)


@dataclass(frozen=True)
class RetinalSurfaces:
    """Depths in px, float32 arrays (B-scan, width), NaN where the surface is not in the data.

    Attributes
    ----------
    ilm : internal limiting membrane, the top of the retina below any epiretinal membrane
    inner_rpe : top of the pigment epithelium
    bruch : Bruch's membrane, the top of the choroid
    """

    ilm: SurfaceArray
    inner_rpe: SurfaceArray
    bruch: SurfaceArray


def retinal_surfaces(
    tissue_map: LabelArray, tissues: tuple[Tissue, ...] = TISSUES
) -> RetinalSurfaces:
    """ILM, inner RPE and Bruch's membrane of a tissue map, in px.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    """
    ilm, bruch = retina_borders(tissue_map, tissues)
    rpe = [tissue.label for tissue in tissues if tissue.name == "rpe"]
    first, end = dominant_run(tissue_map, rpe)
    inner_rpe = np.where(end > first, first - 0.5, np.nan).astype(np.float32)
    return RetinalSurfaces(ilm, inner_rpe, bruch)


def retina_borders(
    tissue_map: LabelArray, tissues: tuple[Tissue, ...] = TISSUES
) -> tuple[SurfaceArray, SurfaceArray]:
    """ILM and Bruch's membrane, in px; these are the borders of a Spectralis thickness map.

    The retina is the dominant run of neurosensory retina, fluid, subretinal material, pigment
    epithelium and its detachments. The ILM is NaN where the retina leaves the picture at the top
    or lies behind an artifact; Bruch's membrane is NaN where no choroid follows the retina.

    Returns
    -------
    ilm, bruch : float32 arrays (B-scan, width)
    """
    first, end = dominant_run(tissue_map, retina_labels(tissues))
    depths = tissue_map.shape[1]
    artifacts = labels_of(TissueGroup.ARTIFACT, tissues=tissues)
    choroid = labels_of(TissueGroup.CHOROID, tissues=tissues)
    above = _labels_at(tissue_map, np.maximum(first - 1, 0))
    below = _labels_at(tissue_map, np.minimum(end, depths - 1))
    found = end > first
    has_ilm = found & (first > 0) & ~np.isin(above, artifacts)
    has_bruch = found & (end < depths) & np.isin(below, choroid)
    ilm = np.where(has_ilm, first - 0.5, np.nan)
    bruch = np.where(has_bruch, end - 0.5, np.nan)
    return ilm.astype(np.float32), bruch.astype(np.float32)


def retina_labels(tissues: tuple[Tissue, ...] = TISSUES) -> tuple[int, ...]:
    """Labels of all that lies between ILM and Bruch's membrane.

    Examples
    --------
    >>> retina_labels()
    (3, 4, 5, 6, 7, 8, 9, 10)
    """
    groups = (TissueGroup.RETINA, TissueGroup.FLUID, TissueGroup.PED)
    beside = {tissue.label for tissue in tissues if tissue.name in _BESIDE_RETINA}
    return tuple(label for label in labels_of(*groups, tissues=tissues) if label not in beside)


def dominant_run(tissue_map: LabelArray, labels: Sequence[int]) -> tuple[IndexArray, IndexArray]:
    """First voxel and end (one beyond the last) of some labels in every A-scan; equal if absent.

    The run maximizes voxels of the labels minus other voxels inside it. So it bridges holes that
    are smaller than the tissue on either side, and leaves out islands that are smaller than their
    distance.

    Returns
    -------
    first, end : int arrays (B-scan, width)

    References
    ----------
    Maximum subarray: Bentley, Commun. ACM 27(9):865, 1984.
    """
    bscans, depths, width = tissue_map.shape
    step_of_label = np.full(256, -1, dtype=np.int16)
    step_of_label[list(labels)] = 1
    first, end, start, gain, best = np.zeros((5, bscans, width), dtype=np.int16)
    for depth in range(depths):
        np.copyto(start, depth, where=gain <= 0)
        np.maximum(gain, 0, out=gain)
        gain += step_of_label[tissue_map[:, depth]]
        better = gain > best
        np.maximum(best, gain, out=best)
        np.copyto(first, start, where=better)
        np.copyto(end, depth + 1, where=better)
    return first, end


def _labels_at(tissue_map: LabelArray, depth: IndexArray) -> LabelArray:
    picked: LabelArray = np.take_along_axis(tissue_map, depth[:, None, :].astype(np.intp), axis=1)[
        :, 0
    ]
    return picked
