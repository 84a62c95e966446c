"""Images as whole-image networks take them: gray values 0..1 at the network's size.

Images are stretched to the size, as in Kermany et al. 2018; their proportions are not kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.gray import GrayScale, gray_scale


def unit_gray(images: npt.NDArray[Any], scale: GrayScale | None = None) -> npt.NDArray[np.float32]:
    """Gray values 0..1, float32 in the shape of ``images`` (N, depth, width).

    Parameters
    ----------
    scale : gray values of black and white; None where ``images`` are all of a scan

    Examples
    --------
    >>> unit_gray(np.array([[[0, 255]]], dtype=np.uint8)).tolist()
    [[[0.0, 1.0]]]
    """
    if images.ndim != 3:
        msg = f"Expected images (N, depth, width), got {images.shape}; stack them."
        raise InputError(msg)
    scale = scale or gray_scale(images)
    extent = scale.high - scale.low
    gain = np.float32(1 / extent) if extent > 0 else np.float32(0)
    gray = (images.astype(np.float32) - np.float32(scale.low)) * gain
    return np.clip(gray, np.float32(0), np.float32(1), out=gray)


def resampled(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images (N, depth, width) at another size, linear; pixels are averaged where they are many."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return F.interpolate(
        images[:, None], size, mode="bilinear", align_corners=False, antialias=True
    )[:, 0]


def network_images(
    images: npt.NDArray[Any], size: tuple[int, int], scale: GrayScale | None = None
) -> Tensor:
    """Images of any gray values as a network of ``size`` takes them, float tensor 0..1."""
    return resampled(torch.from_numpy(unit_gray(images, scale)), size)
