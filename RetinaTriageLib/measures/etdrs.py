"""Retinal thickness on the ETDRS grid: nine sectors, center point and total volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from RetinaTriageLib.hypotheses import Spread, spread
from RetinaTriageLib.measures.etdrs_grid import SECTORS, EtdrsGrid, sector_area_mm2
from RetinaTriageLib.measures.regions import Float64Array
from RetinaTriageLib.measures.thickness import RETINAL_BOUNDARIES
from RetinaTriageLib.result import EnFaceArray, EtdrsTable

MIN_SECTOR_COVERAGE = 0.5
MIN_TOTAL_COVERAGE = 0.9


def etdrs_table(
    grid: EtdrsGrid, thickness_um: EnFaceArray, by_hypothesis: Sequence[EnFaceArray]
) -> EtdrsTable:
    """Thickness table of one scan, in µm, with the spread over the hypotheses.

    Parameters
    ----------
    thickness_um : float32 array (B-scan, width) of the consensus map, NaN without data
    by_hypothesis : one such array a hypothesis

    Returns
    -------
    EtdrsTable
        ``total_mm3`` is the sum of sector mean times whole sector area, so a gap in a sector
        counts as thick as the rest of it; ``boundaries`` says how large the gaps are.
    """
    means = sector_means(grid, thickness_um)
    coverage = sector_coverage(grid, thickness_um)
    hypothesis_means = [sector_means(grid, thickness) for thickness in by_hypothesis]
    share = _share_of_circle(coverage)
    total_mm3 = sum(means[sector] * sector_area_mm2(sector) for sector in SECTORS) / 1000
    point_um, _ = _weighted(grid.point, thickness_um)
    _, point_sd_um = _weighted(grid.around, thickness_um)
    return EtdrsTable(
        center=grid.center,
        thickness_um=means,
        coverage=coverage,
        spreads={s: _finite_spread([of[s] for of in hypothesis_means]) for s in SECTORS},
        central_point_um=point_um,
        central_point_sd_um=point_sd_um,
        total_mm3=total_mm3 if share >= MIN_TOTAL_COVERAGE else float("nan"),
        boundaries=_boundaries(share),
    )


def sector_means(grid: EtdrsGrid, thickness_um: EnFaceArray) -> Mapping[str, float]:
    """Mean thickness of each sector, in µm; NaN where less than half of it was measured."""
    coverage = sector_coverage(grid, thickness_um)
    means = {sector: _weighted(grid.sectors[sector], thickness_um)[0] for sector in SECTORS}
    return {
        sector: mean if coverage[sector] >= MIN_SECTOR_COVERAGE else float("nan")
        for sector, mean in means.items()
    }


def sector_coverage(grid: EtdrsGrid, thickness_um: EnFaceArray) -> Mapping[str, float]:
    """Share of each sector's area that was scanned and could be measured, 0 to 1."""
    measured = np.isfinite(thickness_um)
    return {
        sector: min(1.0, float(area_mm2[measured].sum()) / sector_area_mm2(sector))
        for sector, area_mm2 in grid.sectors.items()
    }


def _weighted(weight: Float64Array, thickness_um: EnFaceArray) -> tuple[float, float]:
    """Weighted mean and deviation; NaN where less than half of the weight was measured."""
    measured = np.isfinite(thickness_um) & (weight > 0)
    known = weight[measured]
    if known.size == 0 or known.sum() < weight.sum() / 2:
        return float("nan"), float("nan")
    values = thickness_um[measured].astype(np.float64)
    mean = np.average(values, weights=known)
    return float(mean), float(np.sqrt(np.average((values - mean) ** 2, weights=known)))


def _share_of_circle(coverage: Mapping[str, float]) -> float:
    covered = sum(coverage[sector] * sector_area_mm2(sector) for sector in SECTORS)
    return covered / sum(sector_area_mm2(sector) for sector in SECTORS)


def _finite_spread(values: Sequence[float]) -> Spread:
    known = [value for value in values if np.isfinite(value)]
    return spread(known) if known else spread([float("nan")])


def _boundaries(share: float) -> str:
    if share > 1 - 5e-4:
        return RETINAL_BOUNDARIES
    missing = f"{100 * (1 - share):.1f} % of the 6 mm circle was not measured"
    if share < MIN_TOTAL_COVERAGE:
        return f"{RETINAL_BOUNDARIES}; {missing}, too much for a total volume"
    return f"{RETINAL_BOUNDARIES}; {missing} and counts in the total as the mean of its sector"
