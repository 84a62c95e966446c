"""A retinal OCT volume: voxels, where they lie, and where that knowledge comes from.

Arrays are (B-scan, depth, width). In patient space (RAS, mm) the standard orientation is: width
towards the patient's left, depth towards posterior, B-scans towards superior. In Slicer's views
the axial one is then the B-scan, vitreous on top, and the coronal one is en face, for either eye.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.device_record import (
    DeviceRecord,
    DeviceThicknessTable,
    FloatArray,
    Localizer,
)
from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.voxel_array import require_voxels
from RetinaTriageLib.voxel_spacing import VoxelSpacing

__all__ = [
    "STANDARD_DIRECTIONS",
    "DeviceFamily",
    "DeviceRecord",
    "DeviceThicknessTable",
    "FloatArray",
    "LabelArray",
    "Laterality",
    "Localizer",
    "OCTVolume",
    "ScanPattern",
    "VoxelSpacing",
    "describe",
    "require_voxels",
    "with_geometry",
]

LabelArray = npt.NDArray[np.uint8]

STANDARD_DIRECTIONS = np.array([[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]])
"""Columns: unit steps of width, depth and B-scan in RAS, for the standard orientation."""


class Laterality(Enum):
    """Which eye: OD is the right one, OS the left one."""

    OD = "OD"
    OS = "OS"


class DeviceFamily(Enum):
    """Scanner families; each has its own adaptation branch in a segmentation network."""

    SPECTRALIS = "spectralis"
    CIRRUS = "cirrus"
    TOPCON = "topcon"
    OPTOVUE = "optovue"

    @classmethod
    def named(cls, scanner: str | None) -> DeviceFamily | None:
        """Family of that name; None for another scanner, which a bundle was adapted to, or none."""
        return next((family for family in cls if family.value == scanner), None)


class ScanPattern(Enum):
    """How the B-scans lie on the retina."""

    RASTER = "raster"
    LINE = "single line"
    CIRCLE = "circle"
    RADIAL = "radial"


@dataclass(frozen=True)
class OCTVolume:
    """One OCT scan of one eye.

    Attributes
    ----------
    voxels : array (B-scan, depth, width), uint8, uint16 or float32
    spacing : None where it is not known; measurements that need it then refuse to run
    laterality : None where it is not known
    device : scanner family, None where it is not known
    pattern : how the B-scans lie on the retina
    directions : float array (3, 3), columns are unit steps of width, depth and B-scan in RAS
    origin_mm : RAS position of the first voxel
    sources : fact ("spacing", "laterality", ...) to where it was read, such as "HEYEX XML"
    assumed : sentences on what is not in the file; they travel with every number
    """

    voxels: npt.NDArray[Any]
    spacing: VoxelSpacing | None
    laterality: Laterality | None = None
    device: DeviceFamily | None = None
    pattern: ScanPattern = ScanPattern.RASTER
    directions: FloatArray = field(default_factory=lambda: STANDARD_DIRECTIONS.copy())
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    name: str = "volume"
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    assumed: tuple[str, ...] = ()
    record: DeviceRecord = field(default_factory=DeviceRecord)

    def __post_init__(self) -> None:
        """Refuse voxels that cannot be an OCT scan."""
        require_voxels(self.voxels)
        if not np.allclose(self.directions.T @ self.directions, np.eye(3), atol=1e-3):
            msg = (
                f"Found axes that are not perpendicular: {np.round(self.directions, 3).tolist()}; "
                "expected unit steps at right angles. Resample the volume to a regular grid."
            )
            raise GeometryError(msg)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of (B-scans, depths, A-scans of a B-scan)."""
        bscans, depths, widths = self.voxels.shape
        return bscans, depths, widths

    @property
    def superior_sign(self) -> int:
        """1 where B-scans follow one another towards superior, -1 towards inferior."""
        return 1 if self.directions[2, 2] >= 0 else -1

    @property
    def nasal_sign(self) -> int | None:
        """1 where the width index grows towards the nose, -1 towards the temple, None unknown."""
        if self.laterality is None:
            return None
        towards_left = 1 if self.directions[0, 0] < 0 else -1
        return towards_left if self.laterality is Laterality.OD else -towards_left

    def require_spacing(self) -> VoxelSpacing:
        """Spacing, or an error that names the remedy."""
        if self.spacing is None:
            msg = (
                f"Spacing of {self.name} is unknown, lengths and volumes need it; pass "
                "--spacing-um BSCAN DEPTH WIDTH (Python: with_geometry(volume, spacing=...))."
            )
            raise GeometryError(msg)
        return self.spacing

    def require_raster(self) -> None:
        """Refuse scan patterns on which volumes are undefined."""
        if self.pattern in (ScanPattern.CIRCLE, ScanPattern.RADIAL):
            msg = (
                f"{self.name} is a {self.pattern.value} scan; expected parallel B-scans "
                "(raster) or one line scan. Export the macular raster of this visit."
            )
            raise GeometryError(msg)

    def ijk_to_ras(self) -> FloatArray:
        """Affine (4, 4) from (width, depth, B-scan) indices to RAS, in mm."""
        spacing = self.require_spacing()
        bscan_mm = spacing.bscan_mm if spacing.bscan_mm is not None else spacing.width_mm
        affine = np.eye(4)
        affine[:3, :3] = self.directions * np.array([spacing.width_mm, spacing.depth_mm, bscan_mm])
        affine[:3, 3] = self.origin_mm
        return affine


def with_geometry(
    volume: OCTVolume,
    *,
    spacing: VoxelSpacing | None = None,
    laterality: Laterality | None = None,
    device: DeviceFamily | None = None,
) -> OCTVolume:
    """Volume with facts that the user states; each is recorded as assumed."""
    sources = dict(volume.sources)
    assumed = list(volume.assumed)
    stated = {"spacing": spacing, "laterality": laterality, "device": device}
    for fact, value in stated.items():
        if value is None:
            continue
        sources[fact] = "user"
        assumed = [sentence for sentence in assumed if not sentence.lower().startswith(fact)]
        assumed.append(f"{fact.capitalize()} as stated by the user: {describe(value)}.")
    return replace(
        volume,
        spacing=spacing or volume.spacing,
        laterality=laterality or volume.laterality,
        device=device or volume.device,
        sources=MappingProxyType(sources),
        assumed=tuple(assumed),
    )


def describe(value: VoxelSpacing | Laterality | DeviceFamily | None) -> str:
    """Value of a geometry fact as a person reads it, lengths in µm."""
    if value is None:
        return "unknown"
    if isinstance(value, VoxelSpacing):
        bscan = "-" if value.bscan_mm is None else f"{value.bscan_mm * 1000:.2f}"
        depth, width = value.depth_mm * 1000, value.width_mm * 1000
        return f"{bscan} × {depth:.2f} × {width:.2f} µm (B-scan × depth × width)"
    name: str = value.value
    return name
