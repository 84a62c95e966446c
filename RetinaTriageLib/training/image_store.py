"""Pictures at the size of a network, read from disk once as long as memory allows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from RetinaTriageLib.networks.image_input import network_images
from RetinaTriageLib.readers.pictures import only_picture
from RetinaTriageLib.training.image_sets import LabeledImage

KEPT_BYTES = 2 << 30

Gray = npt.NDArray[np.uint8]


class ImageStore:
    """Pictures in 8 bits at one size.

    Parameters
    ----------
    size : (depth, width) that pictures are resampled to
    kept_bytes : pictures are kept in memory up to here, others are read whenever they are asked for
    """

    def __init__(self, size: tuple[int, int], kept_bytes: int = KEPT_BYTES) -> None:
        self.size = size
        self._kept: dict[Path, Gray] = {}
        self._most = kept_bytes // (size[0] * size[1])

    def batch(self, images: Sequence[LabeledImage]) -> Tensor:
        """Pictures (N, depth, width), float 0..1."""
        return torch.from_numpy(np.stack([self._picture(i) for i in images])).float().div_(255)

    def _picture(self, image: LabeledImage) -> Gray:
        if image.path in self._kept:
            return self._kept[image.path]
        picture = read_gray(image, self.size)
        if len(self._kept) < self._most:
            self._kept[image.path] = picture
        return picture


def read_gray(image: LabeledImage, size: tuple[int, int]) -> Gray:
    """One picture (depth, width) at a size, 8 bits.

    Raises
    ------
    InputError
        If it cannot be read, is colored, or has more than one page.
    """
    small = network_images(only_picture(image.path)[None], size)[0]
    return np.asarray(small.mul(255).round().byte().numpy())


def content_digests(images: Sequence[LabeledImage]) -> dict[str, str]:
    """SHA-256 of every picture's file, by the picture's name."""
    return {image.name: hashlib.sha256(image.path.read_bytes()).hexdigest() for image in images}
