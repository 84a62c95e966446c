"""Thickness maps along the A-scans, in µm, as en-face arrays (B-scan, width)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.measures.columns import CountArray
from RetinaTriageLib.measures.surfaces import SurfaceArray
from RetinaTriageLib.result import EnFaceArray
from RetinaTriageLib.tissues import TISSUES, Tissue, TissueGroup, labels_of

RETINAL_BOUNDARIES = "ILM to Bruch's membrane, along the A-scan"

_MAPPED_GROUPS = (TissueGroup.RETINA, TissueGroup.FLUID, TissueGroup.PED)


def retinal_thickness(ilm: SurfaceArray, bruch: SurfaceArray, depth_mm: float) -> EnFaceArray:
    """Distance from ILM to Bruch's membrane, in µm; NaN where either is not in the data.

    Parameters
    ----------
    ilm, bruch : float32 arrays (B-scan, width), in px
    depth_mm : distance between voxels along the depth
    """
    return np.asarray((bruch - ilm) * (depth_mm * 1000), dtype=np.float32)


def tissue_thickness(
    counts: CountArray,
    labels: Sequence[int],
    depth_mm: float,
    tissues: tuple[Tissue, ...] = TISSUES,
) -> EnFaceArray:
    """Thickness of some tissues together, in µm; 0 where absent, NaN in A-scans without data.

    Parameters
    ----------
    counts : int array (class, B-scan, width), see `column_counts`
    labels : which tissues to add up
    depth_mm : distance between voxels along the depth

    Returns
    -------
    float32 array (B-scan, width)
    """
    thickness_um = counts[list(labels)].sum(axis=0) * (depth_mm * 1000)
    return np.where(has_data(counts, tissues), thickness_um, np.nan).astype(np.float32)


def has_data(counts: CountArray, tissues: tuple[Tissue, ...] = TISSUES) -> npt.NDArray[np.bool_]:
    """A-scans that are not mostly artifact, bool array (B-scan, width)."""
    artifacts = labels_of(TissueGroup.ARTIFACT, tissues=tissues)
    artifact: CountArray = counts[list(artifacts)].sum(axis=0)
    kept: npt.NDArray[np.bool_] = artifact * 2 <= counts.sum(axis=0)
    return kept


def thickness_maps(
    counts: CountArray, depth_mm: float, tissues: tuple[Tissue, ...] = TISSUES
) -> Mapping[str, EnFaceArray]:
    """Thickness of "fluid", "ped" and each retinal, fluid and detachment tissue, by name, in µm.

    Parameters
    ----------
    counts : int array (class, B-scan, width), see `column_counts`
    depth_mm : distance between voxels along the depth
    """
    labels: dict[str, tuple[int, ...]] = {
        "fluid": labels_of(TissueGroup.FLUID, tissues=tissues),
        "ped": labels_of(TissueGroup.PED, tissues=tissues),
    }
    labels |= {t.name: (t.label,) for t in tissues if t.group in _MAPPED_GROUPS}
    return {name: tissue_thickness(counts, of, depth_mm, tissues) for name, of in labels.items()}
