"""Invented scanners that no network of ours was trained on, to show what adaptation does.

They imitate no product. Each differs from all trained profiles in axial spacing, sharpness, noise
and loss of signal with depth, and above all in its display: gray is proportional to decibels, not
to a root of the intensity, as on many research systems, and may be inverted, as in print.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.phantoms.devices import SPECTRALIS, DeviceProfile, with_bscans
from RetinaTriageLib.phantoms.eye import Disease
from RetinaTriageLib.phantoms.phantom import Phantom, make_phantom
from RetinaTriageLib.volume import LabelArray, VoxelSpacing

DARKEST = 0.5 / 255  # gray that stands for 0, whose logarithm is infinite


@dataclass(frozen=True)
class UnseenDevice:
    """An invented scanner.

    Attributes
    ----------
    range_db : span of intensity that its display shows, from black to white
    inverted : whether strong signal is dark
    """

    name: str
    title: str
    profile: DeviceProfile
    range_db: float
    inverted: bool = False

    def displayed(self, voxels: LabelArray) -> LabelArray:
        """Gray as this scanner shows it, for gray of `make_phantom`, a root of the intensity."""
        root_gray = np.maximum(np.arange(256) / 255, DARKEST)
        decibels = 10 * self.profile.root * np.log10(root_gray)
        shown = np.clip(1 + decibels / self.range_db, 0, 1)
        if self.inverted:
            shown = 1 - shown
        table = np.round(255 * shown).astype(np.uint8)
        gray: LabelArray = table[voxels]
        return gray


_PROFILE = replace(
    SPECTRALIS,
    shape=(49, 480, 512),
    spacing=VoxelSpacing.from_um(122.0, 4.6, 11.7),
    frames=(3, 12),
    noise_floor=(0.14, 0.26),
    axial_blur=1.4,
    lateral_blur=0.9,
    roll_off_db=5.0,
)

UNSEEN_DEVICES: Mapping[str, UnseenDevice] = MappingProxyType(
    {
        device.name: device
        for device in (
            UnseenDevice("decibel", "invented scanner, decibel display", _PROFILE, 45.0),
            UnseenDevice(
                "decibel-inverted",
                "invented scanner, inverted decibel display",
                _PROFILE,
                45.0,
                inverted=True,
            ),
        )
    }
)


def unseen_device(name: str) -> UnseenDevice:
    """Invented scanner of a name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in UNSEEN_DEVICES:
        msg = f"Found invented scanner {name!r}; expected one of {', '.join(UNSEEN_DEVICES)}."
        raise InputError(msg)
    return UNSEEN_DEVICES[name]


def unseen_phantom(
    seed: int,
    device: UnseenDevice,
    raster_bscans: int,
    *,
    diseases: tuple[Disease, ...] | None = None,
    bscans: tuple[int, ...] | None = None,
) -> Phantom:
    """Phantom of a seed as the invented scanner shows it; its eye is that of any other scanner.

    Parameters
    ----------
    raster_bscans : number of B-scans over the scanner's field
    diseases, bscans : as for `make_phantom`
    """
    profile = with_bscans(device.profile, raster_bscans)
    phantom = make_phantom(seed, profile, diseases=diseases, bscans=bscans)
    gray = device.displayed(phantom.volume.voxels)
    return replace(phantom, volume=replace(phantom.volume, voxels=gray, device=None))
