"""Our ETDRS thickness table beside the one that the scanner made of the same scan.

Both stand around the center of the device's grid, so that the difference is one of surfaces alone.
The Spectralis measures from ILM to Bruch's membrane, as we do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.measures.etdrs import etdrs_table
from RetinaTriageLib.measures.etdrs_grid import SECTORS, etdrs_grid
from RetinaTriageLib.measures.fovea import device_center
from RetinaTriageLib.measures.surfaces import retina_borders
from RetinaTriageLib.measures.thickness import retinal_thickness
from RetinaTriageLib.tissues import TISSUES, Tissue
from RetinaTriageLib.volume import DeviceThicknessTable, LabelArray, OCTVolume


@dataclass(frozen=True)
class DeviceComparison:
    """Thickness of one scan by sector, in µm, and its total volume, ours and the device's.

    Attributes
    ----------
    ours_um, device_um : sector ("C0", "S1", ...) to mean thickness; NaN where it is not measured
    ours_mm3, device_mm3 : volume of the retina in the 6 mm circle
    boundaries : which surfaces either lies between, ours first
    """

    name: str
    ours_um: Mapping[str, float]
    device_um: Mapping[str, float]
    ours_mm3: float
    device_mm3: float
    boundaries: tuple[str, str]

    @property
    def difference_um(self) -> dict[str, float]:
        """Ours minus the device's by sector, in µm; positive where we measure a thicker retina."""
        return {sector: self.ours_um[sector] - self.device_um[sector] for sector in SECTORS}

    @property
    def compared(self) -> int:
        """Sectors that have both numbers."""
        return len(self._known_sizes_um())

    @property
    def median_absolute_um(self) -> float:
        """Median size of the sector differences, in µm; NaN where no sector has both numbers."""
        sizes = self._known_sizes_um()
        return float(np.median(sizes)) if sizes else float("nan")

    @property
    def worst_absolute_um(self) -> float:
        """Size of the largest sector difference, in µm; NaN where no sector has both numbers."""
        return max(self._known_sizes_um(), default=float("nan"))

    @property
    def total_difference_percent(self) -> float:
        """Total volume, ours minus the device's, in % of the device's."""
        return 100 * (self.ours_mm3 - self.device_mm3) / self.device_mm3

    def _known_sizes_um(self) -> list[float]:
        sizes = (abs(difference) for difference in self.difference_um.values())
        return [size for size in sizes if np.isfinite(size)]


def compare_with_device(
    volume: OCTVolume, tissue_map: LabelArray, tissues: tuple[Tissue, ...] = TISSUES
) -> DeviceComparison:
    """Thickness of a tissue map on the device's grid beside the device's own.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)

    Raises
    ------
    GeometryError
        If the scan holds no table of the device, or an ETDRS grid cannot be laid on it.
    """
    device = require_device_table(volume)
    center = device_center(device)
    ilm, bruch = retina_borders(tissue_map, tissues)
    thickness_um = retinal_thickness(ilm, bruch, volume.require_spacing().depth_mm)
    ours = etdrs_table(etdrs_grid(volume, center), thickness_um, (thickness_um,))
    return DeviceComparison(
        volume.name,
        ours.thickness_um,
        device.thickness_um,
        ours.total_mm3,
        device.total_mm3,
        (ours.boundaries, device.boundaries),
    )


def require_device_table(volume: OCTVolume) -> DeviceThicknessTable:
    """Thickness table of the scanner, or an error that says where one is found."""
    if volume.record.thickness_table is None:
        msg = (
            f"{volume.name} holds no thickness table of the device; expected a scan exported with "
            "one, such as HEYEX XML with its ETDRS grid of 1, 3 and 6 mm."
        )
        raise GeometryError(msg)
    return volume.record.thickness_table


def comparison_text(comparison: DeviceComparison) -> str:
    """Nine sectors, total volume and the summary of one scan, for a terminal."""
    lines = [comparison.name, f"{'':8}{'ours':>9}{'device':>9}{'diff':>9}"]
    for sector, difference in comparison.difference_um.items():
        ours, device = comparison.ours_um[sector], comparison.device_um[sector]
        lines.append(f"  {sector:<6}{ours:9.1f}{device:9.1f}{difference:+9.1f}  µm")
    lines.append(
        f"  {'total':<6}{comparison.ours_mm3:9.2f}{comparison.device_mm3:9.2f}"
        f"{comparison.ours_mm3 - comparison.device_mm3:+9.2f}  mm³ "
        f"({comparison.total_difference_percent:+.1f} %)"
    )
    lines.append(
        f"  absolute difference over {comparison.compared} of {len(SECTORS)} sectors: median "
        f"{comparison.median_absolute_um:.1f} µm, worst {comparison.worst_absolute_um:.1f} µm"
    )
    lines.append(f"  ours: {comparison.boundaries[0]}; device: {comparison.boundaries[1]}")
    return "\n".join(lines) + "\n"


def comparison_json(comparison: DeviceComparison) -> dict[str, object]:
    """Numbers of one scan as JSON takes them; None where there is no number."""
    return {
        "name": comparison.name,
        "ours_um": {s: finite_or_none(um) for s, um in comparison.ours_um.items()},
        "device_um": {s: finite_or_none(um) for s, um in comparison.device_um.items()},
        "difference_um": {s: finite_or_none(um) for s, um in comparison.difference_um.items()},
        "compared_sectors": comparison.compared,
        "ours_mm3": finite_or_none(comparison.ours_mm3),
        "device_mm3": finite_or_none(comparison.device_mm3),
        "median_absolute_um": finite_or_none(comparison.median_absolute_um),
        "worst_absolute_um": finite_or_none(comparison.worst_absolute_um),
        "total_difference_percent": finite_or_none(comparison.total_difference_percent),
        "boundaries": list(comparison.boundaries),
    }
