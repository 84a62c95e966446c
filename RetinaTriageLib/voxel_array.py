"""The voxels of a scan: which arrays can be one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError


def require_voxels(voxels: npt.NDArray[Any]) -> None:
    """Refuse arrays that are not one gray OCT scan.

    Raises
    ------
    InputError
        If the array is not 3D, has fewer than 16 depths or A-scans, is of another type than 8 or 16
        bit unsigned or 32 bit float, holds NaN or infinity, or is constant.
    """
    if voxels.ndim == 4 or (voxels.ndim == 3 and voxels.shape[-1] in (3, 4)):
        msg = f"Found shape {voxels.shape}: color or 4D data; expected gray (B-scan, depth, width)."
        raise InputError(msg)
    if voxels.ndim != 3:
        msg = f"Expected (B-scan, depth, width), got {voxels.shape}; stack the B-scans."
        raise InputError(msg)
    if voxels.shape[0] < 1 or min(voxels.shape[1:]) < 16:
        msg = f"Found {voxels.shape}; expected at least 16 depths and 16 A-scans a B-scan."
        raise InputError(msg)
    if voxels.dtype not in (np.uint8, np.uint16, np.float32):
        msg = (
            f"Found voxels of type {voxels.dtype}; expected uint8, uint16 or float32; convert them."
        )
        raise InputError(msg)
    if voxels.dtype == np.float32 and not np.isfinite([voxels.min(), voxels.max()]).all():
        msg = "Found NaN or infinite voxels; expected finite gray values. Export the volume again."
        raise InputError(msg)
    value = voxels[0, 0, 0]
    if (voxels[0] == value).all() and (voxels == value).all():  # the first B-scan mostly differs
        msg = f"Found a constant volume (all voxels {value}); expected an image. Check the export."
        raise InputError(msg)
