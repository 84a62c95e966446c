"""CSV tables of one case: scores, opinions, tissue sizes and the ETDRS grid.

Column names carry the unit. Cells are empty where nothing could be measured.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from RetinaTriageLib.hypotheses import Hypothesis, Opinion, Spread
from RetinaTriageLib.measures.volumes import NL_PER_MM3
from RetinaTriageLib.result import EtdrsTable, TissueMeasure, Verdict, Vocabulary

Cell = str | int | float


SCORE_COLUMNS = ("head", "outcome", "raw", "reweighted", "mean", "sd", "low", "high", "decided")
OPINION_COLUMNS = ("hypothesis", "segmenter", "classifier", "head", "outcome", "raw")
TISSUE_COLUMNS = (
    "tissue",
    "label",
    "region",
    "volume_nl",
    "volume_mm3",
    "area_mm2",
    "volume_mean_mm3",
    "volume_sd_mm3",
    "volume_low_mm3",
    "volume_high_mm3",
)
ETDRS_COLUMNS = (
    "sector",
    "thickness_um",
    "coverage",
    "mean_um",
    "sd_um",
    "low_um",
    "high_um",
    "volume_mm3",
    "boundaries",
)

ALL_MAPS = "all maps"
"""Stands for the segmenter where an opinion rests on all tissue maps together."""

NO_SPREAD = ("", "", "", "")


def write_scores(verdict: Verdict, vocabulary: Vocabulary, path: Path) -> None:
    """Write one row an outcome: raw and re-weighted score, spread of the opinions, decision.

    Mean, standard deviation, low and high are those of all opinions, each re-weighted.
    """
    write_table(path, SCORE_COLUMNS, score_rows(verdict, vocabulary))


def write_opinions(
    hypotheses: Sequence[Hypothesis],
    vocabulary: Vocabulary,
    path: Path,
    joint_opinions: Sequence[Opinion] = (),
) -> None:
    """Write one row an outcome of every opinion; hypotheses count from 1.

    Joint opinions come last: hypothesis 0 and `ALL_MAPS` stand for all hypotheses together.
    """
    write_table(path, OPINION_COLUMNS, opinion_rows(hypotheses, vocabulary, joint_opinions))


def write_tissues(measures: Sequence[TissueMeasure], path: Path) -> None:
    """Write one row a tissue and region; the spread over hypotheses stands in region "all"."""
    write_table(path, TISSUE_COLUMNS, tissue_rows(measures))


def write_etdrs(table: EtdrsTable, path: Path) -> None:
    """Write one row a sector, then the center point ("CPT") and the 6 mm circle ("total").

    The deviation of "CPT" is that around the center, not over hypotheses. Each row names the
    surfaces that the thickness lies between, since numbers of other surfaces do not compare.
    """
    write_table(path, ETDRS_COLUMNS, etdrs_rows(table))


def score_rows(verdict: Verdict, vocabulary: Vocabulary) -> Iterable[tuple[Cell, ...]]:
    """Yield one row an outcome, in `SCORE_COLUMNS`."""
    for head in vocabulary.heads:
        for index, outcome in enumerate(head.names):
            raw, score = verdict.raw[head.name][index], verdict.scores[head.name][index]
            spread = verdict.spreads[head.name][index]
            decided = "yes" if outcome in verdict.decisions[head.name] else "no"
            yield head.name, outcome, float(raw), float(score), *_spread_cells(spread), decided


def opinion_rows(
    hypotheses: Sequence[Hypothesis],
    vocabulary: Vocabulary,
    joint_opinions: Sequence[Opinion] = (),
) -> Iterable[tuple[Cell, ...]]:
    """Yield one row an outcome of every opinion, in `OPINION_COLUMNS`; joint ones last."""
    judged = [
        (number, hypothesis.segmenter, opinion)
        for number, hypothesis in enumerate(hypotheses, start=1)
        for opinion in hypothesis.opinions
    ]
    judged += [(0, ALL_MAPS, opinion) for opinion in joint_opinions]
    for number, segmenter, opinion in judged:
        who = (number, segmenter, opinion.classifier)
        for head in vocabulary.heads:
            for outcome, score in zip(head.names, opinion.scores[head.name], strict=True):
                yield *who, head.name, outcome, float(score)


def tissue_rows(measures: Sequence[TissueMeasure]) -> Iterable[tuple[Cell, ...]]:
    """Yield one row a tissue and region, in `TISSUE_COLUMNS`."""
    for measure in measures:
        for region, volume_mm3 in measure.volume_mm3.items():
            spread = _spread_cells(measure.volume_spread) if region == "all" else NO_SPREAD
            yield (
                measure.tissue.name,
                measure.tissue.label,
                region,
                volume_mm3 * NL_PER_MM3,
                volume_mm3,
                measure.area_mm2[region],
                *spread,
            )


def etdrs_rows(table: EtdrsTable) -> Iterable[tuple[Cell, ...]]:
    """Yield one row a sector, the center point and the 6 mm circle, in `ETDRS_COLUMNS`."""
    for sector, thickness_um in table.thickness_um.items():
        found = table.spreads.get(sector)
        spread = NO_SPREAD if found is None else _spread_cells(found)
        yield sector, thickness_um, table.coverage[sector], *spread, "", table.boundaries
    point = (table.central_point_um, "", "", table.central_point_sd_um, "", "", "")
    yield "CPT", *point, table.boundaries
    yield "total", "", "", *NO_SPREAD, table.total_mm3, table.boundaries


def _spread_cells(spread: Spread) -> tuple[float, float, float, float]:
    return spread.mean, spread.std, spread.low, spread.high


def write_table(path: Path, columns: Sequence[str], rows: Iterable[tuple[Cell, ...]]) -> None:
    """Write rows under the names of their columns; what could not be measured stays empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows([_text(cell) for cell in row] for row in rows)


def _text(cell: Cell) -> Cell:
    if not isinstance(cell, float):
        return cell
    return f"{cell:.6g}" if math.isfinite(cell) else ""
