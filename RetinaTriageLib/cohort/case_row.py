"""Row of one case: what its result says, in the columns of the cohort's table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from RetinaTriageLib.cohort.bscan_cells import bscan_cells
from RetinaTriageLib.cohort.cohort_rows import SPREAD
from RetinaTriageLib.cohort.table import Cell, cell_of, outcome_prefix
from RetinaTriageLib.cohort.units import Facts
from RetinaTriageLib.measures.volumes import NL_PER_MM3
from RetinaTriageLib.result import EtdrsTable, TriageResult


@dataclass(frozen=True)
class CaseName:
    """Which scan a case is of."""

    case_id: str
    file: str
    series: int | None
    facts: Facts


def case_row(result: TriageResult, name: CaseName, said: Collection[str] = ()) -> dict[str, Cell]:
    """Row of a case; None where something is not known or was not measured.

    Parameters
    ----------
    said : sentences of the provenance that tell of the machine, such as its lack of memory; they
        stay in the case's own files
    """
    volume, provenance = result.volume, result.provenance
    bundle, _, version = provenance.bundle_name.rpartition(" ")
    row: dict[str, Cell] = {
        "case_id": name.case_id,
        "file": name.file,
        "series": name.series,
        "patient_id": name.facts.patient_id,
        "visit_date": name.facts.visit_date,
        "age": name.facts.age,
        "sex": name.facts.sex,
        "laterality": None if volume.laterality is None else volume.laterality.value,
        "device": None if volume.device is None else volume.device.value,
        "bscans": volume.shape[0],
    }
    row |= _scores(result)
    row |= bscan_cells(result)
    for measure in result.measurements.tissues:
        row[f"volume_{measure.tissue.name}_nl"] = _nl(measure.volume_mm3["all"])
        row[f"volume_{measure.tissue.name}_spread_nl"] = _nl(measure.volume_spread.std)
    if result.measurements.etdrs is not None:
        row |= _thickness(result.measurements.etdrs)
    notes = [note for note in provenance.notes if note not in said]
    row |= {
        "disagreement": cell_of(float(result.measurements.disagreement.mean())),
        "operating_point": result.verdict.operating_point,
        "calibration": result.verdict.calibration,
        "assumed": " ".join(volume.assumed),
        "notes": " ".join([*notes, *result.measurements.refused]),
        "bundle": bundle,
        "bundle_version": version,
        "bundle_sha256": provenance.bundle_sha256,
        "version": provenance.library_version,
    }
    return row


def _scores(result: TriageResult) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for head in result.vocabulary.heads:
        cells[head.name] = "; ".join(result.verdict.decisions[head.name])
        scores, spreads = result.verdict.scores[head.name], result.verdict.spreads[head.name]
        for name, score, spread in zip(head.names, scores, spreads, strict=True):
            column = outcome_prefix(head.name) + name
            cells |= {column: cell_of(float(score)), column + SPREAD: cell_of(spread.std)}
    return cells


def _thickness(table: EtdrsTable) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for sector, thickness_um in table.thickness_um.items():
        cells[f"etdrs_{sector}_um"] = cell_of(thickness_um)
        spread = table.spreads.get(sector)
        cells[f"etdrs_{sector}_spread_um"] = None if spread is None else cell_of(spread.std)
    cells["etdrs_total_mm3"] = cell_of(table.total_mm3)
    cells["central_subfield_um"] = cell_of(table.thickness_um["C0"])
    cells["thickness_boundaries"] = table.boundaries
    return cells


def _nl(volume_mm3: float) -> float | None:
    return cell_of(volume_mm3 * NL_PER_MM3)
