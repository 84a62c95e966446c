"""Phantoms beside real B-scans: pictures and statistics of either, on the same raster."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.surface_cost import comparable_gray
from RetinaTriageLib.phantoms.devices import SCANNERS, DeviceProfile
from RetinaTriageLib.phantoms.eye import Disease
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.training.picture_statistics import (
    LAGS,
    REGIONS,
    PictureStatistics,
    known_mean,
    measure_pictures,
)
from RetinaTriageLib.volume import FloatArray, LabelArray, OCTVolume, VoxelSpacing

TABLE_LAGS = 4


@dataclass(frozen=True)
class Sight:
    """B-scans, uint8 arrays (depth, width), and their statistics."""

    images: tuple[LabelArray, ...]
    statistics: PictureStatistics


@dataclass(frozen=True)
class Comparison:
    """Real B-scans and as many phantoms."""

    name: str
    real: Sight
    phantom: Sight

    def table(self) -> str:
        """Every statistic of both, as lines of text."""
        real, phantom = self.real.statistics, self.phantom.statistics
        lines = [f"{'':<34}{'real':>8}{'phantom':>9}"]
        for index, region in enumerate(REGIONS):
            lines.append(_row(f"gray, {region}", real.region_gray, phantom.region_gray, index))
        for index, region in enumerate(REGIONS):
            lines.append(
                _row(f"contrast, {region}", real.region_contrast, phantom.region_contrast, index)
            )
        for way, ours, theirs in (
            ("lateral", real.lateral, phantom.lateral),
            ("axial", real.axial, phantom.axial),
        ):
            for patch in ours:
                for index, lag in enumerate(LAGS[:TABLE_LAGS]):
                    label = f"{way} correlation {lag} px, {patch}"
                    lines.append(_row(label, ours[patch], theirs[patch], index))
        lines.append(f"Histograms differ in {self.histogram_difference():.1%} of the pixels.")
        lines.append(f"Depth profiles differ by {self.profile_difference():.3f} gray (RMS).")
        return "\n".join(lines) + "\n"

    def histogram_difference(self) -> float:
        """Share of the pixels that would have to change their gray to match, 0 to 1."""
        real, phantom = self.real.statistics.histogram, self.phantom.statistics.histogram
        return float(np.abs(real - phantom).sum() / 2)

    def profile_difference(self) -> float:
        """Root mean square difference of the mean depth profiles, in display gray."""
        real = known_mean(self.real.statistics.profile)
        phantom = known_mean(self.phantom.statistics.profile)
        both = np.isfinite(real) & np.isfinite(phantom)
        return float(np.sqrt(np.mean((real - phantom)[both] ** 2)))


def compare_with_phantoms(
    volume: OCTVolume,
    *,
    count: int,
    first_seed: int = 0,
    diseases: tuple[Disease, ...] | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Comparison:
    """Compare B-scans of a real scan with phantoms of its scanner, size and spacing.

    Parameters
    ----------
    count : B-scans of the scan, spread evenly, and phantoms, one B-scan a seed
    diseases : what the phantoms have; None draws it for each

    Raises
    ------
    InputError
        If the scanner is unknown or not imitated, or the layers of no B-scan are found.
    GeometryError
        If the spacing is unknown.
    """
    if count < 1:
        msg = f"Found a count of {count}; expected at least 1 B-scan."
        raise InputError(msg)
    device = imitated_device(volume)
    count = min(count, volume.shape[0])
    total = 2 * count
    real = [_display(volume.voxels[bscan]) for bscan in _spread(volume.shape[0], count)]
    on_progress(Progress("compare", count, total))
    phantoms = []
    for index, bscan in enumerate(_spread(device.shape[0], count)):
        made = make_phantom(first_seed + index, device, diseases=diseases, bscans=(bscan,))
        phantoms.append(made.volume.voxels[0])
        on_progress(Progress("compare", count + index + 1, total))
    return Comparison(volume.name, _sight(real, device.spacing), _sight(phantoms, device.spacing))


def imitated_device(volume: OCTVolume) -> DeviceProfile:
    """Profile of the volume's scanner with B-scans of the volume's size and spacing."""
    spacing = volume.require_spacing()
    for profile in SCANNERS.values():
        if profile.family is volume.device:
            own = VoxelSpacing(profile.spacing.bscan_mm, spacing.depth_mm, spacing.width_mm)
            return replace(profile, shape=(profile.shape[0], *volume.shape[1:]), spacing=own)
    found = volume.device.value if volume.device else "an unknown scanner"
    known = ", ".join(sorted({profile.family.value for profile in SCANNERS.values()}))
    msg = f"{volume.name} is of {found}; phantoms imitate {known}. State it with --scanner."
    raise InputError(msg)


def _sight(images: list[LabelArray], spacing: VoxelSpacing) -> Sight:
    return Sight(tuple(images), measure_pictures(images, spacing))


def _spread(total: int, count: int) -> list[int]:
    """Spread the indices of ``count`` B-scans evenly over the raster."""
    return [int(index) for index in (np.arange(count) + 0.5) * total / count]


def _display(bscan: LabelArray | FloatArray) -> LabelArray:
    """B-scan as 8-bit display gray; pictures of scanners are that already."""
    if bscan.dtype == np.uint8:
        return np.asarray(bscan, dtype=np.uint8)
    nothing = np.zeros((1, *bscan.shape), dtype=bool)
    shown = comparable_gray(bscan[None], nothing)[0]
    return np.asarray(np.clip(shown, 0, 1) * 255, dtype=np.uint8)


def _row(label: str, real: FloatArray, phantom: FloatArray, index: int) -> str:
    ours, theirs = known_mean(real)[index], known_mean(phantom)[index]
    return f"{label:<34}{ours:8.3f}{theirs:9.3f}"
