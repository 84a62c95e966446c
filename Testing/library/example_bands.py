"""A small eye of three bands that graph search understands, and trees without training."""

from __future__ import annotations

import numpy as np

from RetinaTriageLib.training.stacks import Stack
from RetinaTriageLib.volume import LabelArray, VoxelSpacing

SPACING = VoxelSpacing.from_um(120, 3.87, 11.5)
DEPTHS, WIDTHS = 192, 96
ILM, OUTER = 60, 140  # first row of the retina, first row below the epithelium


def banded_codes(bscans: int = 2) -> LabelArray:
    """Vitreous, retina, pigment epithelium of 4 rows, choroid."""
    codes = np.zeros((bscans, DEPTHS, WIDTHS), np.uint8)
    codes[:, ILM:] = 3
    codes[:, OUTER - 4 :] = 7
    codes[:, OUTER:] = 11
    return codes


def banded_bscans(bscans: int = 2) -> LabelArray:
    """Picture of the bands under speckle averaged over 16 frames."""
    brightness = np.zeros(15)
    brightness[[0, 3, 7, 11]] = 0.05, 0.35, 0.8, 0.25
    signal = brightness[banded_codes(bscans)]
    signal[:, OUTER - 17 : OUTER - 12] = 0.6  # ellipsoid zone
    speckle = np.random.default_rng(3).gamma(16, 1 / 16, signal.shape)
    return np.round(255 * np.clip(signal * speckle, 0, 0.99)).astype(np.uint8)


def banded_stack(bscans: int = 2) -> Stack:
    return Stack(banded_bscans(bscans), banded_codes(bscans), "spectralis")
