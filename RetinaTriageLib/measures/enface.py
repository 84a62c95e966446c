"""En-face projection: mean gray value along the depth."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.measures.surfaces import SurfaceArray
from RetinaTriageLib.result import EnFaceArray


def enface_projection(voxels: npt.NDArray[Any]) -> EnFaceArray:
    """Mean gray value of every A-scan, float32 array (B-scan, width).

    Parameters
    ----------
    voxels : array (B-scan, depth, width)
    """
    return np.stack([bscan.mean(axis=0, dtype=np.float32) for bscan in voxels])


def slab_projection(
    voxels: npt.NDArray[Any], top: SurfaceArray, bottom: SurfaceArray
) -> EnFaceArray:
    """Mean gray value between two surfaces, float32 array (B-scan, width).

    Parameters
    ----------
    voxels : array (B-scan, depth, width)
    top, bottom : float32 arrays (B-scan, width), in px; a voxel belongs to the slab where its
        center lies between them

    Returns
    -------
    float32 array (B-scan, width)
        NaN where a surface is unknown or no voxel lies between them.

    Raises
    ------
    InputError
        If a surface is not of the size of the volume.
    """
    bscans, depths, width = voxels.shape
    if not top.shape == bottom.shape == (bscans, width):
        msg = (
            f"Found surfaces of {top.shape} and {bottom.shape}; expected {(bscans, width)} as the "
            "volume has (B-scans, A-scans). Take the surfaces of the same scan."
        )
        raise InputError(msg)
    depth = np.arange(depths, dtype=np.float32)[:, None]
    projection = np.full((bscans, width), np.nan, dtype=np.float32)
    for index, bscan in enumerate(voxels):
        inside = (depth >= top[index]) & (depth <= bottom[index])
        count = inside.sum(axis=0)
        gray = np.where(inside, bscan, 0).sum(axis=0, dtype=np.float32)
        np.divide(gray, count, out=projection[index], where=count > 0)
    return projection
