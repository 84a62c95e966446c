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

from RetinaTriageLib.errors import GeometryError, InputError

FloatArray = npt.NDArray[np.floating[Any]]
LabelArray = npt.NDArray[np.uint8]

# Outside these limits a spacing is refused as a likely mistake of unit or tag, in mm. They enclose
# every macular raster of Spectralis, Cirrus, Topcon and Optovue (dimensions: vendor data sheets).
DEPTH_LIMITS_MM = (0.001, 0.015)
WIDTH_LIMITS_MM = (0.002, 0.060)
BSCAN_LIMITS_MM = (0.004, 0.500)

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


class ScanPattern(Enum):
    """How the B-scans lie on the retina."""

    RASTER = "raster"
    LINE = "single line"
    CIRCLE = "circle"
    RADIAL = "radial"


@dataclass(frozen=True)
class VoxelSpacing:
    """Distance between neighbouring voxels, in mm; ``bscan_mm`` is None for a single B-scan."""

    bscan_mm: float | None
    depth_mm: float
    width_mm: float

    def __post_init__(self) -> None:
        """Refuse spacings that no ophthalmic scanner has."""
        _require_length("between B-scans", self.bscan_mm, BSCAN_LIMITS_MM)
        _require_length("along the depth", self.depth_mm, DEPTH_LIMITS_MM)
        _require_length("along the width", self.width_mm, WIDTH_LIMITS_MM)

    @property
    def voxel_mm3(self) -> float:
        """Volume of one voxel, in mm³."""
        return self.column_mm2 * self.depth_mm

    @property
    def column_mm2(self) -> float:
        """En-face area of one A-scan, in mm²."""
        if self.bscan_mm is None:
            msg = (
                "Found a single B-scan, which has no distance to a neighbor; areas and volumes "
                "need a raster of B-scans."
            )
            raise GeometryError(msg)
        return self.bscan_mm * self.width_mm

    @staticmethod
    def from_um(bscan_um: float | None, depth_um: float, width_um: float) -> VoxelSpacing:
        """Spacing given in µm."""
        bscan_mm = None if bscan_um is None else bscan_um / 1000
        return VoxelSpacing(bscan_mm, depth_um / 1000, width_um / 1000)


@dataclass(frozen=True)
class Localizer:
    """En-face picture that the scanner took along, and where the B-scans lie on it.

    Attributes
    ----------
    pixels : array (row, column)
    spacing_mm : (row, column), mm a pixel
    bscan_ends_mm : float array (B-scan, end, 2); (column, row) position of each B-scan's first and
        last A-scan from the picture's upper left corner, in mm
    """

    pixels: npt.NDArray[Any]
    spacing_mm: tuple[float, float]
    bscan_ends_mm: FloatArray


@dataclass(frozen=True)
class DeviceThicknessTable:
    """Retinal thickness on the ETDRS grid as the scanner itself measured it.

    Attributes
    ----------
    thickness_um : sector name ("C0", "N1", "N2", "S1", ...) to mean thickness
    total_mm3 : retinal volume in the 6 mm circle
    center : (B-scan, width) index of the grid center, fractional
    boundaries : which surfaces the scanner measured between
    """

    thickness_um: Mapping[str, float]
    total_mm3: float
    center: tuple[float, float]
    boundaries: str


@dataclass(frozen=True)
class DeviceRecord:
    """What the scanner stored besides the voxels; ``lines`` are surfaces (B-scan, width), in px."""

    localizer: Localizer | None = None
    lines: Mapping[str, FloatArray] = field(default_factory=lambda: MappingProxyType({}))
    thickness_table: DeviceThicknessTable | None = None


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


def _require_length(where: str, length_mm: float | None, limits_mm: tuple[float, float]) -> None:
    if length_mm is None:
        return
    low_um, high_um = limits_mm[0] * 1000, limits_mm[1] * 1000
    if not limits_mm[0] <= length_mm <= limits_mm[1]:
        msg = (
            f"Found a spacing of {length_mm * 1000:g} µm {where}; expected {low_um:g} to "
            f"{high_um:g} µm for retinal OCT. State it with --spacing-um BSCAN DEPTH WIDTH."
        )
        raise GeometryError(msg)
