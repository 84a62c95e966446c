"""Scanner profiles: dimensions, spacing and picture quality of the imitated devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.volume import DeviceFamily, VoxelSpacing


@dataclass(frozen=True)
class DeviceProfile:
    """One scanner.

    Attributes
    ----------
    shape : (B-scans, depths, A-scans) of a macular raster
    frames : least and most averaged frames a B-scan (more frames, less speckle)
    noise_floor : least and most mean noise in the vitreous, display gray 0..1
    root : display gray is raw intensity to the power 1/root
    axial_blur, lateral_blur : point-spread function, standard deviation in px
    roll_off_db : loss of signal from the top to the bottom of the picture
    """

    family: DeviceFamily
    shape: tuple[int, int, int]
    spacing: VoxelSpacing
    frames: tuple[int, int]
    noise_floor: tuple[float, float]
    root: float
    axial_blur: float
    lateral_blur: float
    roll_off_db: float


# Dimensions: CLINICAL.md section 7 sources (vendor data sheets); Spectralis noise, frames and root
# were set by eye and by histogram beside real B-scans, the other two by their published pictures.
SPECTRALIS = DeviceProfile(
    DeviceFamily.SPECTRALIS,
    (49, 496, 512),
    VoxelSpacing.from_um(122.0, 3.87, 11.7),
    frames=(4, 40),
    noise_floor=(0.08, 0.24),
    root=4.0,
    axial_blur=0.9,
    lateral_blur=0.55,
    roll_off_db=2.0,
)
SPECTRALIS_WIDE = replace(
    SPECTRALIS, shape=(61, 496, 768), spacing=VoxelSpacing.from_um(123.0, 3.87, 11.5)
)
CIRRUS = DeviceProfile(
    DeviceFamily.CIRRUS,
    (128, 512, 512),
    VoxelSpacing.from_um(46.9, 3.91, 11.7),
    frames=(1, 3),
    noise_floor=(0.2, 0.36),
    root=5.0,
    axial_blur=1.1,
    lateral_blur=0.7,
    roll_off_db=4.0,
)
TOPCON = DeviceProfile(
    DeviceFamily.TOPCON,
    (128, 448, 512),
    VoxelSpacing.from_um(46.9, 5.13, 11.72),
    frames=(1, 4),
    noise_floor=(0.16, 0.32),
    root=5.0,
    axial_blur=0.9,
    lateral_blur=0.7,
    roll_off_db=4.0,
)

SCANNERS: Mapping[str, DeviceProfile] = MappingProxyType(
    {
        "spectralis": SPECTRALIS,
        "spectralis-wide": SPECTRALIS_WIDE,
        "cirrus": CIRRUS,
        "topcon": TOPCON,
    }
)


def with_bscans(device: DeviceProfile, bscans: int) -> DeviceProfile:
    """Change the number of B-scans over the same field.

    Examples
    --------
    >>> with_bscans(SPECTRALIS, 25).spacing.bscan_mm
    0.244
    """
    if bscans < 2:
        msg = f"Found {bscans} B-scans; expected at least 2 for a raster."
        raise InputError(msg)
    spacing, (total, depths, widths) = device.spacing, device.shape
    assert spacing.bscan_mm is not None
    extent_mm = spacing.bscan_mm * (total - 1)
    spread = VoxelSpacing(extent_mm / (bscans - 1), spacing.depth_mm, spacing.width_mm)
    return replace(device, shape=(bscans, depths, widths), spacing=spread)


def with_middle_bscan(device: DeviceProfile) -> DeviceProfile:
    """Change to a line scan: the B-scan in the middle of the field, without neighbors.

    Examples
    --------
    >>> with_middle_bscan(CIRRUS).shape
    (1, 512, 512)
    """
    spacing, (_, depths, widths) = device.spacing, device.shape
    alone = VoxelSpacing(None, spacing.depth_mm, spacing.width_mm)
    return replace(device, shape=(1, depths, widths), spacing=alone)
