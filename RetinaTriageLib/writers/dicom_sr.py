"""Measurements and scores as DICOM Structured Report: an imaging measurement report.

One group a tissue (volume, area), one for the macular grid, one an outcome (scores, decision).
What could not be measured is left out, never written as 0.

References
----------
DICOM PS3.16, TID 1500 (report), TID 1501 and 1411 (groups), TID 4019 (algorithm).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from RetinaTriageLib.outcomes import Outcome, OutcomeHead
from RetinaTriageLib.result import (
    RESEARCH_USE,
    EtdrsTable,
    Provenance,
    TissueMeasure,
    TriageResult,
    Verdict,
)
from RetinaTriageLib.tissues import Code
from RetinaTriageLib.volume import Laterality
from RetinaTriageLib.writers import dicom_codes
from RetinaTriageLib.writers.dicom_codes import concept
from RetinaTriageLib.writers.dicom_image import MAKER
from RetinaTriageLib.writers.dicom_seg import coding_scheme, segment_numbers

if TYPE_CHECKING:
    from highdicom.sr import (
        AlgorithmIdentification,
        Comprehensive3DSR,
        FindingSite,
        Measurement,
    )
    from pydicom.dataset import Dataset

SERIES_NUMBER = 9002


@dataclass(frozen=True)
class _Context:
    """What all groups share."""

    algorithm: AlgorithmIdentification
    sites: list[FindingSite]
    segmentation: Dataset | None


def dicom_report(
    result: TriageResult, files: Sequence[Dataset], segmentation: Dataset | None = None
) -> Comprehensive3DSR:
    """Report of one case.

    Parameters
    ----------
    files : headers of the files that the scan was read from, or of its copy
    segmentation : of the consensus map, for the sizes of tissues to refer to its segments
    """
    from highdicom import sr
    from pydicom.uid import generate_uid

    context = _Context(
        _algorithm(result.provenance), _sites(result.volume.laterality), segmentation
    )
    groups = [
        *(
            _tissue(measure, context)
            for measure in result.measurements.tissues
            if _present(measure)
        ),
        *([_grid(result.measurements.etdrs, context)] if result.measurements.etdrs else []),
        *_outcomes(result.vocabulary.heads, result.verdict, context),
    ]
    observer = sr.ObserverContext(
        concept(dicom_codes.DEVICE),
        sr.DeviceObserverIdentifyingAttributes(generate_uid(), MAKER, MAKER, MAKER),
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=concept(dicom_codes.OPHTHALMIC_TOMOGRAPHY),
        imaging_measurements=groups,
        title=concept(dicom_codes.MEASUREMENT_REPORT),
    )
    report: Any = sr.Comprehensive3DSR(
        evidence=[*files, *([segmentation] if segmentation is not None else [])],
        content=content,
        series_instance_uid=generate_uid(),
        series_number=SERIES_NUMBER,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer=MAKER,
        is_complete=True,
        is_final=False,
        series_description="RetinaTriage measurements, research use only",
    )
    report.CodingSchemeIdentificationSequence = [coding_scheme()]
    return report  # type: ignore[no-any-return]


def _present(measure: TissueMeasure) -> bool:
    return measure.volume_mm3.get("all", 0.0) > 0


def _tissue(measure: TissueMeasure, context: _Context) -> Any:
    """Group of one tissue: volume and area of each region."""
    from highdicom import sr

    measurements = [
        _measurement(dicom_codes.region_code(quantity, region), value, unit)
        for quantity, unit, values in (
            (dicom_codes.VOLUME, dicom_codes.CUBIC_MM, measure.volume_mm3),
            (dicom_codes.AREA, dicom_codes.SQUARE_MM, measure.area_mm2),
        )
        for region, value in values.items()
        if math.isfinite(value)
    ]
    tissue, segmentation = measure.tissue, context.segmentation
    shared: dict[str, Any] = {
        "tracking_identifier": _tracking(tissue.title),
        "finding_type": concept(tissue.code),
        "algorithm_id": context.algorithm,
        "finding_sites": context.sites,
        "measurements": measurements,
    }
    numbers = {} if segmentation is None else segment_numbers(segmentation)
    if segmentation is None or tissue.title not in numbers:
        return sr.MeasurementsAndQualitativeEvaluations(**shared)
    segment = sr.ReferencedSegment.from_segmentation(
        segmentation, segment_number=numbers[tissue.title]
    )
    return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        **shared, referenced_segment=segment
    )


def _grid(table: EtdrsTable, context: _Context) -> Any:
    """Group of the macular grid: nine sectors, center point and total volume, where measured."""
    from highdicom import sr

    um, mean = dicom_codes.MICROMETER, dicom_codes.MEAN
    rows = [
        *(
            (dicom_codes.SECTOR_CODES[s], um_of, um, mean)
            for s, um_of in table.thickness_um.items()
        ),
        (dicom_codes.CENTER_POINT, table.central_point_um, um, mean),
        (dicom_codes.TOTAL_VOLUME, table.total_mm3, dicom_codes.CUBIC_MM, None),
    ]
    measurements = [
        _measurement(code, value, unit, derivation)
        for code, value, unit, derivation in rows
        if math.isfinite(value)
    ]
    definition = sr.QualitativeEvaluation(
        concept(dicom_codes.THICKNESS_DEFINITION), concept(dicom_codes.ILM_TO_BM)
    )
    known = "Bruch's membrane" in table.boundaries  # the one definition that is measured so far
    return sr.MeasurementsAndQualitativeEvaluations(
        _tracking("Macular grid (ETDRS)"),
        finding_type=concept(dicom_codes.RETINA),
        algorithm_id=context.algorithm,
        finding_sites=context.sites,
        measurements=measurements,
        qualitative_evaluations=[definition] if known else None,
    )


def _outcomes(heads: Sequence[OutcomeHead], verdict: Verdict, context: _Context) -> list[Any]:
    return [
        _outcome(head, outcome, verdict, context) for head in heads for outcome in head.outcomes
    ]


def _outcome(head: OutcomeHead, outcome: Outcome, verdict: Verdict, context: _Context) -> Any:
    """Group of one outcome: its scores, and whether it was decided for."""
    from highdicom import sr

    index = head.names.index(outcome.name)
    decided = outcome.name in verdict.decisions[head.name]
    scores = (
        (dicom_codes.SCORE, verdict.scores[head.name][index]),
        (dicom_codes.RAW_SCORE, verdict.raw[head.name][index]),
    )
    answer = sr.QualitativeEvaluation(
        concept(dicom_codes.DECIDED), concept(dicom_codes.YES if decided else dicom_codes.NO)
    )
    return sr.MeasurementsAndQualitativeEvaluations(
        _tracking(f"{head.title}: {outcome.title}"),
        finding_type=concept(dicom_codes.outcome_code(outcome, head.name)),
        algorithm_id=context.algorithm,
        finding_sites=context.sites,
        measurements=[_measurement(code, score, dicom_codes.NO_UNITS) for code, score in scores],
        qualitative_evaluations=[answer],
    )


def _measurement(
    code: Code, value: float, unit: Code, derivation: Code | None = None
) -> Measurement:
    from highdicom import sr

    return sr.Measurement(
        concept(code),
        float(f"{float(value):.6g}"),
        concept(unit),
        derivation=None if derivation is None else concept(derivation),
    )


def _tracking(name: str) -> Any:
    from highdicom import sr
    from pydicom.uid import generate_uid

    return sr.TrackingIdentifier(generate_uid(), name)


def _sites(laterality: Laterality | None) -> list[FindingSite]:
    """Retina of one eye; of no stated side where the eye is unknown."""
    from highdicom import sr

    side = None if laterality is None else concept(dicom_codes.SIDES[laterality])
    return [sr.FindingSite(concept(dicom_codes.RETINA), side)]


def _algorithm(provenance: Provenance) -> AlgorithmIdentification:
    """Who computed it: bundle, library, and what they were trained on."""
    from highdicom import sr

    return sr.AlgorithmIdentification(
        f"RetinaTriage, {provenance.bundle_name}",
        provenance.library_version,
        [
            f"Bundle SHA-256: {provenance.bundle_sha256}",
            f"Trained on: {provenance.trained_on}",
            RESEARCH_USE,
            *provenance.notes,
        ],
    )
