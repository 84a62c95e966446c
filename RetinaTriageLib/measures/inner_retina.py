"""Thickness of the bright inner retina, by gray values: thinnest at the fovea in any disease.

At the fovea ganglion cells and their neighbors give way, and the dark outer nuclear layer reaches
up to the ILM. Cysts, drusen and fluid below thicken the retina as a whole, but not these layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.measures.surfaces import SurfaceArray
from RetinaTriageLib.result import EnFaceArray
from RetinaTriageLib.volume import VoxelSpacing

# Our own choices, tried on phantoms of all diseases.
SMOOTH_MM = (0.02, 0.08)  # depth and width over which speckle is averaged
LAYERS = 24  # that the retina is cut into, of equal thickness
INNER_LAYERS = 16
DARK_LAYERS = 2  # dark layers in a row end the inner retina
DARK_SHARES = (0.7, 0.8)  # of the way from the gray of the vitreous to that of the retina
VITREOUS_MM = 0.1  # above the ILM


def inner_retina_um(
    voxels: npt.NDArray[Any], ilm: SurfaceArray, bruch: SurfaceArray, spacing: VoxelSpacing
) -> tuple[EnFaceArray, ...]:
    """Depth below the ILM at which the retina turns dark, in µm, a map for each share of gray.

    Parameters
    ----------
    voxels : array (B-scan, depth, width), of any gray scale, dark or bright
    ilm, bruch : float32 arrays (B-scan, width), in px, NaN where unknown

    Returns
    -------
    float32 arrays (B-scan, width), NaN where a border is unknown
    """
    known = np.isfinite(ilm) & np.isfinite(bruch)
    layers, vitreous = _layers(voxels, np.nan_to_num(ilm), np.nan_to_num(bruch), spacing)
    thickness_um = (bruch - ilm) * np.float32(spacing.depth_mm * 1000 / LAYERS)
    if not known.any():
        return tuple(np.full(ilm.shape, np.nan, np.float32) for _ in DARK_SHARES)
    black, bright = np.median(vitreous[known]), np.median(layers[:, known])
    share = (layers - black) / (bright - black) if bright != black else np.zeros_like(layers)
    return tuple(
        np.where(known, _bright_layers(share < dark) * thickness_um, np.nan).astype(np.float32)
        for dark in DARK_SHARES
    )


def _layers(
    voxels: npt.NDArray[Any],
    ilm: SurfaceArray,
    bruch: SurfaceArray,
    spacing: VoxelSpacing,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Smoothed gray in the middle of each layer, (layer, B-scan, width), and above the ILM."""
    bscans, depths, width = voxels.shape
    window = [
        1 + 2 * round(extent / step / 2)
        for extent, step in zip(SMOOTH_MM, (spacing.depth_mm, spacing.width_mm), strict=True)
    ]
    layers = np.empty((LAYERS, bscans, width), np.float32)
    vitreous = np.empty((bscans, width), np.float32)
    middles = (np.arange(LAYERS)[:, None] + 0.5) / LAYERS
    above = VITREOUS_MM / spacing.depth_mm
    for number, bscan in enumerate(voxels):
        smooth = ndimage.uniform_filter(bscan.astype(np.float32), window, mode="nearest")
        top, bottom = ilm[number], bruch[number]
        depth = np.vstack((top - above, top + middles * (bottom - top)))
        at = np.clip(np.rint(depth), 0, depths - 1).astype(np.int64)
        vitreous[number], *layers[:, number] = np.take_along_axis(smooth, at, axis=0)
    return layers, vitreous


def _bright_layers(dark: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Count the layers above the first dark ones, (B-scan, width); the first is never dark."""
    ends = dark[1 : INNER_LAYERS + 1].copy()
    for after in range(1, DARK_LAYERS):
        ends &= dark[1 + after : INNER_LAYERS + 1 + after]
    return np.where(ends.any(axis=0), ends.argmax(axis=0) + 1, INNER_LAYERS)
