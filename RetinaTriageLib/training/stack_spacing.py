"""Spacing of labeled B-scans, for training methods that measure lengths; files do not hold it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.training.stacks import Stack
from RetinaTriageLib.volume import VoxelSpacing


@dataclass(frozen=True)
class DeviceSpacing:
    """Spacing of all stacks of one device, as stated by the user."""

    device: str
    spacing: VoxelSpacing


def device_spacing(text: str) -> DeviceSpacing:
    """Spacing of an option ``DEVICE=DEPTH,WIDTH``, in µm.

    Examples
    --------
    >>> device_spacing("topcon=5.13,11.72").spacing.depth_mm
    0.00513
    """
    device, _, lengths = text.partition("=")
    try:
        depth_um, width_um = (float(length) for length in lengths.split(","))
        return DeviceSpacing(device, VoxelSpacing.from_um(None, depth_um, width_um))
    except (ValueError, GeometryError) as error:
        msg = f"found {text!r} ({error}); expected DEVICE=DEPTH,WIDTH in µm: spectralis=3.87,11.7"
        raise argparse.ArgumentTypeError(msg) from error


def spacing_of(stack: Stack, spacings: Mapping[str, VoxelSpacing]) -> VoxelSpacing:
    """Spacing of a stack by its device.

    Raises
    ------
    InputError
        If none was stated for its device.
    """
    spacing = spacings.get(stack.device)
    if spacing is None:
        msg = (
            f"Found B-scans of {stack.device} without a spacing; this method measures lengths. "
            f"State it: --spacing-um {stack.device}=DEPTH,WIDTH."
        )
        raise InputError(msg)
    return spacing
