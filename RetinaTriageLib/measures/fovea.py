"""The fovea, found where the retina looks most like a normal macula.

Gray values are asked first: the inner retina that they show is thinnest at the fovea in diseases
too. Three maps then help to place it, or say where it is where gray values do not, each blind to
another disease: retina with cysts (blind to drusen and subretinal fluid), retina without cysts, and
the height of the ILM. The match of pit, rim and decline says which pit it is; the bottom of the pit
then says where, to a fraction of a B-scan. Where edema or traction fills the pit, the rim around it
and its decline still tell its place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from RetinaTriageLib.measures.macula_match import coarse_map, macula_match
from RetinaTriageLib.measures.regions import Float64Array
from RetinaTriageLib.measures.surfaces import SurfaceArray
from RetinaTriageLib.result import EnFaceArray, Fovea
from RetinaTriageLib.volume import DeviceThicknessTable, FloatArray, VoxelSpacing

INNER_SOURCE = "automatic (inner retina)"
PIT_SOURCE = "automatic (foveal pit)"
RIM_SOURCE = "automatic (macular rim, no pit)"
NO_PIT_SOURCE = "scan center (no pit found)"

# Our own choices, tried on phantoms of all diseases.
COARSE_MM = 0.05
SEARCH_MM = 2.0
MATCH_LOST_PER_MM2 = 0.1  # a place far from the scan center must look this much better
MIN_MATCH = 0.3
CLEAR_MATCH = 0.45  # below it, a rim that matches says more than a pit that hardly does
RIM_FROM_MM = 0.75
MIN_RIM_MATCH = 0.5
OFF_CENTER_MM = 0.3  # a swelling shapes its own rim, and need not be centered on the fovea
SMOOTHING_MM = 0.1
FIT_RADII_MM = (0.25, 0.3, 0.4)
FIT_BSCANS = 2.0  # a fit reaches at least so many B-scans to either side
CLEAR_INNER_MATCH = 0.4
INNER_FIT_RADII_MM = (0.3, 0.4, 0.5)
NEAR_PIT_MM = 0.2
APART_MM = 0.3  # so far from one another one of two pits is none: the one that matches less
MIN_BEND_UM_PER_MM2 = 10.0  # a pit bends by some hundred
MIN_FIT_CELLS = 24
MIN_FITS = 4  # of nine; with fewer the match alone places the fovea
MISMATCH_MM = 0.5  # uncertainty of a map that does not look like a macula at all
INNER_MISMATCH_MM = 0.2  # of an inner retina that does not; it is rarely 0.1 mm off

# A patient who fixates puts the fovea at the center; one who cannot may miss it by this much.
NO_PIT_UNCERTAINTY_MM = 1.0

Position = tuple[float, float]


@dataclass(frozen=True)
class Sighting:
    """A place where the fovea may be, and how well a macula matches there, -1 to 1."""

    fovea: Fovea
    match: float


def find_fovea(
    maps_um: Sequence[EnFaceArray],
    spacing: VoxelSpacing,
    inner_um: Sequence[EnFaceArray] = (),
) -> Fovea:
    """Position of the foveal pit, or of its rim's center or the scan center where there is no pit.

    Parameters
    ----------
    maps_um : float32 arrays (B-scan, width), each lowest at the fovea; NaN without data
    inner_um : such maps of the inner retina, as `inner_retina_um` gives them

    Returns
    -------
    Fovea
        ``uncertainty_mm`` is the root mean square of the distance to where each map and each fit
        sees the fovea, of the mismatch to a normal macula, of a quarter B-scan distance and, by the
        rim alone, of `OFF_CENTER_MM`.

    Raises
    ------
    GeometryError
        If the B-scan distance is unknown.
    """
    cell_mm = (spacing.column_mm2 / spacing.width_mm, spacing.width_mm)
    by_shape = _by_shape(maps_um, cell_mm)
    if not inner_um:
        return by_shape.fovea
    by_inner = _by_inner_retina(inner_um, maps_um, cell_mm)
    if by_inner.match < CLEAR_INNER_MATCH:
        return by_shape.fovea
    if by_shape.fovea.source == PIT_SOURCE and by_shape.match > by_inner.match:
        along = by_shape.fovea.bscan - by_inner.fovea.bscan
        across = by_shape.fovea.width - by_inner.fovea.width
        if math.hypot(along * cell_mm[0], across * cell_mm[1]) > APART_MM:
            return by_shape.fovea
    return by_inner.fovea


def _by_shape(maps_um: Sequence[EnFaceArray], cell_mm: Position) -> Sighting:
    """Pit of the retina, center of its rim, or center of the scan."""
    shape = maps_um[0].shape
    places, match = _match_places(maps_um, cell_mm)
    if match < CLEAR_MATCH:
        rims, rim_match = _match_places(maps_um, cell_mm, RIM_FROM_MM)
        if rim_match >= MIN_RIM_MATCH:
            apart_mm = (np.array(rims) - rims[0]) * cell_mm
            uncertainty_mm = _uncertainty_mm(apart_mm, rim_match, cell_mm)
            uncertainty_mm = math.hypot(uncertainty_mm, OFF_CENTER_MM)
            return Sighting(Fovea(*rims[0], uncertainty_mm, RIM_SOURCE), rim_match)
    if match < MIN_MATCH:
        middle = ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
        return Sighting(Fovea(*middle, NO_PIT_UNCERTAINTY_MM, NO_PIT_SOURCE), match)
    fits = _bowl_bottoms(maps_um, cell_mm, places[0], FIT_RADII_MM)
    found = np.mean(fits, axis=0) if len(fits) >= MIN_FITS else np.array(places[0])
    found = np.clip(found, 0, np.array(shape) - 1)
    apart_mm = (np.array([*places, *fits]) - found) * cell_mm
    uncertainty_mm = _uncertainty_mm(apart_mm, match, cell_mm)
    fovea = Fovea(float(found[0]), float(found[1]), uncertainty_mm, PIT_SOURCE)
    return Sighting(fovea, match)


def _by_inner_retina(
    inner_um: Sequence[EnFaceArray], maps_um: Sequence[EnFaceArray], cell_mm: Position
) -> Sighting:
    """Where the inner retina is thinnest; other maps whose pit lies near have a say in it."""
    places, match = _match_places(inner_um, cell_mm)
    start = places[0]
    fits = _bowl_bottoms(inner_um, cell_mm, start, INNER_FIT_RADII_MM)
    fits += [
        fit
        for fit in _bowl_bottoms(maps_um, cell_mm, start, FIT_RADII_MM)
        if math.hypot(*((np.array(fit) - start) * cell_mm)) < NEAR_PIT_MM
    ]
    found = np.mean(fits, axis=0) if fits else np.array(start)
    found = np.clip(found, 0, np.array(maps_um[0].shape) - 1)
    apart_mm = (np.array([*places, *fits]) - found) * cell_mm
    uncertainty_mm = _uncertainty_mm(apart_mm, match, cell_mm, INNER_MISMATCH_MM)
    fovea = Fovea(float(found[0]), float(found[1]), uncertainty_mm, INNER_SOURCE)
    return Sighting(fovea, match)


def _bowl_bottoms(
    maps_um: Sequence[EnFaceArray], cell_mm: Position, start: Position, radii_mm: Sequence[float]
) -> list[Position]:
    """Bottoms of all bowls that can be fitted to the maps, one for each radius."""
    smooth = [_smooth(np.asarray(of, dtype=np.float64), cell_mm) for of in maps_um]
    reach_mm = [max(radius_mm, FIT_BSCANS * cell_mm[0]) for radius_mm in radii_mm]
    bowls = [bowl_bottom(of, cell_mm, start, radius_mm) for of in smooth for radius_mm in reach_mm]
    return [bottom for bottom in bowls if bottom is not None]


def device_center(table: DeviceThicknessTable) -> Fovea:
    """Center of the grid that the scanner itself measured around, to compare with its numbers."""
    return Fovea(*table.center, uncertainty_mm=0.0, source="center of the device's grid")


def ilm_height(ilm: SurfaceArray, spacing: VoxelSpacing) -> EnFaceArray:
    """Height of the ILM over its own tilt and bend, in µm, float32 array (B-scan, width).

    Parameters
    ----------
    ilm : float32 array (B-scan, width), in px, NaN where unknown
    """
    known = np.isfinite(ilm)
    height = np.full(ilm.shape, np.nan)
    if not known.any():
        return height.astype(np.float32)
    bscan, width = (np.linspace(-1, 1, size) for size in ilm.shape)
    terms = _quadratic(*np.meshgrid(bscan, width, indexing="ij"))  # (term, B-scan, width)
    bend, *_ = np.linalg.lstsq(terms[:, known].T, ilm[known], rcond=None)
    height[known] = bend @ terms[:, known] - ilm[known]
    return np.asarray(height * spacing.depth_mm * 1000, dtype=np.float32)


def bowl_bottom(
    smooth_um: Float64Array,
    cell_mm: Position,
    start: Position,
    radius_mm: float,
) -> Position | None:
    """Bottom of the quadratic bowl fitted around a start, as (B-scan, width) index.

    None where the map hardly curves upwards there or the bottom lies beyond the radius.
    """
    near = _distance_mm(smooth_um.shape, cell_mm, start) <= radius_mm
    near &= np.isfinite(smooth_um)
    bscan, width = np.nonzero(near)
    if len(bscan) < MIN_FIT_CELLS:
        return None
    along = (bscan - start[0]) * cell_mm[0]
    across = (width - start[1]) * cell_mm[1]
    terms = _quadratic(along, across)
    (_, slope_b, slope_w, bend_b, twist, bend_w), *_ = np.linalg.lstsq(
        terms.T, smooth_um[near], rcond=None
    )
    bend = np.array([[2 * bend_b, twist], [twist, 2 * bend_w]])
    if np.linalg.eigvalsh(bend)[0] < MIN_BEND_UM_PER_MM2:
        return None
    bottom_mm = np.linalg.solve(bend, [-slope_b, -slope_w])
    if np.linalg.norm(bottom_mm) > radius_mm:
        return None
    return start[0] + bottom_mm[0] / cell_mm[0], start[1] + bottom_mm[1] / cell_mm[1]


def _uncertainty_mm(
    apart_mm: Float64Array, match: float, cell_mm: Position, mismatch_mm: float = MISMATCH_MM
) -> float:
    """Root mean square of distances (place, axis), of the mismatch and of a quarter B-scan."""
    scatter = (apart_mm**2).sum(axis=1).mean()
    return float(np.sqrt(scatter + (mismatch_mm * (1 - match)) ** 2 + (cell_mm[0] / 4) ** 2))


def _match_places(
    maps_um: Sequence[EnFaceArray], cell_mm: Position, beyond_mm: float = 0.0
) -> tuple[list[Position], float]:
    """Best place (B-scan, width) by all maps, then by each map; and the match of the first."""
    bscan_block, width_block = (max(1, round(COARSE_MM / length)) for length in cell_mm)
    coarse_mm = (cell_mm[0] * bscan_block, cell_mm[1] * width_block)
    coarse = [coarse_map(of, (bscan_block, width_block)) for of in maps_um]
    matches = [macula_match(of, coarse_mm, beyond_mm) for of in coarse]
    rows, columns = matches[0].shape
    distance_mm = _distance_mm((rows, columns), coarse_mm, ((rows - 1) / 2, (columns - 1) / 2))
    lost = MATCH_LOST_PER_MM2 * distance_mm**2
    lost[distance_mm > SEARCH_MM] = np.inf
    together = np.mean(matches, axis=0)
    best = [np.unravel_index(np.argmax(of - lost), of.shape) for of in (together, *matches)]
    places = [
        (
            float(row * bscan_block + (bscan_block - 1) / 2),
            float(column * width_block + (width_block - 1) / 2),
        )
        for row, column in best
    ]
    return places, float(together[best[0]])


def _smooth(map_um: Float64Array, cell_mm: Position) -> Float64Array:
    """Gaussian mean of the known values; NaN stays where less than half of the weight is known."""
    sigma = [SMOOTHING_MM / length for length in cell_mm]
    known = np.isfinite(map_um)
    weight = ndimage.gaussian_filter(known.astype(np.float64), sigma, mode="nearest")
    total = ndimage.gaussian_filter(np.where(known, map_um, 0.0), sigma, mode="nearest")
    mean = np.full(map_um.shape, np.nan)
    np.divide(total, weight, out=mean, where=weight > 0.5)
    return mean


def _distance_mm(shape: tuple[int, ...], cell_mm: Position, position: Position) -> Float64Array:
    bscan_mm = (np.arange(shape[0]) - position[0]) * cell_mm[0]
    width_mm = (np.arange(shape[1]) - position[1]) * cell_mm[1]
    return np.asarray(np.hypot(bscan_mm[:, None], width_mm), dtype=np.float64)


def _quadratic(along: FloatArray, across: FloatArray) -> Float64Array:
    return np.stack([np.ones_like(along), along, across, along**2, along * across, across**2])
