"""Gray values as a volume keeps them; a conversion happens only where it loses nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError

# An OCT scan is full of speckle and holds hundreds of gray values, a tissue map at most some dozen.
FEWEST_GRAY_VALUES = 24
# A scan shows that many already in a part of its voxels; counting all of them takes a second.
SAMPLE_STEP = 97


def single_channel(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One of three equal channels; pictures are often stored so.

    Parameters
    ----------
    pixels : array (..., channel)

    Raises
    ------
    InputError
        If the channels differ, or are not one or three.
    """
    channels = pixels.shape[-1]
    if channels == 1:
        return pixels[..., 0]
    if channels != 3:
        msg = f"Found {channels} values a voxel; expected one gray value. Export gray B-scans."
        raise InputError(msg)
    if any(not np.array_equal(pixels[..., 0], pixels[..., other]) for other in (1, 2)):
        msg = (
            "Found colors: the three channels differ; expected gray B-scans. Export them in gray, "
            "without drawn lines or color maps."
        )
        raise InputError(msg)
    return np.ascontiguousarray(pixels[..., 0])


def lossless_gray(voxels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Voxels as uint8, uint16 or float32.

    Integers of other types become uint16 where all values fit, half and double precision become
    float32.

    Raises
    ------
    InputError
        If the values do not fit, or the array holds a mask or complex numbers.
    """
    if voxels.dtype.kind == "b":
        msg = "Found a mask of two values; expected gray B-scans. Choose the scan itself."
        raise InputError(msg)
    if voxels.dtype.kind == "f":
        return voxels.astype(np.float32)
    if voxels.dtype.kind not in "iu":
        msg = f"Found voxels of type {voxels.dtype}; expected gray integers or floats."
        raise InputError(msg)
    if voxels.dtype in (np.uint8, np.uint16):
        return voxels.astype(voxels.dtype.newbyteorder("="), copy=False)
    low, high = int(voxels.min()), int(voxels.max())
    if low < 0 or high > np.iinfo(np.uint16).max:
        msg = (
            f"Found {voxels.dtype} gray values from {low} to {high}; expected 0 to 65535. "
            "Rescale them to 16 bit without sign, or store them as 32 bit float."
        )
        raise InputError(msg)
    return voxels.astype(np.uint16)


def refuse_label_map(voxels: npt.NDArray[Any], name: str) -> None:
    """Refuse voxels that are labels, such as a tissue map chosen by mistake.

    Raises
    ------
    InputError
        If integer voxels hold more than one but fewer than 24 different values.
    """
    if voxels.dtype.kind not in "iu":
        return
    some = np.unique(voxels.ravel()[::SAMPLE_STEP])
    if len(some) >= FEWEST_GRAY_VALUES:
        return
    values = np.unique(voxels)
    if 1 < len(values) < FEWEST_GRAY_VALUES:
        msg = (
            f"{name} holds only {len(values)} different values and looks like a label map; "
            "expected the gray OCT scan. Choose the scan that the labels were drawn on."
        )
        raise InputError(msg)
