"""How well a thickness map looks like a normal macula around each of its points."""

from __future__ import annotations

import numpy as np
from scipy import fft

from RetinaTriageLib.measures.regions import Float64Array
from RetinaTriageLib.result import EnFaceArray

# Thickness (µm) by distance from the fovea (mm), as one healthy averaged Spectralis line scan
# shows it; its ring means agree with the normal values of PMC6042244, table 6. Only the shape is
# used: pit, rim and decline. Scale and offset cancel out.
PROFILE_MM = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0)
PROFILE_UM = (227.0, 247.0, 320.0, 356.0, 371.0, 364.0, 343.0, 314.0, 295.0)

# Our own choices, tried on phantoms.
REACH_MM = 2.5
MIN_KNOWN = 0.4  # share of the template that must lie on data
MIN_RELIEF_UM = 5.0  # flatter maps match nothing


def macula_match(
    map_um: EnFaceArray, cell_mm: tuple[float, float], beyond_mm: float = 0.0
) -> Float64Array:
    """Correlation of a map with a normal macula centered on each A-scan, from -1 to 1.

    Near surroundings weigh more than far ones. -1 where too little around is known.

    Parameters
    ----------
    map_um : float array (B-scan, width), NaN without data
    cell_mm : distance between B-scans and between A-scans
    beyond_mm : compare only what lies so far from the A-scan or farther

    Returns
    -------
    float array (B-scan, width)

    References
    ----------
    Normalized cross-correlation with a mask: Padfield, IEEE Trans. Image Process. 21(5), 2012.
    """
    weight, template = _weighted_template(cell_mm, beyond_mm)
    known = np.isfinite(map_um)
    if not known.any():
        return np.full(map_um.shape, -1.0)
    seen = known.astype(np.float64)
    values = np.where(known, map_um - np.mean(map_um[known]), 0.0)
    total = _slide(seen, weight)
    enough = total >= MIN_KNOWN * weight.sum()
    total = np.where(enough, total, 1.0)
    mean_value = _slide(values, weight) / total
    mean_template = _slide(seen, weight * template) / total
    joint = _slide(values, weight * template) / total - mean_value * mean_template
    value_variance = _slide(values**2, weight) / total - mean_value**2
    template_variance = _slide(seen, weight * template**2) / total - mean_template**2
    floor = MIN_RELIEF_UM**2
    scale = np.sqrt(np.maximum(value_variance, floor) * np.maximum(template_variance, floor))
    return np.where(enough, joint / scale, -1.0)


def coarse_map(map_um: EnFaceArray, blocks: tuple[int, int]) -> EnFaceArray:
    """Mean of the known values in blocks of (B-scans, A-scans), NaN where none is known.

    What does not fill a last block is left out.
    """
    rows, columns = (size // block for size, block in zip(map_um.shape, blocks, strict=True))
    cut = map_um[: rows * blocks[0], : columns * blocks[1]]
    tiles = cut.reshape(rows, blocks[0], columns, blocks[1])
    known = np.isfinite(tiles)
    count = known.sum(axis=(1, 3))
    total = np.where(known, tiles, 0).sum(axis=(1, 3))
    mean = np.full(count.shape, np.nan, dtype=np.float32)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _weighted_template(
    cell_mm: tuple[float, float], beyond_mm: float
) -> tuple[Float64Array, Float64Array]:
    """Weight and centered template on the cells within reach."""
    along, across = (np.arange(-n, n + 1) * c for c in cell_mm for n in [int(REACH_MM // c)])
    distance_mm = np.hypot(along[:, None], across)
    inside = (distance_mm <= REACH_MM) & (distance_mm >= beyond_mm)
    weight = np.where(inside, np.exp(-2 * (distance_mm / REACH_MM) ** 2), 0.0)
    template = np.interp(distance_mm, PROFILE_MM, PROFILE_UM)
    return weight, template - np.average(template, weights=weight)


def _slide(map_um: Float64Array, kernel: Float64Array) -> Float64Array:
    """Sum of the products of map and kernel, with the kernel centered on every cell."""
    rows, columns = map_um.shape
    top, left = kernel.shape[0] // 2, kernel.shape[1] // 2
    # scipy.signal would do it too, but imports much else at the first result of a process.
    sizes = [
        fft.next_fast_len(length + reach - 1, real=True)
        for length, reach in zip(map_um.shape, kernel.shape, strict=True)
    ]
    spectrum = fft.rfft2(map_um, sizes) * fft.rfft2(kernel[::-1, ::-1], sizes)
    full = fft.irfft2(spectrum, sizes)
    return np.asarray(full[top : top + rows, left : left + columns], dtype=np.float64)
