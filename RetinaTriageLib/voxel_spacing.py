"""Distance between neighboring voxels of a scan, within what ophthalmic scanners have."""

from __future__ import annotations

from dataclasses import dataclass

from RetinaTriageLib.errors import GeometryError

# Outside these limits a spacing is refused as a likely mistake of unit or tag, in mm. They enclose
# every macular raster of Spectralis, Cirrus, Topcon and Optovue (dimensions: vendor data sheets).
DEPTH_LIMITS_MM = (0.001, 0.015)
WIDTH_LIMITS_MM = (0.002, 0.060)
BSCAN_LIMITS_MM = (0.004, 0.500)


@dataclass(frozen=True)
class VoxelSpacing:
    """Distance between neighboring voxels, in mm; ``bscan_mm`` is None for a single B-scan."""

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
